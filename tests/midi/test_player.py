"""What controls do to parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osc_schema import Value
from streamvace.midi.controls import Controls
from streamvace.midi.messages import Parser
from streamvace.midi.player import MOST_PRESSES, Player
from tests.midi.rows import SCHEMA, mapped

LEVEL, COUNT, KIND, ON = "/streamvace/level", "/streamvace/count", "/streamvace/kind", "/streamvace/on"


@dataclass
class Table:
    """A map, one device, and the parameters that hold what is sent."""

    entries: tuple[dict[str, Any], ...]
    pairs: frozenset[int] = frozenset()
    held: dict[str, Value] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.held = {address: each.default for address, each in SCHEMA.items() if each.default is not None}
        self.player = Player(mapped(*self.entries), self.held.__getitem__, lambda: ("one", "two"), self.lines.append)
        self.controls, self.parser = Controls(self.pairs), Parser()

    def play(self, *data: int, when: float = 0.0, device: str = "Keys 1", port: int = 0) -> list[tuple[Any, ...]]:
        """Bytes in; what is sent, which the parameters then hold."""
        for message in self.parser.feed(bytes(data)):
            for event in self.controls.take(when, message):
                self.player.take(port, device, when, event)
        return self.after(when)

    def after(self, when: float) -> list[tuple[Any, ...]]:
        sent = self.player.due(when)
        self.held.update({address: each[0] for address, each in sent if address in self.held})  # type: ignore[misc]
        return [(address.removeprefix("/streamvace/"), *arguments) for address, arguments in sent]

    def others(self, address: str, value: Value) -> None:
        self.held[address] = value
        self.player.others_moved(address)


def test_a_fader_covers_its_range_and_only_the_newest_position_is_sent() -> None:
    table = Table(({"control": "cc 7", "to": "level", "takeover": "none"},))
    assert table.play(0xB0, 7, 0, 7, 64, 7, 127) == [("level", 2.0)]
    assert table.play(0xB0, 8, 5) == []


def test_fourteen_bits_give_finer_values() -> None:
    table = Table(({"control": "cc14 7", "to": "level", "takeover": "none"},), frozenset({7}))
    assert table.play(0xB0, 7, 64, 39, 1) == [("level", pytest.approx(2 * (64 << 7 | 1) / 16383))]


def test_a_row_hears_its_device_and_channel_only() -> None:
    table = Table(({"device": "keys", "channel": 2, "control": "cc 7", "to": "level", "takeover": "none"},))
    assert table.play(0xB0, 7, 1) == []
    assert table.play(0xB1, 7, 1, device="Pads") == []
    assert table.play(0xB1, 7, 127, device="My KEYS 20:0") == [("level", 2.0)]


def test_one_control_may_move_two_parameters() -> None:
    table = Table(tuple({"control": "cc 7", "to": name, "takeover": "none"} for name in ("level", "count")))
    assert table.play(0xB0, 7, 127) == [("level", 2.0), ("count", 4)]


def test_a_fader_picks_up_what_something_else_has_moved() -> None:
    table = Table(({"control": "cc 7", "to": "level"},))
    table.held[LEVEL] = 0.0
    assert table.play(0xB0, 7, 64) == []
    assert table.play(0xB0, 7, 0, 7, 32, when=1.0) == [("level", pytest.approx(64 / 127))]
    table.others(LEVEL, 1.9)
    assert table.play(0xB0, 7, 33, when=2.0) == []
    assert table.play(0xB0, 7, 127, when=3.0) == [("level", 2.0)]


def test_anywhere_in_the_band_of_a_choice_picks_it_up() -> None:
    table = Table(({"control": "cc 7", "to": "kind"},))
    assert table.play(0xB0, 7, 80) == [], "it holds that choice already"
    assert table.play(0xB0, 7, 127, when=1.0) == [("kind", "c")]


def test_a_note_toggles_a_switch_with_every_press() -> None:
    table = Table(({"control": "note 60", "to": "on"},))
    assert [table.play(*data) for data in ((0x90, 60, 9), (0x90, 60, 0), (0x90, 60, 9), (0x80, 60, 0))] == [
        [("on", True)],
        [],
        [("on", False)],
        [],
    ]
    assert table.play(0x90, 60, 1, 60, 9) == [("on", False)], "a pad without releases was pressed twice"


def test_a_note_holds_a_value_while_it_is_held() -> None:
    table = Table(({"control": "note 60", "to": "level", "min": 0.5, "max": 1.5},))
    assert table.play(0x90, 60, 100) == [("level", 1.5)]
    assert table.play(0x90, 60, 0) == [("level", 0.5)]


def test_a_button_of_a_controller_toggles_though_it_may_send_no_release() -> None:
    table = Table(({"control": "cc 20", "to": "on", "press": "toggle"},))
    assert [table.play(0xB0, 20, value) for value in (127, 0, 127, 127)] == [
        [("on", True)],
        [],
        [("on", False)],
        [("on", True)],
    ]


def test_presses_act_and_send_what_the_row_says() -> None:
    table = Table(
        (
            {"control": "note 1", "to": "go"},
            {"control": "note 2", "to": "text", "value": "red glass"},
            {"control": "note 3", "to": "cue/recall", "value": "two"},
            {"control": "note 4", "to": "count", "value": 4},
        )
    )
    assert table.play(0x90, 1, 9, 1, 0, 2, 9, 3, 9, 4, 9) == [
        ("go",),
        ("text", "red glass"),
        ("cue/recall", "two"),
        ("count", 4),
    ]


def test_a_fader_that_passes_its_middle_is_one_press() -> None:
    table = Table(({"control": "cc 7", "to": "go"},))
    assert [table.play(0xB0, 7, value) for value in (60, 64, 70, 127, 10, 90)] == [[], [("go",)], [], [], [], [("go",)]]


def test_program_n_recalls_cue_n_and_a_cue_that_is_not_there_is_said() -> None:
    table = Table(({"control": "program", "to": "cue/recall"},))
    assert table.play(0xC0, 1) == [("cue/recall", "two")]
    assert table.play(0xC0, 2) == []
    assert table.lines == ["program 3: there are 2 cues"]


@pytest.mark.parametrize(
    ("encoding", "left", "right"),
    [("signed_bit", 65, 1), ("signed_bit_2", 1, 65), ("binary_offset", 63, 65), ("twos_complement", 127, 1)],
)
def test_an_endless_knob_goes_on_from_what_the_parameter_holds(encoding: str, left: int, right: int) -> None:
    table = Table(({"control": "cc 7", "to": "level", "encoder": encoding, "step": 0.1},))
    assert table.play(0xB0, 7, right) == [("level", pytest.approx(0.6))]
    assert table.play(0xB0, 7, left, 7, left, when=1.0) == [("level", pytest.approx(0.4))]
    table.others(LEVEL, 1.9)
    assert table.play(0xB0, 7, right, 7, right, when=1.1) == [("level", 2.0)]


def test_a_step_of_an_endless_knob_is_a_choice_or_a_whole_number_further() -> None:
    table = Table(
        (
            {"control": "cc 1", "to": "kind", "encoder": "twos_complement"},
            {"control": "cc 2", "to": "count", "encoder": "twos_complement"},
            {"control": "cc 3", "to": "seed", "encoder": "twos_complement"},
            {"control": "cc 4", "to": "on", "encoder": "twos_complement"},
        )
    )
    assert table.play(0xB0, 1, 1, 2, 127, 3, 3, 4, 1) == [("kind", "c"), ("count", 2), ("seed", 10), ("on", True)]
    assert table.play(0xB0, 1, 1, 1, 1, 2, 127, when=0.1) == [("count", 1)]


def test_a_smoothed_value_glides_and_arrives() -> None:
    table = Table(({"control": "cc 7", "to": "level", "takeover": "none", "smooth": 1.0},))
    table.play(0xB0, 7, 127)
    values = [value for number in range(1, 400) for _, value in table.after(number * 0.02)]
    assert values == sorted(values)
    assert len(values) > 50
    assert values[49] == pytest.approx(2.0 - 1.5 * 0.0498, abs=0.01), "95 % of the way after the time"
    assert values[-1] == 2.0
    assert not table.player.gliding


def test_something_else_that_moves_the_parameter_ends_a_glide() -> None:
    table = Table(({"control": "cc 7", "to": "level", "takeover": "none", "smooth": 1.0},))
    table.play(0xB0, 7, 127)
    table.others(LEVEL, 0.0)
    assert table.after(0.5) == []


def test_a_flood_of_presses_is_cut_and_counted() -> None:
    table = Table(({"control": "note 1", "to": "go"},))
    assert len(table.play(0x90, *(1, 9) * (MOST_PRESSES + 5))) == MOST_PRESSES
    assert table.player.dropped == 5


@given(st.binary(max_size=200), st.lists(st.sampled_from([LEVEL, COUNT, KIND, ON]), max_size=3))
def test_any_bytes_send_only_values_that_the_parameters_take(data: bytes, moved: list[str]) -> None:
    entries = [
        {"control": f"{kind} {number}" if kind in ("cc", "note") else kind, "to": name, **more}
        for number, (name, more) in enumerate(
            [("level", {}), ("rate", {"smooth": 0.1}), ("count", {"takeover": "scale"}), ("kind", {}), ("on", {})]
        )
        for kind in ("cc", "note", "bend")
    ]
    table = Table(
        (
            *entries,
            {"control": "cc 9", "to": "level", "encoder": "signed_bit"},
            {"control": "program", "to": "cue/recall"},
        )
    )
    for address in moved:
        table.player.others_moved(address)
    for address, value in table.play(*data):
        row = SCHEMA[f"/streamvace/{address}"]
        if row.type == "choice":
            assert value in row.choices
        elif row.type in ("float", "int"):
            assert type(value) is {"float": float, "int": int}[row.type]
            assert (row.minimum or 0) <= value <= (row.maximum or 0)
