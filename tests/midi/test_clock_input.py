"""Where the timecode of all devices is, for cues that come on it."""

from __future__ import annotations

import pytest

from streamvace.control.show_clocks import Place
from streamvace.midi.clock_input import TimecodeInput
from streamvace.midi.timecode import RATES, Time
from tests.midi.test_timecode import pieces

PAL = RATES[1]


def test_timecode_has_a_place_in_seconds_and_runs_until_it_falls_silent() -> None:
    code = TimecodeInput()
    assert code.place(0.0) is None
    for number, message in enumerate(pieces(Time(1, 0, 10, 3, PAL))):
        code.take(7, 1 + number / 100, message)
    assert code.place(1.07) == Place(3610 + 5 / 25, 1.0, 25)
    assert code.place(1.12) == Place(3610 + 6 / 25, 1.0, 25)
    assert code.place(9.0) == Place(3610 + 5 / 25, 0.0, 25)


def test_timecode_that_runs_backwards_has_no_place_until_it_stands() -> None:
    code = TimecodeInput()
    back = [*reversed(pieces(Time(1, 0, 10, 6, PAL))), *reversed(pieces(Time(1, 0, 10, 4, PAL)))]
    for number, message in enumerate(back):
        code.take(7, 1 + number / 100, message)
    assert code.place(1.2) is None
    standing = code.place(9.0)
    assert standing is not None
    assert (standing.at, standing.speed) == (pytest.approx(3610 + 4 / 25), 0.0)
