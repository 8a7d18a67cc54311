"""The presenter: one frame per tick to every sink, from start to stop."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from streamvace.effects.look import Look
from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.live.output.playhead import HoldMode
from streamvace.live.output.presenter import Presenter, Show
from streamvace.live.output.sinks import Sinks
from streamvace.live.worker.pace import Pace, PaceMeter
from streamvace.records.chunk import Chunk
from streamvace.records.frame import Frame, Sink
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Telemetry
from streamvace.video.memory import MemorySink
from tests.live.show import SECOND, SIZE, HandClock, frame, wait_until


class Collector:
    """A sink that keeps its frames, or fails."""

    def __init__(self, name: str = "collector", fails: bool = False) -> None:
        self.name = name
        self.fails = fails
        self.frames: list[Frame] = []
        self.closed = 0

    def publish(self, frame: Frame) -> None:
        if self.fails:
            raise OSError("the cable is out")
        self.frames.append(frame)

    def close(self) -> None:
        self.closed += 1


def chunk(value: int, frames: int = 12, generation: int = 0, captured_ns: int = 0) -> Chunk:
    pixels = np.full((frames, SIZE[1], SIZE[0], 3), value, dtype=np.uint8)
    return Chunk(pixels, value, generation, captured_ns, 0, {"total": 0.1})


def steady(step_s: float = 0.1) -> Pace:
    return PaceMeter().record(12, step_s)


class Stand:
    """A presenter with collecting sinks and a hand clock."""

    def __init__(
        self,
        *sinks: Collector,
        seconds: float = 1.0,
        rate: float = 30.0,
        clock: HandClock | None = None,
        upscale: int = 1,
    ) -> None:
        self.lines: list[str] = []
        self.show = Show(rate=rate)
        self.show_now: Callable[[], Show] = lambda: self.show
        self.ring = FrameRing()
        self.telemetry = Telemetry()
        self.reporter = Reporter(self.lines.append)
        self.clock = clock or HandClock(round(seconds * SECOND))

        def opener(sink: Collector) -> Sink:
            return sink

        self.presenter = Presenter(
            size=SIZE,
            content_rate=24,
            control=self.ring.beside,
            show=lambda: self.show_now(),
            sinks=Sinks([lambda sink=sink: opener(sink) for sink in sinks], self.reporter),  # type: ignore[misc]
            telemetry=self.telemetry,
            reporter=self.reporter,
            upscale=upscale,
            clock=self.clock,
        )
        self.telemetry.add(self.presenter.stats)

    def play(self) -> None:
        """Play until the clock ends."""
        self.presenter.start()
        wait_until(lambda: not self.presenter.ticking, "the show's end")
        self.presenter.stop()


def test_an_hour_of_ticks_gives_every_sink_one_frame_a_tick() -> None:
    first, second = Collector("first"), Collector("second")
    stand = Stand(first, second, seconds=3600, rate=10)
    stand.play()
    figures = stand.telemetry.stats()
    assert figures["ticks"] == 36_000
    assert figures["missed"] == 0
    assert len(first.frames) == len(second.frames) == 36_000
    assert [each.sequence for each in first.frames] == list(range(36_000))
    assert figures["interval_p99_ms"] == pytest.approx(100)


def test_before_the_first_chunk_it_shows_the_control_opaque_and_in_the_shows_size() -> None:
    sink = Collector()
    stand = Stand(sink, seconds=0.2)
    stand.ring.push(frame(5, value=77, size=(128, 128)))
    stand.play()
    shown = sink.frames[-1].pixels
    assert shown.shape == (SIZE[1], SIZE[0], 4)
    assert (shown[..., :3] == 77).all()
    assert (shown[..., 3] == 255).all()


def test_without_a_control_signal_it_shows_a_card_never_black() -> None:
    sink = Collector()
    stand = Stand(sink, seconds=0.2)
    stand.play()
    assert all((each.pixels[..., :3] > 0).all() for each in sink.frames)


def test_a_chunks_alpha_reaches_every_sink_straight_and_without_one_it_is_opaque() -> None:
    first, second = Collector("first"), Collector("second")
    stand = Stand(first, second, seconds=2)
    alpha = np.zeros((12, SIZE[1], SIZE[0]), np.uint8)
    alpha[:, :, 10:] = 128
    stand.presenter.offer(replace(chunk(200), alpha=alpha), steady())
    stand.presenter.offer(chunk(100), steady())
    stand.play()
    for sink in (first, second):
        masked = next(each.pixels for each in sink.frames if each.pixels[0, 0, 0] == 200)
        assert (masked[..., :3] == 200).all(), "straight: the colours under transparency are whole"
        assert (masked[:, :10, 3] == 0).all()
        assert (masked[:, 10:, 3] == 128).all()
        assert (sink.frames[-1].pixels[..., 3] == 255).all()
    shown = stand.presenter.showing()
    assert shown is not None
    assert shown is first.frames[-1]


def test_chunks_are_shown_at_once_with_their_capture_time() -> None:
    sink = Collector()
    stand = Stand(sink, seconds=1)
    stand.presenter.offer(chunk(200, captured_ns=7), steady())
    stand.play()
    assert (sink.frames[0].pixels[..., :3] == 200).all()
    assert sink.frames[0].captured_ns == 7
    figures = stand.telemetry.stats()
    assert figures["fresh"] == 12
    assert figures["latency_p99_ms"] == pytest.approx(458, abs=80)
    assert figures["ticks"] == sum(int(figures[key]) for key in ("fresh", "paced", "repeated", "slate"))


def test_after_a_reset_the_old_queue_is_gone_and_the_picture_stays_until_a_new_one_comes() -> None:
    sink = Collector()
    stand = Stand(sink, seconds=1)
    stand.presenter.offer(chunk(50), steady())
    stand.show = Show(generation=1)
    stand.presenter.offer(chunk(90, generation=1), steady())
    stand.presenter.offer(chunk(60), steady())
    stand.play()
    assert {int(each.pixels[0, 0, 0]) for each in sink.frames} == {90}
    assert stand.telemetry.stats()["discarded"] == 24


def test_a_sink_that_fails_is_counted_and_named_and_the_others_go_on() -> None:
    broken, sound = Collector("broken", fails=True), Collector()
    stand = Stand(broken, sound, seconds=2)
    stand.play()
    assert len(sound.frames) == 60
    assert stand.telemetry.stats()["sink_faults"] == 60
    assert stand.reporter.counts() == {"output broken": 60}
    assert stand.lines == ["output broken: OSError: the cable is out"]


def test_a_tick_that_comes_late_is_counted_as_missed_and_the_cadence_recovers() -> None:
    sink = Collector()
    stall = HandClock(2 * SECOND, late=lambda when: SECOND // 2 if when == SECOND else 0)
    stand = Stand(sink, clock=stall, rate=30)
    stand.play()
    figures = stand.telemetry.stats()
    assert figures["missed"] == 15
    assert figures["ticks"] == 60 - 15
    assert (figures["stalled_ms"], stand.lines) == (0, []), "half a second is a late tick"


def test_a_clock_that_stood_still_is_reported_with_its_length_and_the_cadence_recovers() -> None:
    sink = Collector()
    stall = HandClock(60 * SECOND, late=lambda when: 25 * SECOND if when == SECOND else 0)
    stand = Stand(sink, clock=stall, rate=30)
    stand.play()
    figures = stand.telemetry.stats()
    assert stand.lines == ["clock: the show's clock stood still for 25.0 s; nothing was published for 750 ticks"]
    assert (figures["missed"], figures["stalled_ms"]) == (750, 25_000)
    assert figures["ticks"] == 60 * 30 - 750


def test_every_sink_is_closed_at_the_end() -> None:
    first, second = Collector(), Collector(fails=True)
    stand = Stand(first, second, seconds=0.1)
    stand.play()
    stand.presenter.stop()
    assert (first.closed, second.closed) == (1, 1)


def test_the_open_sinks_are_known_by_their_names() -> None:
    sinks = Sinks([lambda: MemorySink(name="ndi:STAGE-PC (streamvace)"), MemorySink], Reporter(lambda line: None))
    assert sinks.names == ()
    sinks.open()
    assert sinks.names == ("ndi:STAGE-PC (streamvace)", "memory")
    sinks.close()
    assert sinks.names == ()


def test_with_upscale_every_sink_gets_the_large_picture_and_knows_what_made_it() -> None:
    first, second = Collector("first"), Collector("second")
    stand = Stand(first, second, seconds=1, upscale=3)
    stand.presenter.offer(chunk(77, captured_ns=5), steady())
    stand.play()
    for sink in (first, second):
        assert {each.pixels.shape for each in sink.frames} == {(3 * SIZE[1], 3 * SIZE[0], 4)}, "the card, too"
        made = next(each.made for each in sink.frames if each.made is not None)
        assert made.chunk == 77


def test_a_frozen_picture_keeps_its_screen() -> None:
    sink = Collector()
    stand, looks = Stand(sink, seconds=1), iter(["tube"] * 8 + ["none"] * 100)
    stand.presenter.offer(chunk(200, frames=48), steady())
    shown: list[str] = []

    def now() -> Show:
        shown.append(next(looks))
        return Show(frozen=len(shown) > 4, look=Look(screen=shown[-1]))

    stand.show_now = now
    stand.play()
    held = [each.pixels for each in sink.frames if each.made is not None]
    assert all((each == held[-1]).all() for each in held[6:])
    assert len(set(held[-1][:, 0, 0].tolist())) > 1, "the lines of the tube"


def test_the_look_is_that_of_each_tick_and_the_slate_has_none() -> None:
    sink = Collector()
    stand = Stand(sink, seconds=1)
    stand.ring.push(frame(5, value=77))
    stand.show = Show(look=Look(brightness=0.5))
    stand.play()
    assert (sink.frames[-1].pixels[..., :3] == 77).all()
    stand, later = Stand(sink, seconds=1), iter(range(1, 100))
    stand.presenter.offer(chunk(100), steady())
    stand.show_now = lambda: Show(look=Look(brightness=next(later) / 100))
    sink.frames.clear()
    stand.play()
    assert [int(each.pixels[0, 0, 0]) for each in sink.frames[:4]] == [2, 3, 4, 5], "also for a picture shown again"


def test_a_picture_is_mixed_with_the_control_frame_that_it_follows() -> None:
    sink = Collector()
    stand = Stand(sink, seconds=1)
    for number in range(4):
        stand.ring.push(frame(number * 1000, value=50 * number))
    stand.presenter.offer(chunk(200, captured_ns=1100), steady())
    stand.show = Show(look=Look(control=1.0))
    stand.play()
    assert (sink.frames[-1].pixels[..., :3] == 50).all()


def brightness(motion: str, rate: float, *chunks: Chunk) -> list[int]:
    """Of the pictures of a second at an output rate, each chunk offered at the start."""
    sink = Collector()
    stand = Stand(sink, seconds=1, rate=rate)
    for each in chunks:
        stand.presenter.offer(each, steady())
    stand.show = Show(rate=rate, motion=motion)
    stand.play()
    return [int(each.pixels[0, 0, 0]) for each in sink.frames]


def test_between_two_pictures_the_output_goes_on_in_even_steps_across_chunks() -> None:
    first, second = chunk(0, frames=1), replace(chunk(100, frames=1), index=1)
    assert brightness("hold", 96, first, second)[:8] == [0, 0, 0, 0, 100, 100, 100, 100]
    assert brightness("blend", 96, first, second)[:8] == [0, 25, 50, 75, 100, 100, 100, 100]


def test_there_is_nothing_between_two_histories() -> None:
    later = chunk(100, frames=1, generation=1)
    assert set(brightness("blend", 96, chunk(0, frames=1), later)) <= {0, 100}
    begun_anew = [replace(chunk(0, frames=1), index=7), replace(chunk(100, frames=1), index=0)]
    assert set(brightness("blend", 96, *begun_anew)) == {0, 100}


def test_pictures_in_between_need_the_next_one_early_and_the_status_says_so() -> None:
    stand = Stand(Collector(), seconds=0.2)
    stand.show = Show(motion="flow")
    stand.presenter.offer(chunk(0), steady())
    stand.play()
    assert stand.presenter.backlog.reserve == 1
    assert stand.presenter.stats()["motion_delay"] == pytest.approx(1000 / 24, abs=0.1)
    stand = Stand(Collector(), seconds=0.2)
    stand.play()
    assert stand.presenter.backlog.reserve == 0
    assert stand.presenter.stats()["motion_delay"] == 0.0


def test_a_trail_lasts_from_tick_to_tick_and_ends_at_a_reset() -> None:
    sink = Collector()
    stand = Stand(sink, seconds=1, rate=24)
    stand.presenter.offer(chunk(200, frames=6), steady())
    stand.presenter.offer(chunk(0, frames=12), steady())
    stand.show = Show(rate=24, look=Look(trail=1 / 24))
    stand.play()
    values = [int(each.pixels[0, 0, 0]) for each in sink.frames]
    begins = values.index(100)
    assert values[begins - 1 : begins + 3] == [200, 100, 50, 25]
    sink.frames.clear()
    stand = Stand(sink, seconds=1, rate=24)
    stand.presenter.offer(chunk(200, frames=6), steady())
    ticks = itertools.count()

    def show() -> Show:
        if next(ticks) == 6:
            stand.presenter.offer(chunk(0, frames=12, generation=1), steady())
        return Show(rate=24, look=Look(trail=1 / 24))

    stand.show_now = show
    stand.play()
    assert {int(each.pixels[0, 0, 0]) for each in sink.frames} == {0, 200}


def test_a_sink_that_cannot_be_opened_stops_the_start_and_closes_the_others() -> None:
    sink = Collector()

    def broken() -> Sink:
        raise OSError("no such device")

    sinks = Sinks([lambda: sink, broken], Reporter(lambda line: None))
    presenter = Presenter(
        size=SIZE,
        content_rate=24,
        control=FrameRing().beside,
        show=Show,
        sinks=sinks,
        telemetry=Telemetry(),
        reporter=Reporter(lambda line: None),
    )
    with pytest.raises(OSError, match="no such device"):
        presenter.start()
    assert sink.closed == 1
    assert sink.frames == []


def test_a_fault_of_the_presenter_itself_costs_a_tick_not_the_show() -> None:
    sink = Collector()
    stand = Stand(sink, seconds=1)
    stand.ring.push(Frame(np.zeros((0, 0, 4), dtype=np.uint8), 1, "broken driver", 0))
    stand.presenter.offer(chunk(200), steady())
    stand.play()
    assert stand.telemetry.stats()["fresh"] == 12


def test_a_new_output_rate_applies_at_once_and_costs_no_tick() -> None:
    class Tape(Collector):
        rates: list[float]

        def set_rate(self, rate: float) -> None:
            self.rates.append(rate)

    tape = Tape()
    tape.rates = []
    stand = Stand(tape, seconds=6, rate=30)
    times: list[int] = []

    def show() -> Show:
        times.append(stand.clock.now())
        return Show(rate=30 if stand.clock.now() < 2 * SECOND else 60 if stand.clock.now() < 4 * SECOND else 24)

    stand.presenter._show = show
    stand.play()
    figures = stand.telemetry.stats()
    assert figures["missed"] == 0
    assert figures["ticks"] == pytest.approx(2 * 30 + 2 * 60 + 2 * 24, abs=2)
    assert float(figures["interval_max_ms"]) <= 1000 / 24 + 0.1, "no gap where the rate changed"
    assert tape.rates == [60, 24]


def test_freeze_and_fade_freezes_then_loses_the_outlines_keeps_its_light_and_is_gone_with_the_next_frame() -> None:
    sink = Collector()
    stand = Stand(sink, seconds=6)
    stand.show = Show(hold_mode=HoldMode.FADE)
    half = np.zeros((1, SIZE[1], SIZE[0], 3), np.uint8)
    half[:, :, : SIZE[0] // 2] = 200
    stand.presenter.offer(replace(chunk(0), frames=half), steady())
    stand.play()
    detail = [float(each.pixels[..., 0].std()) for each in sink.frames]
    assert detail[10] == detail[0], "frozen at first"
    assert detail[20] > detail[40] > detail[60] > detail[75], "then softer and softer"
    assert len(set(detail[90:])) == 1, "and then at rest"
    light = [float(each.pixels[..., :3].mean()) for each in sink.frames]
    assert light == pytest.approx([100] * len(light), abs=3), "never darker"
    assert all((each.pixels[..., 3] == 255).all() for each in sink.frames)
