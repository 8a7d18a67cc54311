"""The map file: what a row means, what is refused and with which words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamvace.midi.controls import Control
from streamvace.midi.map_format import MOST_MAPS, dump, parse
from streamvace.midi.mapping import conflicts, lasting_name
from streamvace.system.errors import UserError
from tests.midi.rows import SCHEMA, mapped

WHOLE = """{
  "version": 1,
  "devices": {
    "Twister": {"feedback": true, "channel": 2}
  },
  "maps": [
    {"device": "Twister", "control": "cc 0", "to": "level", "min": 1.5, "max": 0.5},
    {"control": "note 36", "to": "go"}
  ]
}
"""


def refused(text: str) -> str:
    with pytest.raises(UserError) as caught:
        parse(text, SCHEMA, "midi.json")
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_a_file_is_written_as_it_was_read_one_row_a_line() -> None:
    found = parse(WHOLE, SCHEMA, "midi.json")
    assert dump(found) == WHOLE
    assert parse(dump(parse('{"version": 1, "maps": []}', SCHEMA, "x")), SCHEMA, "x").mappings == ()


def test_a_row_has_what_its_device_has_and_its_own_rules() -> None:
    first, second = parse(WHOLE, SCHEMA, "midi.json").mappings
    assert (first.control, first.channel, first.feedback, first.takeover) == (Control("cc", 0), 2, True, "none")
    assert first.shape is not None
    assert (first.shape.low, first.shape.high) == (1.5, 0.5)
    assert (second.press, second.device, second.channel, second.takeover) == ("trigger", "", 0, "pickup")
    (own,) = mapped({"device": "T", "control": "cc 1", "to": "level", "channel": 5}, devices={"T": {"channel": 2}})
    assert own.channel == 5


@pytest.mark.parametrize(
    ("entry", "press"),
    [
        ({"control": "note 1", "to": "on"}, "toggle"),
        ({"control": "note 1", "to": "level"}, "momentary"),
        ({"control": "note 1", "to": "text", "value": "red"}, "trigger"),
        ({"control": "cc 1", "to": "go"}, "trigger"),
        ({"control": "cc 1", "to": "on"}, ""),
        ({"control": "program", "to": "cue/recall"}, ""),
    ],
)
def test_a_button_does_what_its_parameter_is_for(entry: dict[str, Any], press: str) -> None:
    assert mapped(entry)[0].press == press


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"control": "cc 200", "to": "level"}, "control is cc 0..127, cc14 0..31"),
        ({"control": "cc 1", "to": "nothing"}, "there is no parameter 'nothing'"),
        ({"control": "cc 1", "to": "shown"}, "there is no parameter 'shown'"),
        ({"control": "cc 1", "to": "level", "max": 3}, "max is a number 0..2, got 3"),
        ({"control": "cc 1", "to": "count", "min": 1.5}, "min of count is a whole number, got 1.5"),
        ({"control": "cc 1", "to": "kind", "min": "z"}, "min of kind is one of a, b, c, got 'z'"),
        ({"control": "cc 1", "to": "level", "takeover": "soft"}, "takeover is one of none, pickup, scale, got 'soft'"),
        ({"control": "cc 1", "to": "level", "curve": "log"}, "curve log needs a range above 0, got 0 to 2"),
        ({"control": "cc 1", "to": "text"}, "say which value in value"),
        ({"control": "cc 1", "to": "cue/recall"}, "say which value in value"),
        ({"control": "cc 1", "to": "count", "value": 9}, "value of count takes one int 1..4, got 9"),
        ({"control": "note 1", "to": "level", "press": "trigger"}, "press trigger sends a value"),
        ({"control": "note 1", "to": "go", "press": "toggle"}, "has press trigger, got toggle"),
        ({"control": "program", "to": "level"}, "program changes recall cues"),
        ({"control": "note 1", "to": "level", "encoder": "signed_bit"}, "an endless knob is a cc"),
        ({"control": "cc 1", "to": "level", "channel": 17}, "channel is 1..16, or 0 for every one, got 17"),
        ({"control": "cc 1", "to": "level", "feedback": 1}, "feedback is true or false, got 1"),
        ({"control": "cc 1", "to": "level", "smooth": float("nan")}, "smooth is a number 0..60, got nan"),
        ({"control": "cc 1", "to": "level", "colour": 3}, "unknown key 'colour'"),
    ],
)
def test_a_bad_row_is_named_with_what_it_has_and_what_it_takes(entry: dict[str, Any], said: str) -> None:
    line = refused(json.dumps({"version": 1, "maps": [{"control": "cc 9", "to": "level"}, entry]}))
    assert line.startswith("midi.json, map 2")
    assert said in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "isn't valid JSON: Expecting property name enclosed in double quotes: line 1 column 2"),
        ("[]", 'a MIDI map is {"version": 1, "maps": [...]}'),
        ('{"version": 2, "maps": []}', "version 2, this program reads version 1"),
        ('{"version": 1, "maps": [], "cues": []}', "unknown key 'cues'"),
        ('{"version": 1, "maps": [3]}', "map 1: a row is an object with control and to, got 3"),
        ('{"version": 1, "maps": [], "devices": {"T": {"to": "level"}}}', "device 'T': unknown key 'to'"),
        ('{"version": 1, "maps": [], "devices": []}', "devices is an object"),
        ("[" * 100_000, "isn't valid JSON"),
    ],
)
def test_a_bad_file_is_one_line(text: str, said: str) -> None:
    assert said in refused(text)


def test_too_many_rows_are_refused() -> None:
    rows = [{"control": "cc 1", "to": "level"}] * (MOST_MAPS + 1)
    assert f"the limit is {MOST_MAPS}" in refused(json.dumps({"version": 1, "maps": rows}))


def test_rows_that_share_a_control_are_shown() -> None:
    rows = mapped(
        {"control": "cc 1", "to": "level"},
        {"device": "Keys", "channel": 3, "control": "cc 1", "to": "rate"},
        {"device": "Pads", "control": "cc 1", "to": "count"},
        {"control": "cc 33", "to": "kind"},
        {"control": "note 1", "to": "go"},
    )
    assert conflicts(rows) == {0: (1, 2), 1: (0,), 2: (0,)}
    assert conflicts(mapped({"control": "cc14 1", "to": "level"}, {"control": "cc 33", "to": "rate"})) == {
        0: (1,),
        1: (0,),
    }
    assert conflicts(mapped(*({"channel": number, "control": "cc 1", "to": "level"} for number in (1, 2)))) == {}


def test_the_numbers_at_the_end_of_a_name_are_no_part_of_it() -> None:
    assert lasting_name("Midi Fighter Twister:Midi Fighter Twister MIDI 1 20:0") == (
        "Midi Fighter Twister:Midi Fighter Twister MIDI 1"
    )
    assert lasting_name("nanoKONTROL2 1") == "nanoKONTROL2 1"
    assert lasting_name("20:0") == "20:0"
