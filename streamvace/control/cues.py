"""The cue file: named looks in JSON that people write by hand. Text to cues and back; no disk, no threads.

docs/cues.md describes the format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from osc_schema import Parameter, Value
from streamvace.control.coercion import coerce, expectation, show
from streamvace.control.fades import CURVES, Fade, refuse_fade
from streamvace.control.parameters import Change, Snapshot
from streamvace.system.errors import UserError

VERSION: Final = 1
MOST_CUES: Final = 500
LONGEST_NAME: Final = 80
LONGEST_NOTE: Final = 2000

CUE_WRITER: Final = "cue"
"""Who writes the values of a cue: nobody that feedback could leave out, so the desk that recalled it hears them too."""

_PREFIX: Final = "/streamvace/"
_CUE_KEYS: Final = frozenset({"name", "note", "fade", "curve", "switch", "values", "curves"})
_FILE_KEYS: Final = frozenset({"$schema", "version", "cues"})


@dataclass(frozen=True)
class Cue:
    """One look.

    values: by address, what it sets; triggers hold True. What it does not name stays as it is.
    fade: how the change takes its time. curves: by address, where one float takes another curve.
    """

    name: str
    values: Mapping[str, Value]
    fade: Fade = field(default_factory=lambda: Fade(0.0))
    curves: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def changes(self, seconds: float | None = None) -> tuple[Change, ...]:
        """What recalling it sets, to be applied in one bundle. seconds: instead of its own fade time."""
        taken = self.fade.seconds if seconds is None else seconds
        return tuple(
            Change(
                address, (value,), CUE_WRITER, Fade(taken, self.curves.get(address, self.fade.curve), self.fade.switch)
            )
            for address, value in self.values.items()
        )


def look(snapshot: Snapshot, schema: Mapping[str, Parameter]) -> dict[str, Value]:
    """What a stored cue holds: everything that shapes a chunk. Not how the show is run; a cue may say that by hand."""
    return {address: value for address, value in snapshot.values.items() if schema[address].applies == "next_chunk"}


def parse(text: str, schema: Mapping[str, Parameter], where: str) -> tuple[Cue, ...]:
    """The cues of a file, in order. where: the file's name, for messages.

    Raises UserError, one line with the cue, the key and both values, for the first thing that is wrong.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is no JSON: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get("cues"), list):
        raise UserError(f'{where}: a cue file is {{"version": {VERSION}, "cues": [...]}}')
    _known(document, _FILE_KEYS, where)
    if document.get("version", VERSION) != VERSION:
        raise UserError(f"{where}: version {document['version']!r:.20}, this streamvace reads version {VERSION}")
    if len(document["cues"]) > MOST_CUES:
        raise UserError(f"{where}: {len(document['cues'])} cues, at most {MOST_CUES} are taken")
    cues = tuple(_cue(entry, schema, f"{where}, cue {number}") for number, entry in enumerate(document["cues"], 1))
    names = [cue.name for cue in cues]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{where}: there are {names.count(name)} cues named {name!r}; a name is one cue's")
    return cues


def dump(cues: tuple[Cue, ...]) -> str:
    """The file that gives these cues, one value a line, for people and for version control. Ends in a newline."""
    parts = [_lines(_entry(cue), "    ") for cue in cues]
    listed = "[\n" + ",\n".join(f"    {part}" for part in parts) + "\n  ]" if parts else "[]"
    return f'{{\n  "version": {VERSION},\n  "cues": {listed}\n}}\n'


def check_name(name: object) -> str:
    """A cue's name as it is kept. Raises UserError."""
    if not isinstance(name, str):
        raise UserError(f"a cue's name is a text, got {show(name)}")
    kept = " ".join(name.split())
    if not 1 <= len(kept) <= LONGEST_NAME or not kept.isprintable():
        raise UserError(f"a cue's name has 1 to {LONGEST_NAME} letters, got {show(name)}")
    return kept


def _cue(entry: Any, schema: Mapping[str, Parameter], where: str) -> Cue:
    if not isinstance(entry, dict):
        raise UserError(f"{where}: a cue is an object with a name and values, got {show(entry)}")
    try:
        name = check_name(entry.get("name"))
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    where = f"{where} ({name!r})"
    _known(entry, _CUE_KEYS, where)
    values, curves, note = entry.get("values", {}), entry.get("curves", {}), entry.get("note", "")
    if not isinstance(values, dict) or not isinstance(curves, dict):
        raise UserError(f"{where}: values and curves are objects, got {show(values)} and {show(curves)}")
    if not isinstance(note, str) or len(note) > LONGEST_NOTE:
        raise UserError(f"{where}: note is a text of at most {LONGEST_NOTE} letters, got {show(note)}")
    seconds, curve, switch = entry.get("fade", 0.0), entry.get("curve", "linear"), entry.get("switch", 0.0)
    problem = refuse_fade(seconds, curve)
    if problem:
        raise UserError(f"{where}: {problem}")
    if isinstance(switch, bool) or not isinstance(switch, (int, float)) or not 0 <= switch <= 1:
        raise UserError(f"{where}: switch is a share of the fade, 0..1, got {show(switch)}")
    held = {_PREFIX + key: _value(key, value, schema, where) for key, value in values.items()}
    return Cue(
        name=name,
        values=MappingProxyType(held),
        fade=Fade(float(seconds), curve, float(switch)),
        curves=MappingProxyType({_PREFIX + key: _curve(key, row, values, where) for key, row in curves.items()}),
        note=note,
    )


def _value(key: str, value: Any, schema: Mapping[str, Parameter], where: str) -> Value:
    """A value in its parameter's type; unlike a live message it must be in range, for a file can be mended."""
    row = schema.get(_PREFIX + key)
    if row is None or row.access == "read":
        raise UserError(f"{where}: there is no parameter {key[:60]!r}")
    if row.argument:
        raise UserError(f"{where}: {key} is an action with a value; set the parameter that it changes")
    coerced = coerce(row, (_tuples(value),))
    if coerced.status != "set" or coerced.value is None:
        raise UserError(f"{where}: {key} takes {expectation(row)}, got {show(value)}")
    return coerced.value


def _curve(key: str, curve: Any, values: Mapping[str, Any], where: str) -> str:
    if key not in values:
        raise UserError(f"{where}: a curve for {key[:60]!r}, which it does not set")
    problem = refuse_fade(0, curve)
    if problem:
        raise UserError(f"{where}: {key}: {problem}")
    return str(curve)


def _entry(cue: Cue) -> dict[str, object]:
    entry: dict[str, object] = {"name": cue.name}
    if cue.note:
        entry["note"] = cue.note
    entry["fade"] = cue.fade.seconds
    if cue.fade.curve != next(iter(CURVES)):
        entry["curve"] = cue.fade.curve
    if cue.fade.switch:
        entry["switch"] = cue.fade.switch
    entry["values"] = {address.removeprefix(_PREFIX): value for address, value in cue.values.items()}
    if cue.curves:
        entry["curves"] = {address.removeprefix(_PREFIX): curve for address, curve in cue.curves.items()}
    return entry


def _lines(entry: Mapping[str, object], margin: str) -> str:
    """An object as JSON with a line for each key, however long its value; objects in it the same."""
    said = (
        _lines(value, margin + "  ") if isinstance(value, dict) and value else json.dumps(value, ensure_ascii=False)
        for value in entry.values()
    )
    pairs = ",\n".join(f"{margin}  {json.dumps(key)}: {value}" for key, value in zip(entry, said, strict=True))
    return f"{{\n{pairs}\n{margin}}}"


def _known(entry: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    strange = sorted(set(entry) - known)
    if strange:
        raise UserError(f"{where}: {strange[0][:60]!r} is not known here; there are {', '.join(sorted(known))}")


def _tuples(value: Any) -> object:
    """A list as values are held; no deeper than a list of pairs goes."""
    if not isinstance(value, list):
        return value
    return tuple(tuple(item) if isinstance(item, list) else item for item in value)
