"""Freeze and blackout: what the performer lays over the output."""

from __future__ import annotations

import numpy as np
import pytest

from streamvace.effects.look import Look
from streamvace.live.output.presenter import Show
from streamvace.live.output.veil import FADE_S, Veil
from streamvace.records.frame import Frame, Made
from tests.live.output.test_presenter import Collector, Stand, chunk, steady
from tests.live.show import SECOND

RATE = 20


def lit(value: int = 200, alpha: int = 90, sequence: int = 0) -> Frame:
    pixels = np.full((4, 4, 4), value, np.uint8)
    pixels[..., 3] = alpha
    return Frame(pixels, 7, "streamvace", sequence, Made(1, 2, 3))


def brightness(veil: Veil, black: list[bool], value: int = 200) -> list[int]:
    """The brightness of ticks, one for each entry."""
    shown = [
        veil.darkened(lit(value), round(tick * SECOND / RATE), black=wanted) for tick, wanted in enumerate(black, 1)
    ]
    assert all((frame.pixels[..., 3] == 90).all() for frame in shown), "the alpha stays"
    return [int(frame.pixels[0, 0, 0]) for frame in shown]


def test_a_blackout_takes_half_a_second_to_black_and_half_a_second_back() -> None:
    ticks = round(FADE_S * RATE)
    values = brightness(Veil(), [True] * ticks + [True] + [False] * ticks)
    assert values[:ticks] == [round(200 * (1 - tick / ticks)) for tick in range(1, ticks + 1)]
    assert values[ticks] == 0
    assert values[ticks + 1 :] == [round(200 * tick / ticks) for tick in range(1, ticks + 1)]


def test_a_blackout_that_is_called_off_turns_round_where_it_is() -> None:
    assert brightness(Veil(), [True, True, False, False, False]) == [180, 160, 180, 200, 200]


def test_without_a_blackout_frames_pass_untouched() -> None:
    veil, frame = Veil(), lit()
    assert veil.darkened(frame, SECOND, black=False) is frame
    assert veil.held(frame, frozen=False) is frame


def test_a_frozen_picture_stays_and_keeps_its_origin_under_new_numbers() -> None:
    veil = Veil()
    veil.held(lit(10), frozen=True)
    later = veil.held(lit(99, sequence=8), frozen=True)
    assert (later.pixels[0, 0, 0], later.sequence, later.made, later.captured_ns) == (10, 8, Made(1, 2, 3), 7)
    assert veil.held(lit(99), frozen=False).pixels[0, 0, 0] == 99
    assert veil.held(lit(50), frozen=True).pixels[0, 0, 0] == 50


@pytest.mark.parametrize("show", [Show(rate=30, frozen=True), Show(rate=30, black=True)], ids=["frozen", "black"])
def test_the_model_goes_on_underneath_and_every_output_sees_the_same(show: Show) -> None:
    first, second = Collector("first"), Collector("second")
    stand = Stand(first, second, seconds=2)
    stand.presenter.offer(chunk(200), steady())
    stand.presenter.offer(chunk(100), steady())
    stand.show = show
    stand.play()
    assert stand.telemetry.stats()["fresh"] == 24
    assert [frame.pixels.tobytes() for frame in first.frames] == [frame.pixels.tobytes() for frame in second.frames]
    values = [int(frame.pixels[0, 0, 0]) for frame in first.frames]
    shown = stand.presenter.showing()
    assert shown is not None
    if show.frozen:
        assert set(values) == {200}
        assert shown.pixels[0, 0, 0] == 200
    else:
        assert values[0] > values[8] > 0
        assert set(values[20:]) == {0}
        assert shown.pixels[0, 0, 0] == 100, "a picture that is grabbed during a blackout is not black"


def test_a_freeze_holds_the_picture_as_it_is_on_the_wall_and_a_blackout_covers_its_look() -> None:
    sink = Collector()
    stand = Stand(sink, seconds=2)
    stand.presenter.offer(chunk(200), steady())
    looks = iter([Look(brightness=0.5)] * 5 + [Look(brightness=0.25)] * 20 + [Look(brightness=2.0)] * 60)
    frozen = iter([False] * 4 + [True] * 16 + [False] * 60)
    black = iter([False] * 40 + [True] * 60)

    def show() -> Show:
        return Show(rate=30, look=next(looks), frozen=next(frozen), black=next(black))

    stand.show_now = show
    stand.play()
    values = [int(frame.pixels[0, 0, 0]) for frame in sink.frames]
    assert set(values[2:16]) == {100}, "the look of the moment of the freeze"
    assert values[20] == 50
    assert values[30] == 255
    assert values[-1] == 0
