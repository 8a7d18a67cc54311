"""The cue file: what people write, what they get wrong, and that nothing is lost on the way."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import osc_schema
from osc_schema import Parameter, Value
from streamvace.control.cue_times import HIGHEST_NUMBER, LONGEST_S, SHORTEST_FOLLOW_S, parse_at
from streamvace.control.cues import (
    CUE_WRITER,
    LONGEST_NAME,
    Cue,
    check_name,
    dump,
    look,
    parse,
)
from streamvace.control.fades import CURVES, Fade
from streamvace.control.parameters import PROMPT, PROMPTS, Change, Parameters
from streamvace.system.errors import UserError
from tests.control.coerced import coerced

SCHEMA = osc_schema.by_address()
SCALE = "/streamvace/context_scale"


def read(*cues: dict[str, Any]) -> tuple[Cue, ...]:
    return parse(json.dumps({"version": 1, "cues": cues}), SCHEMA, "cues.json")


def test_a_cue_is_what_the_page_says() -> None:
    [cue] = read(
        {
            "name": "  neon   tunnel ",
            "note": "when the drums come in",
            "number": 2.5,
            "wait": 1.5,
            "follow": 20,
            "at": "bar 17.1",
            "fade": 4,
            "curve": "ease",
            "switch": 0.5,
            "values": {
                "prompts": [["red glass", 0.3], ["neon blue", 0.7]],
                "context_scale": 0.5,
                "mask_source": "alpha",
                "references": ["cat.png"],
                "reset": True,
            },
            "curves": {"context_scale": "exponential"},
        }
    )
    assert (cue.name, cue.note, cue.fade) == ("neon tunnel", "when the drums come in", Fade(4.0, "ease", 0.5))
    assert (cue.number, cue.wait, cue.follow, cue.at) == (2.5, 1.5, 20.0, parse_at("bar 17.1"))
    assert cue.values[PROMPTS].value == (("red glass", 0.3), ("neon blue", 0.7))
    assert cue.values["/streamvace/references"].value == ("cat.png",)
    changes = {change.coerced.address: change for change in cue.changes()}
    assert changes[SCALE] == Change(coerced({SCALE: 0.5})[SCALE], CUE_WRITER, Fade(4.0, "exponential", 0.5))
    assert changes["/streamvace/mask_source"].fade == Fade(4.0, "ease", 0.5)
    assert {change.fade.seconds for change in cue.changes(9.0) if change.fade} == {9.0}


def test_the_example_of_the_page_is_a_cue_file() -> None:
    page = (osc_schema.PATH.parent.parent / "docs" / "cues.md").read_text(encoding="utf-8")
    example = page.partition("```json\n")[2].partition("```")[0]
    assert [cue.name for cue in parse(example, SCHEMA, "cues.md")] == ["neon tunnel", "two at once", "cut"]


def test_every_value_that_a_cue_sets_is_one_that_the_parameters_take() -> None:
    parameters = Parameters()
    [cue] = read({"name": "all", "values": {"prompts": [["a", 0.5]], "context_scale": 0.25, "pause": True, "seed": 7}})
    assert {result.status for result in parameters.apply_bundle(cue.changes())} == {"set"}
    assert parameters.snapshot().texts(PROMPTS) == ("a",)


def test_a_look_is_the_picture_and_not_how_the_show_is_run() -> None:
    held = look(Parameters().snapshot(), SCHEMA)
    assert {PROMPT, PROMPTS, SCALE, "/streamvace/seed", "/streamvace/mask_source"} <= set(held)
    assert {"/streamvace/output/hue", "/streamvace/output/trail"} <= set(held)
    assert [address for address in held if "/mod/" in address] == [f"/streamvace/mod/{n}/on" for n in (1, 2, 3, 4)]


def test_a_look_has_the_modulators_that_are_on_and_switches_the_others_off() -> None:
    held = look(Parameters({"/streamvace/mod/2/on": True}).snapshot(), SCHEMA)
    assert {"/streamvace/mod/2/rate", "/streamvace/mod/2/target", "/streamvace/mod/1/on"} <= set(held)
    assert not {"/streamvace/mod/1/rate", "/streamvace/mod/2/value", "/streamvace/mod/2/fire"} & set(held)
    assert not {"/streamvace/pause", "/streamvace/hold_mode", "/streamvace/quantise", "/streamvace/reset"} & set(held)


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("no name", {}, "a cue's name is a string, got None"),
    ("an empty name", {"name": " "}, "1 to 80 printable characters"),
    ("a long name", {"name": "x" * 81}, "1 to 80 printable characters"),
    ("a name with a bell", {"name": "a\x07b"}, "1 to 80 printable characters"),
    ("a key nobody knows", {"name": "a", "fades": 1}, "unknown key 'fades'; the keys are at, curve, curves, fade"),
    ("a parameter nobody knows", {"name": "a", "values": {"contxt": 1}}, "cue 1 ('a'): there is no parameter 'contxt'"),
    ("an output", {"name": "a", "values": {"status/fps": 1}}, "there is no parameter 'status/fps'"),
    ("out of range", {"name": "a", "values": {"context_scale": 9}}, "context_scale takes one float 0..2, got 9"),
    (
        "the wrong type",
        {"name": "a", "values": {"context_scale": "much"}},
        "context_scale takes one float 0..2, got 'm",
    ),
    ("a choice that is none", {"name": "a", "values": {"prompt_blend": "curl"}}, "one of linear, slerp"),
    ("a trigger that does not fire", {"name": "a", "values": {"reset": False}}, "reset takes"),
    ("an action", {"name": "a", "values": {"cue/recall": "b"}}, "cue/recall is an action"),
    ("a list in a list", {"name": "a", "values": {"prompts": [[["x"], 1]]}}, "prompts takes up to 8 strings"),
    ("an hour and a second", {"name": "a", "fade": 3601}, "0..3600 seconds, got 3601"),
    ("no number", {"name": "a", "fade": "slow"}, "0..3600 seconds, got 'slow'"),
    ("a follow time too short to play", {"name": "a", "follow": 0.1}, "follow takes seconds 0.5..3600, got 0.1"),
    ("a follow time that is a switch", {"name": "a", "follow": True}, "follow takes seconds 0.5..3600, got "),
    ("a wait that is text", {"name": "a", "wait": "long"}, "wait takes seconds 0..3600, got 'long'"),
    ("a number that is none", {"name": "a", "number": "two"}, "a cue's number is 0..9999.999, got 'two'"),
    ("a time that is none", {"name": "a", "at": "noon"}, "timecode '01:00:00:00', got 'noon'"),
    ("a curve nobody knows", {"name": "a", "curve": "sine"}, "linear, ease, exponential, got 'sine'"),
    ("a curve for nothing", {"name": "a", "curves": {"seed": "ease"}}, "a curve for 'seed', which it does not set"),
    ("a switch beyond the end", {"name": "a", "switch": 2}, "switch is a share of the fade, 0..1, got 2"),
    ("values that are a list", {"name": "a", "values": []}, "values and curves are objects"),
    ("a note that is a number", {"name": "a", "note": 5}, "note is a string"),
]


@pytest.mark.parametrize(("cue", "said"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_mistake_is_one_line_that_names_the_cue_and_both_values(cue: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as refused:
        read(cue)
    line = str(refused.value)
    assert line.startswith("cues.json, cue 1")
    assert said in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "isn't valid JSON"),
        ("{", "isn't valid JSON"),
        ("[" * 100_000, "isn't valid JSON"),
        ("[]", "a cue file is"),
        ('{"cues": {}}', "a cue file is"),
        ('{"cues": [], "version": 2}', "version 2, this streamvace reads version 1"),
        ('{"cues": [], "looks": []}', "unknown key 'looks'"),
        ('{"cues": [1]}', "a cue is an object"),
        ('{"cues": [{"name": "a"}, {"name": "b"}, {"name": " a"}]}', "2 cues are named 'a'"),
        (
            '{"cues": [{"name": "a", "number": 2.5}, {"name": "b", "number": "2.50"}]}',
            "2 cues have the number 2.5; numbers must be unique",
        ),
        ('{"cues": [' + ",".join('{"name": "x"}' for _ in range(501)) + "]}", "501 cues; the limit is 500"),
    ],
)
def test_what_is_no_cue_file_is_said_in_one_line(text: str, said: str) -> None:
    with pytest.raises(UserError, match=r"^cues\.json") as refused:
        parse(text, SCHEMA, "cues.json")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def values_of(row: Parameter) -> st.SearchStrategy[Value]:
    letters = st.characters(codec="utf-8", exclude_characters="\0")
    texts = st.text(letters, min_size=1, max_size=min(row.max_length or 1, 30))
    by_type: dict[str, st.SearchStrategy[Any]] = {
        "float": st.floats(row.minimum or 0, row.maximum or 0),
        "int": st.integers(int(row.minimum or 0), int(row.maximum or 0)),
        "bool": st.booleans(),
        "choice": st.sampled_from(row.choices or ("",)),
        "string": texts,
        "strings": st.lists(texts, max_size=row.max_items).map(tuple),
        "weighted": st.lists(st.tuples(texts, st.floats(0, 1)), max_size=row.max_items).map(tuple),
        "trigger": st.just(True),
    }
    return by_type[row.type]


settable = [row for row in osc_schema.load() if row.access == "write" and not row.argument]
names = st.text(min_size=1, max_size=LONGEST_NAME).filter(lambda text: text.isprintable() and text.split() != [])


@st.composite
def cues(draw: st.DrawFn) -> Cue:
    rows = draw(st.lists(st.sampled_from(settable), unique=True, max_size=6))
    curved = [row.address for row in rows if row.type == "float"]
    return Cue(
        name=check_name(draw(names)),
        values=MappingProxyType(coerced({row.address: draw(values_of(row)) for row in rows})),
        fade=Fade(draw(st.floats(0, 3600)), draw(st.sampled_from(list(CURVES))), draw(st.floats(0, 1))),
        curves={address: draw(st.sampled_from(list(CURVES))) for address in curved},
        note=draw(st.text(st.characters(codec="utf-8"), max_size=40)),
        number=draw(st.none() | st.floats(0, HIGHEST_NUMBER).map(lambda number: round(number, 3))),
        wait=draw(st.floats(0, LONGEST_S)),
        follow=draw(st.none() | st.floats(SHORTEST_FOLLOW_S, LONGEST_S)),
        at=draw(st.none() | st.sampled_from([90.5, "bar 17.3", "01:00:00:12"]).map(parse_at)),
    )


@given(
    st.lists(
        cues(), max_size=5, unique_by=(lambda cue: cue.name, lambda cue: cue.name if cue.number is None else cue.number)
    )
)
def test_what_is_written_is_read_back_the_same(written: list[Cue]) -> None:
    assert parse(dump(tuple(written)), SCHEMA, "cues.json") == tuple(written)


def test_a_file_is_written_with_one_value_a_line_for_people_to_edit() -> None:
    written = dump(read({"name": "dusk \u00e4", "fade": 4, "values": {"prompts": [["a", 0.3], ["b", 0.7]], "seed": 7}}))
    assert (
        written
        == """{
  "version": 1,
  "cues": [
    {
      "name": "dusk \u00e4",
      "fade": 4.0,
      "values": {
        "prompts": [["a", 0.3], ["b", 0.7]],
        "seed": 7
      }
    }
  ]
}
"""
    )


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "values", "fade", "prompt"]), inner)
    ),
    max_leaves=20,
)


@given(anything)
def test_no_file_whatever_ends_in_anything_but_cues_or_one_line(document: object) -> None:
    for text in (
        json.dumps(document),
        json.dumps({"cues": [document]}),
        json.dumps({"cues": [{"name": "a", "values": document}]}),
    ):
        try:
            line = str(parse(text, SCHEMA, "cues.json"))
        except UserError as refused:
            line = str(refused)
        assert "\n" not in line
