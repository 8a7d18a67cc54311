"""Values on their way: curves that begin, end and never turn back; hands that take over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.control.fades import CURVES, Fade, Move, parse_fade
from streamvace.control.parameters import FADE_WRITER, PROMPT, PROMPTS, Change, Parameters, Snapshot
from streamvace.system.errors import UserError

SCALE = "/streamvace/context_scale"
NOISE = "/streamvace/noise_scale"
PAUSE = "/streamvace/pause"
SECOND = 1_000_000_000


class ControlSurfaces:
    """Parameters on a clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_ns = 100 * SECOND
        self.parameters = Parameters(clock=lambda: self.now_ns)

    def fade(self, address: str, value: object, seconds: float, curve: str = "linear", switch: float = 0.0) -> None:
        change = Change(self.parameters.check(address, (value,)), "desk", Fade(seconds, curve, switch))
        assert self.parameters.apply_bundle([change])[0].status in ("set", "unchanged")

    def at(self, seconds: float) -> Snapshot:
        self.now_ns = int((100 + seconds) * SECOND)
        return self.parameters.advance()


@pytest.mark.parametrize("curve", CURVES)
@given(shares=st.lists(st.floats(0, 1), min_size=2, max_size=20).map(sorted))
def test_a_curve_goes_from_nothing_to_all_and_never_back(curve: str, shares: list[float]) -> None:
    shape = CURVES[curve]
    assert (shape(0.0), shape(1.0)) == (0.0, pytest.approx(1.0))
    gone = [shape(share) for share in shares]
    assert all(0 <= here <= 1 + 1e-9 for here in gone)
    assert all(later >= sooner - 1e-12 for sooner, later in pairwise(gone))


def test_the_curves_differ_in_the_middle() -> None:
    assert CURVES["linear"](0.25) == 0.25
    assert CURVES["ease"](0.25) == pytest.approx(0.15625)
    assert CURVES["exponential"](0.5) == pytest.approx(1 / (1 + math.e**2))


def test_a_float_glides_and_each_chunk_sees_where_it_is() -> None:
    desk = ControlSurfaces()
    desk.fade(SCALE, 0.0, 4.0)
    assert desk.parameters.snapshot()[SCALE] == 1.0, "nothing moves between chunks"
    assert [desk.at(seconds)[SCALE] for seconds in (1, 2, 3, 4, 9)] == [0.75, 0.5, 0.25, 0.0, 0.0]
    assert desk.parameters.on_the_way() == {}


def test_a_snapshot_that_was_taken_does_not_move() -> None:
    desk = ControlSurfaces()
    desk.fade(SCALE, 0.0, 4.0)
    before = desk.at(1)
    desk.at(3)
    assert before[SCALE] == 0.75


def test_a_hand_on_the_fader_ends_the_fade_even_where_it_happens_to_stand() -> None:
    desk = ControlSurfaces()
    desk.fade(SCALE, 0.0, 4.0)
    assert desk.at(2)[SCALE] == 0.5
    assert desk.parameters.set(SCALE, (0.5,), "hand").status == "unchanged"
    assert desk.at(4)[SCALE] == 0.5


def test_a_message_that_is_refused_does_not_end_the_fade() -> None:
    desk = ControlSurfaces()
    desk.fade(SCALE, 0.0, 4.0)
    desk.parameters.set(SCALE, (math.nan,), "hand")
    assert desk.at(4)[SCALE] == 0.0


def test_between_chunks_a_fade_can_be_read_and_nothing_changes() -> None:
    desk = ControlSurfaces()
    assert desk.parameters.fading() == {}
    desk.fade(SCALE, 0.0, 4.0)
    desk.now_ns += SECOND
    before = desk.parameters.snapshot()
    assert desk.parameters.fading() == {SCALE: 0.75}
    assert desk.parameters.snapshot() is before
    assert before.showing(desk.parameters.fading())[SCALE] == 0.75
    assert before.showing({}) is before
    assert before[SCALE] == 1.0


def test_a_fade_takes_over_from_where_another_has_got_to() -> None:
    desk = ControlSurfaces()
    desk.fade(SCALE, 0.0, 4.0)
    desk.at(2)
    desk.fade(SCALE, 1.5, 1.0)
    assert desk.at(2.5)[SCALE] == 1.0
    assert desk.at(4)[SCALE] == 1.5


def test_a_target_out_of_range_is_clamped_like_any_value() -> None:
    desk = ControlSurfaces()
    [result] = desk.parameters.apply_bundle([Change(desk.parameters.check(SCALE, (9.0,)), "desk", Fade(2))])
    assert (result.status, result.value) == ("clamped", 1.0)
    assert desk.at(2)[SCALE] == 2.0


def test_what_cannot_glide_jumps_at_the_switch() -> None:
    desk = ControlSurfaces()
    desk.fade(PAUSE, True, 4.0, switch=0.5)
    desk.fade("/streamvace/mask_source", "alpha", 4.0, switch=1.0)
    desk.fade("/streamvace/seed", 7, 4.0, switch=0.0)
    assert desk.parameters.snapshot()["/streamvace/seed"] == 7, "switch 0 is at once"
    assert not desk.at(1.9).flag(PAUSE)
    assert desk.at(2).flag(PAUSE)
    assert desk.at(3.9)["/streamvace/mask_source"] == "none"
    assert desk.at(4)["/streamvace/mask_source"] == "alpha"


def test_everything_that_moves_is_one_version_a_chunk_and_everyone_hears_it() -> None:
    desk = ControlSurfaces()
    heard: list[tuple[int, Mapping[str, str]]] = []
    desk.parameters.listen(lambda snapshot, changed: heard.append((snapshot.version, dict(changed))))
    desk.fade(SCALE, 0.0, 4.0)
    desk.fade(NOISE, 0.0, 4.0)
    assert heard == [], "nothing has changed yet"
    desk.at(1)
    assert heard == [(1, {SCALE: FADE_WRITER, NOISE: FADE_WRITER})]
    assert desk.at(1).version == 1, "nothing moved, so nothing is new"


def test_a_prompt_ends_the_mix_unless_the_same_bundle_writes_one_and_its_writer_hears_it() -> None:
    desk = ControlSurfaces()
    heard: list[Mapping[str, str]] = []
    desk.parameters.set(PROMPTS, ("red", 0.5, "blue", 0.5), "desk")
    desk.parameters.listen(lambda snapshot, changed: heard.append(changed))
    prompt = str(desk.parameters.snapshot()[PROMPT])
    desk.parameters.set(PROMPT, (prompt,), "desk")
    assert desk.parameters.snapshot()[PROMPTS] == ()
    assert heard == [{PROMPTS: ""}]
    desk.parameters.apply_bundle(
        [
            Change(desk.parameters.check(PROMPTS, ("red", 0.5)), "desk"),
            Change(desk.parameters.check(PROMPT, ("x",)), "desk"),
        ]
    )
    assert desk.parameters.snapshot()[PROMPTS] == (("red", 0.5),)
    desk.parameters.set(PROMPT, (1.0,), "desk")
    assert desk.parameters.snapshot()[PROMPTS] == (("red", 0.5),), "a refused prompt ends nothing"


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, 3601, 10**400, True, "4", None, b"4"])
def test_a_time_that_is_none_is_refused_with_both_values(seconds: object) -> None:
    with pytest.raises(UserError, match=r"^a fade takes 0\.\.3600 seconds, got "):
        parse_fade(seconds)


def test_a_curve_nobody_knows_is_refused_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"^a curve is one of linear, ease, exponential, got 'sine'$"):
        parse_fade(2, "sine")
    assert [parse_fade(0), parse_fade(2.5, "ease"), parse_fade(3600)] == [Fade(0.0), Fade(2.5, "ease"), Fade(3600.0)]


@given(
    start=st.floats(0, 2),
    target=st.floats(0, 2),
    seconds=st.floats(0, 3600),
    curve=st.sampled_from(list(CURVES)),
    elapsed=st.floats(0, 4000),
)
def test_a_move_stays_between_its_ends_and_arrives_exactly(
    start: float, target: float, seconds: float, curve: str, elapsed: float
) -> None:
    move = Move(start, target, 0, Fade(seconds, curve))
    where = move.value(int(elapsed * SECOND))
    assert isinstance(where, float)
    assert min(start, target) - 1e-9 <= where <= max(start, target) + 1e-9
    assert move.value(int(seconds * SECOND) + 1) == target
