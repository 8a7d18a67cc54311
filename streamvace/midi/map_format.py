"""The format of the map file: text to rows and back. No disk access, no threads. docs/midi.md describes it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Any, Final

from osc_schema import Parameter, Value
from streamvace.control.coercion import coerce, expectation, show
from streamvace.midi.controls import Control, parse_control
from streamvace.midi.encoders import ENCODINGS
from streamvace.midi.mapping import RECALL, Mapping, Press
from streamvace.midi.shape import LOG, NAMES, Shape
from streamvace.midi.takeover import TAKEOVERS
from streamvace.system.errors import UserError

VERSION: Final = 1
MOST_MAPS: Final = 1024
PREFIX: Final = "/streamvace/"

_FILE_KEYS: Final = frozenset({"$schema", "version", "devices", "maps"})
_OPTIONS: Final = frozenset(
    {"channel", "encoder", "step", "acceleration", "press", "value", "min", "max", "invert"}
    | {"curve", "smooth", "takeover", "feedback", "touch", "note"}
)
"""Keys of a row that a device may set for all of its rows."""
_KEYS: Final = _OPTIONS | {"control", "to", "device"}
_PRESSES: Final[tuple[Press, ...]] = ("trigger", "toggle", "momentary")
_STEPPED: Final = ("float", "int", "bool", "choice")
"""Types that a control covers; all others are only set to a fixed value."""
_USUAL_ACCELERATION: Final = 1.0

CONTROLS_IN_WORDS: Final = "cc 0..127, cc14 0..31, nrpn 0..16383, note 0..127, bend or program"

Entry = Dict[str, Any]


@dataclass(frozen=True)
class MidiMap:
    """A map. entries: its rows as they stand in the file. devices: what the rows of a device have in common.
    mappings: what the rows mean, in the same order."""

    entries: tuple[Entry, ...] = ()
    devices: Dict[str, Entry] = field(default_factory=dict)
    mappings: tuple[Mapping, ...] = ()


def parse(text: str, schema: Dict[str, Parameter], where: str) -> MidiMap:
    """The map of a file. where: the file's name, for messages.

    Raises UserError for the first error: one line with the row, the key, and the received and accepted values.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} isn't valid JSON: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get("maps"), list):
        raise UserError(f'{where}: a MIDI map is {{"version": {VERSION}, "maps": [...]}}')
    _known(document, _FILE_KEYS, where)
    if document.get("version") != VERSION:
        raise UserError(f"{where}: version {show(document.get('version'))}, this program reads version {VERSION}")
    devices = document.get("devices", {})
    if not isinstance(devices, dict) or not all(isinstance(each, dict) for each in devices.values()):
        raise UserError(f"{where}: devices is an object with one object for each device, got {show(devices)}")
    for name, common in devices.items():
        _known(common, _OPTIONS, f"{where}, device {name[:60]!r}")
    return build(document["maps"], devices, schema, where)


def build(entries: list[Any], devices: Dict[str, Entry], schema: Dict[str, Parameter], where: str) -> MidiMap:
    """A map of these rows. Raises UserError as `parse` does."""
    if len(entries) > MOST_MAPS:
        raise UserError(f"{where}: {len(entries)} rows, the limit is {MOST_MAPS}")
    mappings = []
    for number, entry in enumerate(entries, 1):
        place = f"{where}, map {number}"
        if not isinstance(entry, dict):
            raise UserError(f"{place}: a row is an object with control and to, got {show(entry)}")
        _known(entry, _KEYS, place)
        try:
            mappings.append(_mapping({**devices.get(str(entry.get("device", "")), {}), **entry}, schema))
        except UserError as error:
            raise UserError(f"{place} ({str(entry.get('control'))[:20]}): {error}") from None
    return MidiMap(tuple(entries), devices, tuple(mappings))


def dump(midi_map: MidiMap) -> str:
    """The text of a map file, one row a line for people and for version control. Ends in a newline."""
    devices = _block("{", [f"{_line(name)}: {_line(common)}" for name, common in midi_map.devices.items()], "}")
    rows = _block("[", [_line(entry) for entry in midi_map.entries], "]")
    common = f'  "devices": {devices},\n' if midi_map.devices else ""
    return f'{{\n  "version": {VERSION},\n{common}  "maps": {rows}\n}}\n'


def _block(opens: str, lines: list[str], closes: str) -> str:
    joined = ",\n".join(f"    {line}" for line in lines)
    return f"{opens}\n{joined}\n  {closes}" if joined else opens + closes


def _line(part: object) -> str:
    return json.dumps(part, ensure_ascii=False)


def _mapping(entry: Entry, schema: Dict[str, Parameter]) -> Mapping:
    control, row = _control(entry, "control"), _row(entry.get("to"), schema)
    encoder = _word(entry, "encoder", tuple(ENCODINGS), "")
    value = _value(entry, row)
    press = _press(entry, row, control, value)
    if encoder and (control.kind != "cc" or press):
        raise UserError("an endless knob is a cc and has no press")
    if control.kind == "program":
        if row.address != RECALL or value is not None or press:
            recall = RECALL.removeprefix(PREFIX)
            raise UserError(f"program changes recall cues: to is {recall}, without value or press")
    elif value is None and (row.address == RECALL or not takes_control(row)):
        raise UserError(f"{row.name} takes {expectation(row)}; say which value in value")
    shape = _shape(entry, row) if row.type in _STEPPED else None
    feedback = _flag(entry, "feedback")
    return Mapping(
        row,
        control,
        device=_text(entry, "device"),
        channel=_channel(entry),
        shape=shape,
        press=press,
        value=value,
        encoder=encoder,
        step=_number(entry, "step", 0.0, 0.0, math.inf),
        acceleration=_number(entry, "acceleration", _USUAL_ACCELERATION if row.type == "float" else 0.0, 0.0, 10.0),
        smooth=_number(entry, "smooth", 0.0, 0.0, 60.0),
        takeover=_word(entry, "takeover", tuple(TAKEOVERS), "none" if feedback else "pickup"),
        feedback=feedback,
        touch=_control(entry, "touch") if "touch" in entry else None,
    )


def _control(entry: Entry, key: str) -> Control:
    given = entry.get(key)
    control = parse_control(given) if isinstance(given, str) else None
    if control is None:
        raise UserError(f"{key} is {CONTROLS_IN_WORDS}, got {show(given)}")
    return control


def _row(given: Any, schema: Dict[str, Parameter]) -> Parameter:
    row = schema.get(full_address(given)) if isinstance(given, str) else None
    if row is None or row.access == "read":
        raise UserError(f"there is no parameter {show(given)}")
    return row


def takes_control(row: Parameter) -> bool:
    """Whether a control can steer this parameter without a fixed value."""
    return row.type in _STEPPED or (row.type == "trigger" and not row.argument) or row.address == RECALL


def full_address(given: str) -> str:
    """An address that may stand without `/streamvace/`."""
    return given if given.startswith("/") else PREFIX + given


def _value(entry: Entry, row: Parameter) -> Value | None:
    if "value" not in entry:
        return None
    given = entry["value"]
    coerced = coerce(row, (tuple(given) if isinstance(given, list) else given,))
    if coerced.status != "set" or coerced.value is None:
        raise UserError(f"value of {row.name} takes {expectation(row)}, got {show(given)}")
    return coerced.value


def _press(entry: Entry, row: Parameter, control: Control, value: Value | None) -> Press:
    """A row of a note, and one with a value, is pressed even if it does not say so."""
    presses = value is not None or row.type == "trigger" or control.kind == "note"
    usual = "momentary"
    if value is not None or row.type == "trigger":
        usual = "trigger"
    elif row.type == "bool":
        usual = "toggle"
    given = _word(entry, "press", _PRESSES, usual if presses and control.kind != "program" else "")
    if given != "trigger" and given and (value is not None or row.type not in _STEPPED):
        raise UserError(f"{row.name} with a fixed value or an action has press trigger, got {given}")
    if given == "trigger" and value is None and row.type != "trigger":
        raise UserError(f"press trigger sends a value; say which value of {row.name} in value")
    return next((known for known in _PRESSES if known == given), "")


def _shape(entry: Entry, row: Parameter) -> Shape:
    low, high = _end(entry, "min", row, 0.0), _end(entry, "max", row, 1.0)
    if _flag(entry, "invert"):
        low, high = high, low
    usual = LOG if row.scale == LOG and min(low, high) > 0 else "linear"
    curve = _word(entry, "curve", NAMES, usual)
    if curve == LOG and min(low, high) <= 0:
        raise UserError(f"curve log needs a range above 0, got {low:g} to {high:g}")
    return Shape(row, low, high, curve)


def _end(entry: Entry, key: str, row: Parameter, share: float) -> float:
    """An end of the range: a number of the parameter's own range, or a choice."""
    bottom, top = (row.minimum or 0.0, row.maximum or 0.0) if row.type in ("float", "int") else (0.0, 1.0)
    if row.type == "choice":
        top = len(row.choices) - 1
        given = entry.get(key, row.choices[round(share * top)])
        if given not in row.choices:
            raise UserError(f"{key} of {row.name} is one of {', '.join(row.choices)}, got {show(given)}")
        return float(row.choices.index(given))
    found = _number(entry, key, bottom + share * (top - bottom), bottom, top)
    if row.type != "float" and found != int(found):
        raise UserError(f"{key} of {row.name} is a whole number, got {found:g}")
    return found


def _channel(entry: Entry) -> int:
    given = entry.get("channel", 0)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= 16:
        raise UserError(f"channel is 1..16, or 0 for every one, got {show(given)}")
    return given


def _number(entry: Entry, key: str, usual: float, low: float, high: float) -> float:
    given = entry.get(key, usual)
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not low <= given <= high:
        raise UserError(f"{key} is a number {low:g}..{high:g}, got {show(given)}")
    return float(given)


def _flag(entry: Entry, key: str) -> bool:
    given = entry.get(key, False)
    if not isinstance(given, bool):
        raise UserError(f"{key} is true or false, got {show(given)}")
    return given


def _text(entry: Entry, key: str) -> str:
    given = entry.get(key, "")
    if not isinstance(given, str):
        raise UserError(f"{key} is a text, got {show(given)}")
    return given


def _word(entry: Entry, key: str, words: tuple[str, ...], usual: str) -> str:
    given = entry.get(key, usual)
    if given != usual and given not in words:
        raise UserError(f"{key} is one of {', '.join(words)}, got {show(given)}")
    return str(given)


def _known(entry: Entry, known: frozenset[str], where: str) -> None:
    unknown = sorted(set(entry) - known)
    if unknown:
        raise UserError(f"{where}: unknown key {unknown[0][:60]!r}; the keys are {', '.join(sorted(known))}")
