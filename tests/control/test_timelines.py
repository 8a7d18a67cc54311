"""Timelines of other programs: what becomes of their prompts, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import osc_schema
from streamvace.control.cue_times import parse_at
from streamvace.control.cues import MOST_CUES, Cue, dump, parse
from streamvace.control.fades import Fade
from streamvace.control.parameters import PROMPT, PROMPTS
from streamvace.control.timelines import added, read_timeline
from streamvace.system.errors import UserError

SCHEMA = osc_schema.by_address()


def read(document: object, rate: float | None = None, *, follow: bool = False) -> tuple[Cue, ...]:
    return read_timeline(json.dumps(document), SCHEMA, "t.json", rate, follow=follow)


def box(start: float, end: float, *parts: tuple[str, float], **more: Any) -> dict[str, Any]:
    weighted = [{"text": text, "weight": weight} for text, weight in parts]
    return {"startTime": start, "endTime": end, **({"prompts": weighted} if parts else {}), **more}


def scope(*boxes: dict[str, Any]) -> dict[str, Any]:
    return {"prompts": list(boxes), "settings": {"seed": 1}, "version": "2.1", "exportedAt": "2025-01-01T00:00:00Z"}


def test_prompts_with_times_become_cues_that_come_at_their_second() -> None:
    document = scope(
        box(12.5, 20, ("neon blue", 100), ("red glass", 25), transitionSteps=4, temporalInterpolationMethod="slerp"),
        box(0, 12.5, ("a cat", 100)),
        box(20, 30, text="as text"),
        box(20, 20, ("no length", 100)),
    )
    cues = read(document)
    assert [cue.name for cue in cues] == ["a cat", "neon blue, red glass", "as text"]
    assert [cue.at for cue in cues] == [parse_at(0), parse_at(12.5), parse_at(20)]
    assert [{address: held.value for address, held in cue.values.items()} for cue in cues] == [
        {PROMPT: "a cat"},
        {PROMPTS: (("neon blue", 1.0), ("red glass", 0.25))},
        {PROMPT: "as text"},
    ]


def test_prompts_by_frame_become_cues_at_the_seconds_of_their_rate() -> None:
    plain = {"0": "a cat", "60": "a dog", "90": "a cat"}
    assert [cue.at for cue in read(plain, 24)] == [parse_at(0), parse_at(2.5), parse_at(3.75)]
    assert [cue.at for cue in read({"prompts": plain, "fps": 30})] == [parse_at(0), parse_at(2), parse_at(3)]
    assert [cue.at for cue in read({"prompts": plain, "fps": 30}, 15)] == [parse_at(0), parse_at(4), parse_at(6)]


def test_cues_can_follow_each_other_instead() -> None:
    cues = read(scope(box(5, 9, ("a", 100)), box(10, 14, ("b", 100))), follow=True)
    assert [(cue.at, cue.follow) for cue in cues] == [(None, 5.0), (None, 4.0)]
    assert [cue.follow for cue in read({"0": "a", "24": "b"}, 24, follow=True)] == [1.0, None]
    with pytest.raises(UserError, match=r"t\.json, prompt at 0 s: follow takes seconds 0\.5\.\.3600, got 0\.1"):
        read(scope(box(0, 1, ("a", 100)), box(0.1, 1, ("b", 100))), follow=True)


def test_new_cues_come_after_the_old_ones_with_free_names_and_the_next_numbers() -> None:
    old = (Cue("a", {}, number=7.5), Cue("b", {}))
    new = read({"0": "a", "24": "a", "48": "c\nd" + "x" * 200}, 24)
    cues = added(old, new, Fade(2.0))
    assert [cue.name for cue in cues] == ["a", "b", "a (2)", "a (3)", ("c d" + "x" * 200)[:70]]
    assert [cue.number for cue in cues] == [7.5, None, 8.0, 9.0, 10.0]
    assert [cue.fade.seconds for cue in cues] == [0.0, 0.0, 2.0, 2.0, 2.0]
    assert parse(dump(cues), SCHEMA, "again") == cues
    with pytest.raises(UserError, match="2 cues and 499 new ones; the limit is 500"):
        added(old, new * 166 + new[:1], Fade(0.0))


WRONG: list[tuple[object, str]] = [
    ([], "a timeline is "),
    ({}, "no prompts"),
    ({"prompts": 4}, "got prompts 4"),
    (scope(), "no prompts"),
    ({"prompts": [1]}, "prompt 1: a prompt is an object with startTime, endTime and prompts, got 1"),
    (scope(box(-1, 2, ("a", 1))), "prompt 1: startTime is seconds 0..604800, got -1"),
    (scope(box(0, float("inf"), ("a", 1))), "prompt 1: endTime is seconds 0..604800, got inf"),
    (scope({"endTime": 1}), "prompt 1: startTime is seconds 0..604800, got None"),
    (scope(box(5, 2, ("a", 1))), "prompt 1: endTime is not before startTime 5, got 2"),
    (scope(box(0, 2)), "prompt 1: a prompt is a text, got None"),
    (scope(box(0, 2, prompts={})), "prompt 1: prompts is a list of texts with weights, got {}"),
    (scope(box(0, 2, prompts=["a"])), "prompt 1: each of prompts is an object with text and weight, got 'a'"),
    (scope(box(0, 2, ("a", 101))), "prompt 1: weight is a number 0..100, got 101"),
    (scope(box(0, 2, ("a", True))), "prompt 1: weight is a number 0..100, got True"),
    (scope(box(0, 2, *[("a", 1)] * 9)), "prompt 1: prompts takes up to 8 strings"),
    (scope(box(0, 2, ("x" * 2001, 100))), "prompt 1: prompt takes one string of at most 2000 characters, got 'xxx"),
    (scope(*[box(0, 2, ("a", 1))] * (MOST_CUES + 1)), "501 prompts; the limit is 500"),
    ({"max_f/2": "a"}, "a frame is a whole number such as \"60\", got 'max_f/2'"),
    ({"-1": "a"}, "a frame is a whole number such as \"60\", got '-1'"),
    ({"0": 5}, "frame 0: a prompt is a text, got 5"),
    ({"0": "a cat --neg blurry"}, "frame 0: a prompt is plain text, without '--neg', got 'a cat --neg blurry'"),
    ({"0": "(cat:`sin(t)`)"}, "frame 0: a prompt is plain text, without '`', got "),
    ({"9999999": "a"}, "frame 9999999: time is seconds 0..604800, got 9999999"),
]


@pytest.mark.parametrize(("document", "said"), WRONG, ids=[row[1][:40] for row in WRONG])
def test_what_is_wrong_is_one_line_with_the_place_and_both_values(document: object, said: str) -> None:
    with pytest.raises(UserError, match=r"^t\.json") as refused:
        read(document, 1.0)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_frames_need_a_rate() -> None:
    for document in ({"0": "a"}, {"fps": "a"}, {"prompts": {"0": "a"}}):
        with pytest.raises(UserError, match="its times are frames; say how many a second, such as --rate 24"):
            read(document)
    for fps in ("24", 0, 241, True):
        with pytest.raises(UserError, match=r"frames a second are 1\.\.240, got "):
            read({"prompts": {"0": "a"}, "fps": fps})


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"a":' * 100_000, "\x00"])
def test_what_is_no_json_is_said_in_one_line(text: str) -> None:
    with pytest.raises(UserError, match=r"^t\.json isn't valid JSON") as refused:
        read_timeline(text, SCHEMA, "t.json")
    assert "\n" not in str(refused.value)


keys = st.sampled_from(["prompts", "startTime", "endTime", "text", "weight", "fps", "0", "60"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=20,
)


@given(anything, st.booleans())
def test_no_file_whatever_ends_in_anything_but_cues_or_one_line(document: object, follow: bool) -> None:
    for each in (document, {"prompts": document}, {"prompts": [document]}):
        try:
            cues = added((), read(each, 24, follow=follow), Fade(0.0))
        except UserError as refused:
            cues, line = (), str(refused)
        else:
            line = ""
        assert "\n" not in line
        assert parse(dump(cues), SCHEMA, "again") == cues
