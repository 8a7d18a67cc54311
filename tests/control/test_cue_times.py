"""The times and the number of a cue: what people write, and what is refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.control.cue_times import At, as_number, check_follow, check_number, check_wait, parse_at, plain
from streamvace.system.errors import UserError

WRITTEN: list[tuple[object, At, float | str]] = [
    (90, At("show", (90.0,)), 90.0),
    (0.5, At("show", (0.5,)), 0.5),
    ("90", At("show", (90.0,)), 90.0),
    ("1:30", At("show", (90.0,)), 90.0),
    ("61:00.5", At("show", (3660.5,)), 3660.5),
    ("bar 17", At("bar", (17.0, 1.0)), "bar 17.1"),
    ("  bar   17.3 ", At("bar", (17.0, 3.0)), "bar 17.3"),
    ("01:00:00:00", At("timecode", (1.0, 0.0, 0.0, 0.0)), "01:00:00:00"),
    ("10:59:58;29", At("timecode", (10.0, 59.0, 58.0, 29.0)), "10:59:58:29"),
]


@pytest.mark.parametrize(("given_", "at", "written"), WRITTEN, ids=[str(row[0]) for row in WRITTEN])
def test_a_time_is_read_as_people_write_it_and_written_the_same_way(
    given_: object, at: At, written: float | str
) -> None:
    assert parse_at(given_) == at
    assert at.written() == written
    assert parse_at(at.written()) == at


WRONG: list[object] = [
    *(-1, 604_801, True, None, float("nan"), float("inf"), 10**400, [1], {}),
    *("", "soon", "bar 0", "bar 1.17", "bar 1.0", "bar", "1:60", "\u0663", "00:00:00"),
    *("24:00:00:00", "00:60:00:00", "00:00:60:00", "00:00:00:30"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_time_that_is_none_is_refused_in_one_line_with_both_values(wrong: object) -> None:
    with pytest.raises(UserError, match=r"at is seconds .* timecode '01:00:00:00', got ") as refused:
        parse_at(wrong)
    assert "\n" not in str(refused.value)


def test_the_place_of_a_time_depends_on_the_beats_of_a_bar_and_the_frames_of_a_second() -> None:
    assert parse_at("bar 1.1").place(4) == 0.0
    assert (parse_at("bar 3.2").place(4), parse_at("bar 3.2").place(3)) == (9.0, 7.0)
    assert (parse_at("01:00:01:12").place(24), parse_at("00:01:00:15").place(30)) == (3601.5, 60.5)
    assert parse_at(12.5).place(4) == 12.5


def test_a_number_survives_the_floats_of_osc() -> None:
    assert [check_number(each) for each in (2.0999999046325684, 7, "10.25", 9999.9990234375)] == [
        2.1,
        7,
        10.25,
        9999.999,
    ]
    assert (plain(2.0), plain(2.5)) == (2, 2.5)
    for wrong in (-1, 10_000, "two", True, float("nan"), "1e3", None):
        with pytest.raises(UserError, match=r"number is 0\.\.9999\.999, got "):
            check_number(wrong)


@given(st.integers(0, 9_999_999))
def test_every_number_with_three_decimals_is_found_again(thousandths: int) -> None:
    number = thousandths / 1000
    carried = struct.unpack(">f", struct.pack(">f", number))[0]
    assert as_number(carried) == check_number(number) == check_number(f"{number:.3f}")


def test_waits_and_follow_times_have_limits() -> None:
    assert (check_wait(0), check_wait(3600.0), check_follow(0.5), check_follow(3600)) == (0.0, 3600.0, 0.5, 3600.0)
    for wrong in (-0.1, 3601, "2", True, None, float("nan")):
        with pytest.raises(UserError, match=r"wait takes seconds 0\.\.3600, got "):
            check_wait(wrong)
    with pytest.raises(UserError, match=r"follow takes seconds 0\.5\.\.3600, got 0\.4"):
        check_follow(0.4)
