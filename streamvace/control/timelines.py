"""Cues from the timelines of other programs. No disk access, no threads. docs/cues.md describes what is read.

Two shapes are known: prompts with a start and an end in seconds, each one text or several with weights (Daydream Scope,
version 2), and prompts by frame number (Deforum). Nothing in a file is evaluated: what is not plain text is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from osc_schema import Parameter
from streamvace.control.coercion import Coerced, coerce, expectation, show
from streamvace.control.cue_times import LONGEST_SHOW_S, At, check_follow
from streamvace.control.cues import LONGEST_NAME, MOST_CUES, Cue
from streamvace.control.fades import Fade
from streamvace.control.parameters import PROMPT, PROMPTS
from streamvace.system.errors import UserError

MOST_WEIGHT: Final = 100.0
"""The weight of a prompt that counts fully, in a timeline."""
RATES: Final = (1.0, 240.0)
"""Frames a second."""

_FRAME: Final = re.compile(r"\d{1,7}", re.ASCII)
_EXPRESSION: Final = re.compile(r"`|--neg\b")
_SHAPES: Final = 'a timeline is {"prompts": [{"startTime": 0, ...}]} or {"0": "...", "60": "..."}'


@dataclass(frozen=True)
class _Prompt:
    """values: what it sets. start, end: seconds."""

    text: str
    values: Mapping[str, Coerced]
    start: float
    end: float


def read_timeline(
    text: str, schema: Mapping[str, Parameter], where: str, rate: float | None = None, *, follow: bool = False
) -> tuple[Cue, ...]:
    """The cues of a timeline, in the order of their times. where: the file's name, for messages.

    rate: frames a second of a timeline in frames; None takes the file's own. follow: each cue follows the one before,
    instead of coming at its second of the show.

    Raises UserError for the first error: one line with the place, and the received and accepted values.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} isn't valid JSON: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise UserError(f"{where}: {_SHAPES}, got {show(document)}")
    prompts = document.get("prompts", document)
    if isinstance(prompts, list):
        found = _in_seconds(prompts, schema, where)
    elif isinstance(prompts, dict):
        found = _in_frames(prompts, schema, where, _rate(rate, document, where))
    else:
        raise UserError(f"{where}: {_SHAPES}, got prompts {show(prompts)}")
    if not found:
        raise UserError(f"{where}: no prompts; {_SHAPES}")
    found.sort(key=lambda prompt: prompt.start)
    cues = [Cue(_name(prompt.text), prompt.values, at=At("show", (prompt.start,))) for prompt in found]
    return tuple(_following(cues, found, where) if follow else cues)


def added(cues: tuple[Cue, ...], new: Sequence[Cue], fade: Fade) -> tuple[Cue, ...]:
    """The cues with new ones after them, which get this fade, free names and the numbers after the highest.

    Raises UserError if they are too many.
    """
    if len(cues) + len(new) > MOST_CUES:
        raise UserError(f"{len(cues)} cues and {len(new)} new ones; the limit is {MOST_CUES}")
    names = {cue.name for cue in cues}
    number = int(max((cue.number for cue in cues if cue.number is not None), default=0))
    found = list(cues)
    for cue in new:
        number += 1
        name = _free(cue.name, names)
        names.add(name)
        found.append(replace(cue, name=name, fade=fade, number=float(number)))
    return tuple(found)


def _in_seconds(prompts: list[Any], schema: Mapping[str, Parameter], where: str) -> list[_Prompt]:
    _limited(prompts, where)
    found = []
    for number, entry in enumerate(prompts, 1):
        place = f"{where}, prompt {number}"
        if not isinstance(entry, dict):
            raise UserError(f"{place}: a prompt is an object with startTime, endTime and prompts, got {show(entry)}")
        start, end = (_seconds(entry.get(key), key, place) for key in ("startTime", "endTime"))
        if end < start:
            raise UserError(f"{place}: endTime is not before startTime {start:g}, got {end:g}")
        if end == start:  # a box without a length, which the other program does not play either
            continue
        text, values = _values(entry, schema, place)
        found.append(_Prompt(text, values, start, end))
    return found


def _in_frames(prompts: dict[str, Any], schema: Mapping[str, Parameter], where: str, rate: float) -> list[_Prompt]:
    _limited(prompts, where)
    found = []
    for frame, text in prompts.items():
        if not _FRAME.fullmatch(frame):
            raise UserError(f'{where}: a frame is a whole number such as "60", got {show(frame)}')
        start = _seconds(int(frame) / rate, "time", f"{where}, frame {frame}")
        values = {PROMPT: _held(PROMPT, _plain(text, f"{where}, frame {frame}"), schema, f"{where}, frame {frame}")}
        found.append(_Prompt(text, MappingProxyType(values), start, start))
    return found


def _values(entry: dict[str, Any], schema: Mapping[str, Parameter], place: str) -> tuple[str, Mapping[str, Coerced]]:
    """The text of a prompt for people, and what it sets: one prompt, or a mix."""
    parts = entry.get("prompts")
    if parts is None:
        parts = [{"text": entry.get("text"), "weight": MOST_WEIGHT}]
    if not isinstance(parts, list) or not parts:
        raise UserError(f"{place}: prompts is a list of texts with weights, got {show(parts)}")
    pairs = []
    for part in parts:
        if not isinstance(part, dict):
            raise UserError(f"{place}: each of prompts is an object with text and weight, got {show(part)}")
        weight = part.get("weight", MOST_WEIGHT)
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight <= MOST_WEIGHT:
            raise UserError(f"{place}: weight is a number 0..{MOST_WEIGHT:.0f}, got {show(weight)}")
        pairs.append((_plain(part.get("text"), place), weight / MOST_WEIGHT))
    text = ", ".join(text for text, _ in pairs)
    if len(pairs) == 1:
        return text, MappingProxyType({PROMPT: _held(PROMPT, pairs[0][0], schema, place)})
    return text, MappingProxyType({PROMPTS: _held(PROMPTS, tuple(pairs), schema, place)})


def _held(address: str, value: object, schema: Mapping[str, Parameter], place: str) -> Coerced:
    row = schema[address]
    coerced = coerce(row, (value,))
    if coerced.status != "set":
        raise UserError(f"{place}: {row.name} takes {expectation(row)}, got {show(value)}")
    return coerced


def _plain(text: object, place: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise UserError(f"{place}: a prompt is a text, got {show(text)}")
    found = _EXPRESSION.search(text)
    if found is not None:
        raise UserError(f"{place}: a prompt is plain text, without {found[0]!r}, got {show(text)}")
    return text


def _seconds(given: object, key: str, place: str) -> float:
    number = isinstance(given, (int, float)) and not isinstance(given, bool)
    if not number or not 0 <= given <= LONGEST_SHOW_S:  # type: ignore[operator]  # NaN fails the comparison too
        raise UserError(f"{place}: {key} is seconds 0..{LONGEST_SHOW_S:.0f}, got {show(given)}")
    return float(given)  # type: ignore[arg-type]


def _rate(given: float | None, document: dict[str, Any], where: str) -> float:
    rate = document.get("fps") if given is None and "prompts" in document else given
    if rate is None:
        raise UserError(f"{where}: its times are frames; say how many a second, such as --rate 24")
    low, high = RATES
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not low <= rate <= high:
        raise UserError(f"{where}: frames a second are {low:g}..{high:g}, got {show(rate)}")
    return float(rate)


def _limited(prompts: Sequence[Any] | Mapping[str, Any], where: str) -> None:
    if len(prompts) > MOST_CUES:
        raise UserError(f"{where}: {len(prompts)} prompts; the limit is {MOST_CUES}")


def _following(cues: list[Cue], prompts: list[_Prompt], where: str) -> list[Cue]:
    """The cues in a chain: each follows after the time until the next start; the last one's time is its length."""
    ends = [*(prompt.start for prompt in prompts[1:]), prompts[-1].end]
    found = []
    for cue, prompt, end in zip(cues, prompts, ends, strict=True):
        try:
            seconds = check_follow(end - prompt.start) if end > prompt.start or prompt is not prompts[-1] else None
        except UserError as error:
            raise UserError(f"{where}, prompt at {prompt.start:g} s: {error}") from None
        found.append(replace(cue, at=None, follow=seconds))
    return found


def _name(text: str) -> str:
    """A text as the name of a cue: its beginning, in one line."""
    kept = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return kept[: LONGEST_NAME - 10].strip() or "prompt"


def _free(name: str, taken: set[str]) -> str:
    """The name, or with a number behind it if it is taken."""
    count = 2
    free = name
    while free in taken:
        free = f"{name} ({count})"
        count += 1
    return free
