"""The format of the cue file: text to cues and back. No disk access, no threads. docs/cues.md describes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

import osc_schema
from osc_schema import Parameter
from streamvace.control.coercion import Coerced, coerce, expectation, show
from streamvace.control.cue_times import At, check_follow, check_number, check_wait, parse_at, plain
from streamvace.control.fades import Fade, parse_fade
from streamvace.control.parameters import Change, Snapshot
from streamvace.system.errors import UserError

VERSION: Final = 1
MOST_CUES: Final = 500
LONGEST_NAME: Final = 80
LONGEST_NOTE: Final = 2000

CUE_WRITER: Final = "cue"
"""The writer of a cue's values. It is no subscriber, so the controller that recalled the cue gets feedback too."""

Checked = TypeVar("Checked")

_CUT: Final = Fade(0.0)
_PREFIX: Final = "/streamvace/"
_CUE_KEYS: Final = frozenset(
    {"name", "number", "note", "wait", "fade", "curve", "switch", "follow", "at", "values", "curves", "picture"}
)
_PICTURE: Final = re.compile(r"[0-9a-f]{16}")
_FILE_KEYS: Final = frozenset({"$schema", "version", "cues"})


@dataclass(frozen=True)
class Cue:
    """One look.

    values: what it sets, by address; a trigger's value is True. Parameters without a value stay unchanged.
    fade: of every value. curves: by address, the curve of a float where it differs. picture: of the look when it was
    stored, 16 hexadecimal digits that name its file, or empty. number: by which it can be recalled. wait: seconds from
    the recall until the fade begins. follow: seconds from then until the next cue comes by itself; None: it waits for
    Go. at: when the cue itself comes without a Go.
    """

    name: str
    values: Mapping[str, Coerced]
    fade: Fade = _CUT
    curves: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    picture: str = ""
    number: float | None = None
    wait: float = 0.0
    follow: float | None = None
    at: At | None = None

    def changes(self, seconds: float | None = None) -> tuple[Change, ...]:
        """What a recall sets, to be applied in one bundle. seconds: overrides the fade time."""
        fade = self.fade if seconds is None else replace(self.fade, seconds=seconds)
        return tuple(
            Change(coerced, CUE_WRITER, replace(fade, curve=self.curves[address]) if address in self.curves else fade)
            for address, coerced in self.values.items()
        )


def look(snapshot: Snapshot, schema: Mapping[str, Parameter]) -> dict[str, Coerced]:
    """The values of a stored cue: every parameter that shapes the picture; of a modulator that is off only that it is.
    Others can be added in the file."""
    carried = osc_schema.carried(snapshot.values)
    return {address: snapshot.held(address) for address in carried if schema[address].shapes_picture}


def with_value(cue: Cue, key: str, given: tuple[object, ...], schema: Mapping[str, Parameter]) -> Cue:
    """The cue with another value. key: an address, which may stand without `/streamvace/`. given: the arguments of a
    message; none: the cue leaves the parameter alone. Raises UserError, as for a file: a value must be in range."""
    name = key.removeprefix(_PREFIX)
    address = _PREFIX + name
    values, curves = dict(cue.values), dict(cue.curves)
    if given:
        values[address] = _coerced(name, given, schema)
    elif values.pop(address, None) is None:
        raise UserError(f"the cue {cue.name!r} does not set {name[:60]!r}")
    else:
        curves.pop(address, None)
    return replace(cue, values=MappingProxyType(values), curves=MappingProxyType(curves))


def parse(text: str, schema: Mapping[str, Parameter], where: str) -> tuple[Cue, ...]:
    """The cues of a file, in order. where: the file's name, for messages.

    Raises UserError for the first error: one line with the cue, the key, and the received and accepted values.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} isn't valid JSON: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get("cues"), list):
        raise UserError(f'{where}: a cue file is {{"version": {VERSION}, "cues": [...]}}')
    _known(document, _FILE_KEYS, where)
    if document.get("version", VERSION) != VERSION:
        raise UserError(f"{where}: version {document['version']!r:.20}, this streamvace reads version {VERSION}")
    if len(document["cues"]) > MOST_CUES:
        raise UserError(f"{where}: {len(document['cues'])} cues; the limit is {MOST_CUES}")
    cues = tuple(_cue(entry, schema, f"{where}, cue {number}") for number, entry in enumerate(document["cues"], 1))
    names = [cue.name for cue in cues]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{where}: {names.count(name)} cues are named {name!r}; names must be unique")
    numbers = [cue.number for cue in cues if cue.number is not None]
    for number in numbers:
        if numbers.count(number) > 1:
            raise UserError(f"{where}: {numbers.count(number)} cues have the number {number:g}; numbers must be unique")
    return cues


def dump(cues: tuple[Cue, ...]) -> str:
    """The text of a cue file, one value a line for people and for version control. Ends in a newline."""
    parts = [_lines(_entry(cue), "    ") for cue in cues]
    listed = "[\n" + ",\n".join(f"    {part}" for part in parts) + "\n  ]" if parts else "[]"
    return f'{{\n  "version": {VERSION},\n  "cues": {listed}\n}}\n'


def check_name(name: object) -> str:
    """A cue's name, with its spaces normalised. Raises UserError."""
    if not isinstance(name, str):
        raise UserError(f"a cue's name is a string, got {show(name)}")
    kept = " ".join(name.split())
    if not 1 <= len(kept) <= LONGEST_NAME or not kept.isprintable():
        raise UserError(f"a cue's name has 1 to {LONGEST_NAME} printable characters, got {show(name)}")
    return kept


def _cue(entry: Any, schema: Mapping[str, Parameter], where: str) -> Cue:
    if not isinstance(entry, dict):
        raise UserError(f"{where}: a cue is an object with a name and values, got {show(entry)}")
    with _located(where):
        name = check_name(entry.get("name"))
    where = f"{where} ({name!r})"
    _known(entry, _CUE_KEYS, where)
    values, curves, note = entry.get("values", {}), entry.get("curves", {}), entry.get("note", "")
    if not isinstance(values, dict) or not isinstance(curves, dict):
        raise UserError(f"{where}: values and curves are objects, got {show(values)} and {show(curves)}")
    if not isinstance(note, str) or len(note) > LONGEST_NOTE:
        raise UserError(f"{where}: note is a string of at most {LONGEST_NOTE} characters, got {show(note)}")
    with _located(where):
        fade = parse_fade(entry.get("fade", 0.0), entry.get("curve", "linear"))
    switch = entry.get("switch", 0.0)
    if isinstance(switch, bool) or not isinstance(switch, (int, float)) or not 0 <= switch <= 1:
        raise UserError(f"{where}: switch is a share of the fade, 0..1, got {show(switch)}")
    held = {_PREFIX + key: _value(key, value, schema, where) for key, value in values.items()}
    picture = entry.get("picture", "")
    if picture and not (isinstance(picture, str) and _PICTURE.fullmatch(picture)):
        raise UserError(f"{where}: picture names a file by 16 hexadecimal digits, got {show(picture)}")
    return Cue(
        name=name,
        values=MappingProxyType(held),
        fade=replace(fade, switch=float(switch)),
        curves=MappingProxyType({_PREFIX + key: _curve(key, row, values, where) for key, row in curves.items()}),
        note=note,
        picture=picture,
        number=_checked(entry, "number", check_number, where),
        wait=_checked(entry, "wait", check_wait, where) or 0.0,
        follow=_checked(entry, "follow", check_follow, where),
        at=_checked(entry, "at", parse_at, where),
    )


def _checked(entry: Mapping[str, Any], key: str, check: Callable[[object], Checked], where: str) -> Checked | None:
    """A value that may be missing or null."""
    with _located(where):
        return None if entry.get(key) is None else check(entry[key])


def _value(key: str, value: Any, schema: Mapping[str, Parameter], where: str) -> Coerced:
    with _located(where):
        return _coerced(key, (_tuples(value),), schema)


def _coerced(key: str, given: tuple[object, ...], schema: Mapping[str, Parameter]) -> Coerced:
    """A coerced value. Unlike in a live message, it must be in range."""
    row = schema.get(_PREFIX + key)
    if row is None or row.access == "read":
        raise UserError(f"there is no parameter {key[:60]!r}")
    if row.argument:
        raise UserError(f"{key} is an action with a value; set the parameter it changes instead")
    coerced = coerce(row, given)
    if coerced.status != "set" or coerced.value is None:
        raise UserError(f"{key} takes {expectation(row)}, got {show(given[0] if len(given) == 1 else given)}")
    return coerced


def _curve(key: str, curve: Any, values: Mapping[str, Any], where: str) -> str:
    if key not in values:
        raise UserError(f"{where}: a curve for {key[:60]!r}, which it does not set")
    with _located(f"{where}: {key}"):
        return parse_fade(0, curve).curve


def _entry(cue: Cue) -> dict[str, object]:
    entry: dict[str, object] = {"name": cue.name}
    if cue.number is not None:
        entry["number"] = plain(cue.number)
    if cue.note:
        entry["note"] = cue.note
    entry["fade"] = cue.fade.seconds
    if cue.fade.curve != _CUT.curve:
        entry["curve"] = cue.fade.curve
    if cue.fade.switch:
        entry["switch"] = cue.fade.switch
    if cue.wait:
        entry["wait"] = cue.wait
    if cue.follow is not None:
        entry["follow"] = cue.follow
    if cue.at is not None:
        entry["at"] = cue.at.written()
    entry["values"] = {address.removeprefix(_PREFIX): coerced.value for address, coerced in cue.values.items()}
    if cue.curves:
        entry["curves"] = {address.removeprefix(_PREFIX): curve for address, curve in cue.curves.items()}
    if cue.picture:
        entry["picture"] = cue.picture
    return entry


def _lines(entry: Mapping[str, object], margin: str) -> str:
    """An object as JSON, one line for each key, however long its value. Objects in it are written the same way."""
    values = (
        _lines(value, margin + "  ") if isinstance(value, dict) and value else json.dumps(value, ensure_ascii=False)
        for value in entry.values()
    )
    pairs = ",\n".join(f"{margin}  {json.dumps(key)}: {value}" for key, value in zip(entry, values, strict=True))
    return f"{{\n{pairs}\n{margin}}}"


def _known(entry: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    unknown = sorted(set(entry) - known)
    if unknown:
        raise UserError(f"{where}: unknown key {unknown[0][:60]!r}; the keys are {', '.join(sorted(known))}")


@contextmanager
def _located(where: str) -> Iterator[None]:
    """Put the place in the file in front of an error."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def _tuples(value: Any) -> object:
    """Lists as tuples, down to the pairs of a list of pairs."""
    if not isinstance(value, list):
        return value
    return tuple(tuple(item) if isinstance(item, list) else item for item in value)
