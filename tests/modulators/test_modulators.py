"""The modulators of a show, on a virtual clock."""

from __future__ import annotations

import math

import pytest

from osc_schema import Value
from streamvace.control.fades import Fade
from streamvace.control.parameters import Change, Parameters
from streamvace.control.transport import Moment
from streamvace.modulators.modulators import Modulators
from streamvace.modulators.settings import address
from tests.modulators.rows import SCHEMA, STILL, values

HUE, SCALE, ZOOM = "/streamvace/output/hue", "/streamvace/context_scale", "/streamvace/output/zoom"


class Rig:
    """Parameters and their modulators on one clock."""

    def __init__(self, ahead: float = 0.0, **given: Value) -> None:
        self.seconds = 0.0
        self.beat = STILL
        self.parameters = Parameters(clock=self.clock)
        self.modulators = Modulators(SCHEMA, lambda: self.beat, self.clock)
        self.parameters.listen(lambda snapshot, changed: self.refused.update(self.modulators.follow(snapshot)))
        self.refused: dict[int, Exception] = {}
        self.output = self.modulators.lane("next_tick")
        self.generator = self.modulators.lane("next_chunk", lambda: ahead)
        if given:
            self.set(**given)

    def clock(self) -> int:
        return round(self.seconds * 1e9)

    def set(self, number: int = 1, **given: Value) -> None:
        checked = [self.parameters.check(at, (value,)) for at, value in values(number, **given).items()]
        assert all(each.value is not None for each in checked), checked
        self.parameters.apply_bundle([Change(each, "desk") for each in checked])

    def tick(self, target: str, seconds: float) -> float:
        self.seconds = seconds
        return self.output(self.parameters.snapshot()).number(target)

    def chunk(self, target: str, seconds: float) -> float:
        self.seconds = seconds
        return self.generator(self.parameters.advance()).number(target)


def test_with_none_on_a_snapshot_passes_and_nothing_is_live() -> None:
    rig = Rig()
    snapshot = rig.parameters.snapshot()
    assert rig.output(snapshot) is snapshot
    assert rig.generator(snapshot) is snapshot
    assert rig.modulators.live() == {}
    assert rig.modulators.figures() == {"mod_1": 0.0, "mod_2": 0.0, "mod_3": 0.0, "mod_4": 0.0}


def test_it_adds_to_the_base_and_the_base_stays_what_was_written() -> None:
    rig = Rig(target="output/hue", shape="saw_up", rate=1.0, low=0.0, high=0.5)
    assert [rig.tick(HUE, seconds) for seconds in (0, 0.25, 0.5)] == pytest.approx([0.0, 45.0, 90.0])
    rig.parameters.set(HUE, (30.0,), "fader")
    assert rig.tick(HUE, 0.5) == pytest.approx(120.0)
    assert rig.parameters.snapshot()[HUE] == 30.0
    assert rig.modulators.live() == {HUE: pytest.approx(120.0)}
    assert rig.modulators.figures()["mod_1"] == pytest.approx(120.0)


def test_a_fade_moves_the_base_beneath_it() -> None:
    rig = Rig(target="context_scale", source="value", value=1.0, high=0.25)
    rig.parameters.apply_bundle([Change(rig.parameters.check(SCALE, (0.0,)), "cue", Fade(4.0))])
    assert [rig.chunk(SCALE, seconds) for seconds in (0.0, 2.0, 4.0)] == pytest.approx([1.5, 1.0, 0.5])
    assert rig.parameters.snapshot()[SCALE] == 0.0


def test_the_generator_gets_the_value_of_the_moment_at_which_its_picture_is_seen() -> None:
    rig = Rig(ahead=0.75, target="context_scale", shape="saw_up", rate=1.0, low=-0.5, high=0.5)
    assert rig.chunk(SCALE, 0.0) == pytest.approx(1.5)
    rig.set(2, target="output/hue", shape="saw_up", rate=1.0, high=0.5)
    assert rig.tick(HUE, 0.5) == pytest.approx(45 * 2 * 0.5 * 2), "at the output at once, in the generator ahead"


def test_a_target_is_moved_only_where_it_is_read() -> None:
    rig = Rig(target="output/hue", source="value", value=1.0, high=0.5)
    assert rig.chunk(HUE, 0.0) == 0.0
    assert rig.tick(HUE, 0.0) == 90.0 * 2


def test_two_on_one_target_add_up_within_its_limits() -> None:
    rig = Rig(target="output/hue", source="value", value=1.0, high=0.25)
    rig.set(2, target="/streamvace/output/hue", source="value", value=0.5, high=0.25)
    assert rig.tick(HUE, 0.0) == pytest.approx(90 + 45)
    rig.set(3, target="output/hue", source="value", value=1.0, high=1.0)
    assert rig.tick(HUE, 0.0) == 180.0


def test_a_beat_lands_on_the_beat_in_the_generator_and_at_the_output() -> None:
    """At 120, with a lead of 0.8 s: the chunk set at 0.2 s is seen at 1.0 s, on beat 2."""
    rig = Rig(ahead=0.8, source="beat", shape="decay", target="context_scale", high=0.5)
    rig.beat = Moment(0.4, 120.0, running=True, master="set")
    assert rig.chunk(SCALE, 0.2) == pytest.approx(2.0)
    rig.set(target="output/hue")
    rig.beat = Moment(2.0, 120.0, running=True, master="set")
    assert rig.tick(HUE, 1.0) == pytest.approx(180.0)


def test_cycles_begin_when_it_is_switched_on_and_a_new_rate_does_not_jump() -> None:
    rig = Rig()
    rig.seconds = 7.3
    rig.set(target="output/hue", shape="saw_up", rate=0.5, high=0.5)
    assert rig.tick(HUE, 7.3) == 0.0
    assert rig.tick(HUE, 8.3) == pytest.approx(90.0)
    rig.set(rate=0.05)
    assert rig.tick(HUE, 8.3) == pytest.approx(90.0)
    assert rig.tick(HUE, 9.3) == pytest.approx(99.0)
    rig.set(on=False)
    assert rig.tick(HUE, 9.4) == 0.0
    rig.set(on=True)
    assert rig.tick(HUE, 9.4) == 0.0


def test_attack_and_release_round_it_off() -> None:
    rig = Rig(target="output/hue", source="value", value=0.0, high=0.5, attack=1.0, release=2.0)
    rig.tick(HUE, 0.0)
    rig.set(value=1.0)
    assert rig.tick(HUE, 0.5) == pytest.approx(90.0)
    rig.set(value=0.0)
    assert rig.tick(HUE, 1.0) == pytest.approx(45.0)


def test_only_messages_that_a_modulator_listens_to_are_taken() -> None:
    rig = Rig(target="output/hue", source="osc", osc_address="/hand/x", high=0.5)
    assert not rig.modulators.hear("/hand/y", (1.0,))
    assert rig.modulators.hear("/hand/x", ("left", 0.5, 1.0)), "its first number counts"
    assert rig.tick(HUE, 0.0) == pytest.approx(90.0)
    for nothing in ((), ("left",), (math.nan,), (math.inf,)):
        assert rig.modulators.hear("/hand/x", nothing)
        assert rig.tick(HUE, 0.0) == pytest.approx(90.0)
    rig.set(osc_address="/hand/y")
    assert not rig.modulators.hear("/hand/x", (1.0,))
    assert rig.tick(HUE, 0.0) == 0.0


def test_a_target_that_cannot_move_is_refused_and_the_others_go_on() -> None:
    rig = Rig(target="output/hue", source="value", value=1.0, high=0.5)
    rig.set(2, target=f"{address(2, 'high')}")
    assert list(rig.refused) == [2]
    assert "a modulator moves no modulator" in str(rig.refused[2])
    assert rig.tick(HUE, 0.0) == 180.0


def test_a_reader_that_asks_all_the_time_gets_a_value_that_holds_for_its_period() -> None:
    rig = Rig(target="context_scale", shape="saw_up", rate=1.0, low=-0.5, high=0.5)
    lane = rig.modulators.lane("next_chunk", period_s=0.1)

    def read(seconds: float) -> float:
        rig.seconds = seconds
        return lane(rig.parameters.snapshot()).number(SCALE)

    assert [read(seconds) for seconds in (0.25, 0.3, 0.36)] == pytest.approx([0.5, 0.5, 0.72])
    rig.parameters.set(SCALE, (0.5,), "fader")
    assert read(0.37) == pytest.approx(0.22), "the base is always that of now"
    rig.set(invert=True)
    assert read(0.37) == pytest.approx(0.5 + 2 * (0.63 - 0.5)), "and a new setting counts at once"


def test_the_same_show_gives_the_same_random_values() -> None:
    shown = []
    for _ in range(2):
        rig = Rig(target="output/hue", shape="random_smooth", rate=3.0, low=-0.5, high=0.5)
        shown.append([rig.tick(HUE, tick / 30) for tick in range(60)])
    assert shown[0] == shown[1]
    assert len(set(shown[0])) == 60
