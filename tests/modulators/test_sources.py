"""The sources of a modulator."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

import osc_schema
from osc_schema import Value
from streamvace.control.fades import CURVES
from streamvace.control.parameters import Parameters
from streamvace.control.transport import Moment
from streamvace.modulators.settings import LENGTHS, address, read
from streamvace.modulators.sources import SOURCES, Turns, World, level
from tests.modulators.rows import SCHEMA, STILL, settings, values


def world(now: float = 0.0, beat: Moment = STILL, ahead: float = 0.0, **heard: float) -> World:
    return World(now, beat, MappingProxyType({f"/{name}": value for name, value in heard.items()}), ahead)


def at(seconds: float, ahead: float = 0.0, beat: Moment = STILL, **given: Value) -> float:
    """The level of a modulator that was switched on at 0."""
    asked = settings(**given)
    return level(asked, Turns(0.0, 0.0, asked.rate), world(seconds, beat, ahead), ahead)


def test_the_schema_offers_what_the_code_has() -> None:
    rows = osc_schema.by_address()
    assert rows[address(1, "source")].choices == tuple(SOURCES)
    assert rows[address(1, "length")].choices == tuple(LENGTHS)
    assert rows[address(1, "curve")].choices == tuple(CURVES)


def test_an_lfo_has_its_rate_its_phase_and_is_evaluated_for_when_it_is_seen() -> None:
    assert [at(seconds, shape="saw_up", rate=0.5) for seconds in (0, 0.5, 1, 2)] == pytest.approx([0, 0.25, 0.5, 0])
    assert at(0.0, shape="saw_up", rate=0.5, phase=0.25) == 0.25
    assert at(0.5, ahead=1.0, shape="saw_up", rate=0.5) == pytest.approx(0.75)


@pytest.mark.parametrize("length", LENGTHS)
@given(beat=st.floats(0, 1000), bar=st.integers(2, 7))
def test_on_the_beat_a_cycle_has_the_length_of_its_row(length: str, beat: float, bar: int) -> None:
    rows = values(source="beat", shape="saw_up", length=length) | {"/streamvace/tempo/beats_a_bar": bar}
    found = read(Parameters(rows).snapshot(), 1, SCHEMA)
    assert found is not None
    beats, bars = LENGTHS[length]
    assert found.beats == beats + bars * bar
    here = Moment(beat, 120.0, running=True, master="set")
    assert level(found, Turns(0, 0, 1), world(beat=here), 0.0) == pytest.approx(beat / found.beats % 1.0)


def test_a_beat_is_met_on_the_beat_however_early_it_must_be_set() -> None:
    """At 120 a beat is half a second: a chunk that is seen in 0.4 s, and set at beat 3.2, is seen on beat 4."""
    here = Moment(3.2, 120.0, running=True, master="set")
    assert at(0.0, ahead=0.4, beat=here, source="beat", shape="saw_down") == pytest.approx(1.0)
    stopped = Moment(3.2, 120.0, running=False, master="midi")
    assert at(0.0, ahead=0.4, beat=stopped, source="beat", shape="saw_up") == pytest.approx(0.2)
    assert at(9.0, source="beat", shape="saw_up") == 0.0, "without a beat it stands at its beginning"


def fired(seconds: float, ahead: float, **given: Value) -> float:
    """An envelope that was fired at 0, seen `ahead` later."""
    parameters = Parameters(values(source="envelope", **given), clock=lambda: 0)
    parameters.set(address(1, "fire"), (), "desk")
    found = read(parameters.snapshot(), 1, SCHEMA)
    assert found is not None
    return level(found, Turns(0, 0, 1), world(seconds, ahead=ahead), ahead)


@pytest.mark.parametrize("ahead", [0.0, 0.7])
def test_an_envelope_runs_once_from_when_it_can_be_seen(ahead: float) -> None:
    times = (0.0, 0.25, 0.499, 0.5, 7.0)
    shown = [fired(seconds, ahead, shape="saw_down", rate=2.0) for seconds in times]
    assert shown == pytest.approx([1.0, 0.5, 0.002, 0.0, 0.0], abs=1e-6)
    assert fired(0.5, ahead, shape="saw_up", rate=2.0) == 0.0, "at its end it is over"


def test_an_envelope_that_was_never_fired_is_at_rest() -> None:
    assert at(0.0, source="envelope", shape="saw_down") == 0.0


def test_a_value_is_what_was_set_and_an_osc_message_is_put_between_its_bounds() -> None:
    assert at(3.0, source="value", value=0.3) == 0.3
    asked = settings(source="osc", osc_address="/hand", osc_low=10.0, osc_high=20.0)
    heard = [level(asked, Turns(0, 0, 1), world(hand=value), 0.0) for value in (5.0, 12.5, 30.0)]
    assert heard == [0.0, 0.25, 1.0]
    assert level(asked, Turns(0, 0, 1), world(), 0.0) == 0.0, "before the first message"
    turned = settings(source="osc", osc_address="/hand", osc_low=20.0, osc_high=10.0)
    assert level(turned, Turns(0, 0, 1), world(hand=12.5), 0.0) == 0.75
    stuck = settings(source="osc", osc_address="/hand", osc_low=1.0, osc_high=1.0)
    assert level(stuck, Turns(0, 0, 1), world(hand=1.0), 0.0) == 0.0


def test_sound_is_the_level_of_its_band_and_silence_without_any() -> None:
    asked = settings(source="sound", band="high")
    here = World(0.0, STILL, {}, 0.0, {"low": 0.2, "high": 0.7})
    assert level(asked, Turns(0, 0, 1), here, 0.0) == 0.7
    assert level(asked, Turns(0, 0, 1), world(), 0.0) == 0.0


def test_invert_comes_before_the_curve() -> None:
    assert at(0.0, source="value", value=0.25, invert=True) == 0.75
    assert at(0.0, source="value", value=0.25, curve="exponential") == pytest.approx(CURVES["exponential"](0.25))
    bent = at(0.0, source="value", value=0.25, curve="exponential", invert=True)
    assert bent == pytest.approx(CURVES["exponential"](0.75))


@given(before=st.floats(0.01, 30), after=st.floats(0.01, 30), when=st.floats(0, 1000))
def test_a_rate_that_changes_bends_the_cycles_and_never_jumps(before: float, after: float, when: float) -> None:
    turns = Turns(0.0, 0.0, before)
    assert turns.moved(when, after).when(when) == turns.when(when)
    assert turns.moved(when, after).when(when + 1) == pytest.approx(turns.when(when) + after)
