"""Messages to controls: 7 and 14 bits, NRPN, bend, notes, and what a device leaves out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.midi.controls import FINE_S, NUMBERS, Control, Controls, Event, parse_control
from streamvace.midi.messages import Parser


def events(controls: Controls, *data: int, when: float = 0.0) -> list[Event]:
    return [event for message in Parser().feed(bytes(data)) for event in controls.take(when, message)]


def test_a_controller_of_seven_bits_goes_from_0_to_1() -> None:
    found = events(Controls(), 0xB2, 7, 0, 7, 127)
    assert found == [Event(Control("cc", 7), 3, 0, 0.0), Event(Control("cc", 7), 3, 127, 1.0)]


def test_two_halves_are_one_value_of_fourteen_bits() -> None:
    found = events(Controls(frozenset({7})), 0xB0, 7, 64, 39, 1, 39, 2)
    wide = [(event.raw, event.position) for event in found if event.control.kind == "cc14"]
    assert wide == [(64 << 7 | 1, (64 << 7 | 1) / 16383), (64 << 7 | 2, (64 << 7 | 2) / 16383)]


def test_a_device_that_leaves_the_fine_half_out_is_heard_a_moment_later() -> None:
    controls = Controls(frozenset({7}))
    assert [event.control.kind for event in events(controls, 0xB0, 7, 127, when=1.0)] == ["cc"]
    assert controls.waits
    assert controls.late(1.0 + FINE_S / 2) == []
    assert controls.late(1.0 + FINE_S) == [Event(Control("cc14", 7), 1, 127 << 7, 1.0)]
    assert not controls.waits
    assert [event.control.kind for event in events(controls, 0xB0, 7, 3, 7, 4, when=2.0)] == ["cc", "cc", "cc14"]


def test_a_controller_that_the_map_reads_with_seven_bits_has_no_halves() -> None:
    assert [event.control.kind for event in events(Controls(), 0xB0, 7, 1, 39, 2)] == ["cc", "cc"]


def test_nrpn_names_a_parameter_and_its_value() -> None:
    found = events(Controls(), 0xB0, 99, 2, 98, 3, 6, 127, 38, 127, 97, 0)
    wide = [event for event in found if event.control.kind == "nrpn"]
    assert [(event.control.number, event.raw) for event in wide] == [(259, 16383), (259, 16382)]


@pytest.mark.parametrize("other", [(101, 0), (100, 0), (99, 127, 98, 127)])
def test_a_registered_parameter_or_the_end_of_one_is_no_nrpn(other: tuple[int, ...]) -> None:
    found = events(Controls(), 0xB0, 99, 0, 98, 5, *other, 6, 64, 38, 0)
    assert [event for event in found if event.control.kind == "nrpn"] == []


def test_bend_notes_and_programs() -> None:
    found = events(Controls(), 0xE0, 127, 127, 0x91, 60, 127, 60, 0, 0x81, 61, 90, 0xC0, 4, 0xA0, 1, 2)
    assert found == [
        Event(Control("bend"), 1, 16383, 1.0),
        Event(Control("note", 60), 2, 127, 1.0),
        Event(Control("note", 60), 2, 0, 0.0),
        Event(Control("note", 61), 2, 0, 0.0),
        Event(Control("program"), 1, 4, 4 / 127),
    ]


@pytest.mark.parametrize(
    "text", ["cc", "cc 128", "cc14 32", "note -1", "bend 3", "nrpn 16384", "cc 7 8", "", "x 1", "cc ²"]
)
def test_what_names_no_control_is_none(text: str) -> None:
    assert parse_control(text) is None


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_control_is_read_as_it_is_written(kind: str) -> None:
    control = Control(kind, NUMBERS[kind])  # type: ignore[arg-type, index]
    assert parse_control(str(control)) == control


@given(st.binary(max_size=300), st.frozensets(st.integers(0, 31), max_size=4))
def test_any_bytes_give_positions_from_0_to_1(data: bytes, pairs: frozenset[int]) -> None:
    controls = Controls(pairs)
    found = [*events(controls, *data), *controls.late(9.0)]
    for event in found:
        assert 0 <= event.position <= 1
        assert 1 <= event.channel <= 16
        assert 0 <= event.control.number <= NUMBERS[event.control.kind]
    assert controls.late(9.0) == []
