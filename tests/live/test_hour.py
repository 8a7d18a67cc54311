"""What a show of an hour promises, on virtual time: whatever the worker and the sources do, the output goes on."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import pytest

from streamvace.live.inputs import source_poller
from streamvace.records.frame import Frame, Source
from tests.live.show import SECOND
from tests.live.virtual_show import SIZE, MovingSource, Turn, VirtualShow

HOUR_S = 3600.0
CHUNK_S = 0.55
POLL_NS = SECOND // 30


@pytest.fixture(autouse=True)
def polled_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of an hour's steps would be looks at a source that has nothing new."""
    monkeypatch.setattr(source_poller, "_POLL_S", POLL_NS / SECOND)


def troubled(seed: int) -> Callable[[int], Turn]:
    """A script: chunks of uneven length; now and then one that is late, fails, hangs, or takes the worker along."""
    chance = random.Random(seed)
    turns: list[Turn] = []

    def script(chunk: int) -> Turn:
        while len(turns) <= chunk:
            dice = chance.random()
            ends = "crashes" if dice < 0.01 else "hangs" if dice < 0.012 else "fails" if dice < 0.022 else "done"
            late = chance.uniform(1, 4) if 0.022 < dice < 0.04 else 0.0
            turns.append(Turn(CHUNK_S * chance.uniform(0.9, 1.1) + late, ends))
        return turns[chunk]

    return script


def performer(seed: int) -> Callable[[VirtualShow], None]:
    """Turns every knob that the output depends on, every few seconds."""
    chance = random.Random(seed)

    def on_tick(show: VirtualShow) -> None:
        dice = chance.random()
        if dice < 1 / 300:
            show.set("reset")
        elif dice < 2 / 300:
            show.set("hold_mode", chance.choice(("hold", "pingpong", "fade")))
        elif dice < 3 / 300:
            show.set("output_rate", chance.choice((25.0, 30.0)))
        elif dice < 4 / 300:
            show.set("context_scale", chance.uniform(0, 2))
        elif dice < 5 / 300:
            show.set("control_timing", chance.choice(("smooth", "instant")))

    return on_tick


def test_an_hour_in_which_everything_goes_wrong_now_and_then_misses_no_tick() -> None:
    show = VirtualShow(HOUR_S, troubled(1), on_tick=performer(2))
    figures = show.play()
    assert show.ledger.wrong == [], "never black, never another size, never older than a reset"
    assert figures["missed"] == 0
    gaps_ns = [after - before for before, after in pairwise(show.ledger.times_ns)]
    assert max(gaps_ns) <= SECOND / 25 + 1000
    assert show.ledger.published == figures["ticks"] > 25 * HOUR_S
    assert figures["ticks"] == sum(int(figures[name]) for name in ("fresh", "paced", "repeated", "slate"))
    assert int(figures["worker_restarts"]) > 20
    assert int(figures["worker_failed_steps"]) > 20
    assert int(figures["chunks"]) > 0.7 * HOUR_S / CHUNK_S
    assert int(figures["fresh"]) > 0.6 * 18 * HOUR_S, "and most of it is new pictures"


def test_the_same_script_gives_the_same_show() -> None:
    shows = [VirtualShow(120, troubled(3), on_tick=performer(4)) for _ in range(2)]
    first, second = (show.play() for show in shows)
    assert shows[0].ledger.times_ns == shows[1].ledger.times_ns
    assert [name for name in first if first[name] != second[name] and not name.startswith(("stage", "leg"))] == []


def test_a_worker_that_crashes_is_back_as_soon_as_it_has_loaded() -> None:
    crashes = set(range(20, 2000, 20))
    show = VirtualShow(600, lambda chunk: Turn(CHUNK_S, "crashes" if chunk in crashes else "done"), start_s=2.0)
    figures = show.play()
    crashed_ns = [when + round(CHUNK_S * SECOND) for number, (when, _) in enumerate(show.sent) if number in crashes]
    next_ns = [show.sent[number + 1][0] for number in sorted(crashes) if number + 1 < len(show.sent)]
    assert len(next_ns) > 20
    # The start, and a few polls of the engine: no back-off for a worker that had been well.
    assert all(then - crash <= 2.1 * SECOND for crash, then in zip(crashed_ns, next_ns, strict=False))
    assert figures["missed"] == 0


def test_a_worker_that_cannot_stay_alive_is_not_tried_without_pause() -> None:
    show = VirtualShow(300, lambda chunk: Turn(0.1, "crashes" if chunk else "done"), start_s=0.5)
    figures = show.play()
    assert 5 < int(figures["worker_restarts"]) < 40, "30 s at last between two tries"
    assert figures["missed"] == 0


def test_instant_control_is_seen_half_a_chunk_sooner_on_average_and_a_parameter_no_later() -> None:
    def turn(show: VirtualShow) -> None:
        if show.ledger.published % 37 == 0:
            show.set("context_scale", (show.ledger.published % 20) / 10)

    timings = ("smooth", "instant", "ahead")
    figures = {timing: VirtualShow(120, on_tick=turn, control_timing=timing).play() for timing in timings}
    smooth, instant, ahead = (float(figures[timing]["latency_p50_ms"]) for timing in timings)
    # Smooth spreads one chunk of control over one chunk of pictures: every picture is a chunk behind its control. With
    # the newest frame held, the first picture is not, and the last one is: half of it on average.
    assert smooth - instant > 0.35 * CHUNK_S * 1000
    assert ahead == pytest.approx(instant, abs=20)
    assert all(0 < float(each["parameter_p50_ms"]) < 3 * CHUNK_S * 1000 for each in figures.values())


class Restless:
    """A source that is lost, comes back, changes its size or starts again: a new trouble every second or so."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.troubles = {"lost": 0, "resized": 0, "restarted": 0, "silent": 0}
        self.away_until_ns = 0
        self.back_ns: list[int] = []

    def open(self, show: VirtualShow) -> Source:
        now_ns = show.time.now()
        if now_ns < self.away_until_ns:
            raise OSError("no such device")
        return _Restless(self, show)

    def next_trouble(self, show: VirtualShow) -> tuple[int, str]:
        """(when, which)."""
        which = self._chance.choice(tuple(self.troubles))
        return show.time.now() + round(self._chance.uniform(0.3, 1.2) * SECOND), which

    def size(self) -> tuple[int, int]:
        return self._chance.randrange(8, 80), self._chance.randrange(8, 80)

    def absence_ns(self) -> int:
        return round(self._chance.uniform(0.0, 2.0) * SECOND)


class _Restless(MovingSource):
    def __init__(self, script: Restless, show: VirtualShow) -> None:
        super().__init__(show, SIZE)
        self._script = script
        self._trouble = script.next_trouble(show)
        self._silent_until_ns = 0

    def poll(self) -> Frame | None:
        now_ns = self._show.time.now()
        when_ns, which = self._trouble
        if now_ns >= when_ns:
            self._trouble = self._script.next_trouble(self._show)
            self._script.troubles[which] += 1
            if which == "resized":
                self._size = self._script.size()
            elif which == "silent":
                self._silent_until_ns = now_ns + self._script.absence_ns()
                self._script.back_ns.append(self._silent_until_ns)
                self._trouble = (self._silent_until_ns + self._trouble[0] - now_ns, self._trouble[1])
            else:
                self._script.away_until_ns = now_ns + (self._script.absence_ns() if which == "lost" else 0)
                self._script.back_ns.append(self._script.away_until_ns)
                raise ConnectionError(f"the source was {which}")
        return None if now_ns < self._silent_until_ns else super().poll()


def test_a_source_lost_resized_and_restarted_a_thousand_times_never_stops_the_output_and_control_is_back_soon() -> None:
    restless = Restless(1)
    show = VirtualShow(1500, opener=restless.open)
    figures = show.play()
    assert sum(restless.troubles.values()) >= 1000
    assert min(restless.troubles.values()) > 150
    assert show.ledger.wrong == []
    assert figures["missed"] == 0
    assert int(figures["repeated"]) < 0.01 * int(figures["ticks"]), "the worker goes on, too"
    chunks = [(when, inputs.captured_ns) for when, inputs in show.sent]
    late = []
    for back_ns in restless.back_ns:
        after = [captured for when, captured in chunks if when >= back_ns + POLL_NS][:2]
        if len(after) == 2 and not any(captured >= back_ns for captured in after):
            late.append(back_ns)
    assert late == [], "control is back within two chunks"
