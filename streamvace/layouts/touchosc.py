"""The pages as a layout of TouchOSC.

Numbers, switches and buttons send and hear by their own messages. What a message cannot say is in two scripts: cue
names, lit choices, formatted values, faders that go by doublings, the prompt mix, and the subscription.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from osc_schema import Parameter
from streamvace.layouts.flow import CAPTION
from streamvace.layouts.pages import CUES
from streamvace.layouts.parts import HEIGHT, WIDTH, Frame, Kind, Page, Part, decimals, unit_of, words
from streamvace.layouts.tosc_format import Node, Osc, Partial, Property, colour, packed

NAME: Final = "streamvace.tosc"
TABS: Final = 40
"""Height of the bar of tabs."""

_BACK: Final = "#14161a"
_UNLIT: Final = "#2a2e36"
_LIT: Final = "#d97706"
_NEXT: Final = "#5b4a2a"
_CHARACTERS: Final = 60
"""Of a text that a label shows."""

_GROUP: Final[dict[str, Property]] = {"background": False, "outline": False, "interactive": False, "grabFocus": False}
_FACE: Final[dict[str, Property]] = {"background": True, "cornerRadius": 3.0, "outline": True, "shape": 1}
_TEXT: Final[dict[str, Property]] = {
    "background": False,
    "outline": False,
    "interactive": False,
    "font": 0,
    "textClip": True,
    "textColor": colour("#f3f4f6"),
    "textAlignH": 2,
    "textAlignV": 2,
}
_MOMENTARY, _TOGGLE = 0, 2
_NORTH, _EAST = 0, 1
_LEFT, _RIGHT = 1, 3

Table = dict[str, object]


def layout(pages: Iterable[Page], reply_port: int) -> bytes:
    """The file. reply_port: the UDP port on which TouchOSC receives."""
    pages = tuple(pages)
    tabs = [_page(page) for page in pages]
    bar: dict[str, Property] = {
        "tabbar": True,
        "tabbarSize": TABS,
        "tabLabels": True,
        "tabbarDoubleTap": False,
        "textSizeOff": 16,
        "textSizeOn": 16,
        "background": True,
        "color": colour(_BACK),
        "outline": False,
        "interactive": True,
    }
    pager = Node("PAGER", "pages", Frame(0, 0, WIDTH, HEIGHT + TABS), bar, {"page": 0.0}, children=tabs)
    parts = [part for page in pages for part in page.parts]
    root = Node(
        "GROUP",
        "streamvace",
        Frame(0, 0, WIDTH, HEIGHT + TABS),
        {"background": True, "color": colour(_BACK), "outline": False, "script": _root_script(parts, reply_port)},
        children=(pager,),
    )
    return packed(root)


def _page(page: Page) -> Node:
    nodes = [node for part in page.parts for node in _DRAWN[part.kind](part)]
    look: dict[str, Property] = {
        "tabLabel": page.name,
        "tabColorOff": colour(_UNLIT),
        "tabColorOn": colour(_LIT),
        "textColorOff": colour("#cbd5e1"),
        "textColorOn": colour("#ffffff"),
        "color": colour(_BACK),
    }
    return Node("GROUP", page.name, Frame(0, TABS, WIDTH, HEIGHT), {**_GROUP, **look}, children=nodes)


def _fader(part: Part) -> Iterable[Node]:
    """A lying fader with its caption and its value on it."""
    inside = Frame(0, 0, part.frame.w, part.frame.h)
    half = part.frame.w // 2
    texts = (
        _label(f"{part.key} caption", Frame(6, 0, half + 30, part.frame.h), part.label, _LEFT),
        _label(f"{part.key} text", Frame(half + 36, 0, half - 42, part.frame.h), "", _RIGHT),
    )
    yield _strip(part, (_slider(part, inside, _EAST), *texts))


def _upright(part: Part) -> Iterable[Node]:
    """A standing fader between its value and its caption."""
    w, h = part.frame.w, part.frame.h
    texts = (
        _label(f"{part.key} text", Frame(0, 0, w, 28), "", size=15),
        _wrapped(f"{part.key} caption", Frame(0, h - 36, w, 36), part.label),
    )
    yield _strip(part, (_slider(part, Frame(0, 30, w, h - 68), _NORTH), *texts))


def _strip(part: Part, nodes: tuple[Node, ...]) -> Node:
    return Node("GROUP", f"{part.key} strip", part.frame, {**_GROUP, "color": colour(_BACK)}, children=nodes)


def _slider(part: Part, frame: Frame, orientation: int) -> Node:
    row = part.row
    assert row is not None
    low, high = row.minimum or 0.0, row.maximum or 0.0
    bent = row.scale == "log"
    constants = {"LOW": low, "HIGH": high, "BENT": bent, "FORMAT": _format(row), "TEXT": f"{part.key} text"}
    script = _constants({**constants, "ADDRESS": part.address}) + _read("fader.lua")
    sends = Partial("VALUE", "FLOAT" if row.type == "float" else "INTEGER", "x", low, high)
    start = row.default if isinstance(row.default, (int, float)) else low
    return Node(
        "FADER",
        part.key,
        frame,
        {**_FACE, "color": colour(part.colour), "orientation": orientation, "bar": True, "cursor": True, "grid": False}
        | {"response": 1, "responseFactor": 100, "script": script},
        {"x": _share(float(start), low, high)},
        () if bent else (Osc(_path(part.address), (sends,), hears=True),),
    )


def _switch(part: Part) -> Iterable[Node]:
    message = Osc(_path(part.address), (Partial("VALUE", "BOOLEAN", "x"),), hears=True)
    yield _button(part.key, part.frame, part.colour, message, _TOGGLE)
    yield _wrapped(f"{part.key} caption", part.frame, part.label)


def _press(part: Part) -> Iterable[Node]:
    message = Osc(_path(part.address), (Partial("CONSTANT", "INTEGER", "1"),), "RISE")
    yield _button(part.key, part.frame, part.colour, message)
    yield _wrapped(f"{part.key} caption", part.frame, part.label, 28 if part.frame.h > 100 else 14)


def _choice(part: Part) -> Iterable[Node]:
    """A button for each value. The script lights the one that the show holds; until then it is the default, because a
    sync leaves out modulators that are off."""
    x, y, w, _ = part.frame
    yield _label(f"{part.key} caption", Frame(x, y, w, CAPTION), part.label, _LEFT, 12)
    for choice, frame in choice_frames(part):
        message = Osc(_path(part.address), (Partial("CONSTANT", "STRING", choice),), "RISE")
        lit = part.row is not None and choice == part.row.default
        yield _button(_lamp(part, choice), frame, _LIT if lit else _UNLIT, message)
        yield _wrapped(f"{_lamp(part, choice)} caption", frame, words(choice), 12)


def choice_frames(part: Part) -> Iterable[tuple[str, Frame]]:
    """Each value of a choice and the place of its button, below the caption."""
    assert part.row is not None
    choices = part.row.choices
    a_line = -(-len(choices) // part.lines)
    width, height = part.frame.w // a_line, (part.frame.h - CAPTION) // part.lines
    for i, choice in enumerate(choices):
        left, top = part.frame.x + i % a_line * width, part.frame.y + CAPTION + i // a_line * height
        yield choice, Frame(left, top, width - 2, height - 2)


def _readout(part: Part) -> Iterable[Node]:
    x, y, w, h = part.frame
    caption = min(84, w // 2)
    held = str(part.row.default) if part.kind == "text" and part.row is not None else ""
    yield Node("BOX", f"{part.key} box", part.frame, {**_FACE, "color": colour("#1b1e24"), "interactive": False})
    yield _label(f"{part.key} caption", Frame(x + 4, y, caption, h), part.label, _LEFT, 11)
    yield _label(f"{part.key} text", Frame(x + caption + 6, y, w - caption - 12, h), held, _RIGHT)


def _cue(part: Part) -> Iterable[Node]:
    """The name of the cue is the button's tag, which the script writes."""
    recall = Osc(_path("/streamvace/cue/recall"), (Partial("PROPERTY", "STRING", "tag"),), "RISE")
    yield _button(part.key, part.frame, _UNLIT, recall)
    yield _wrapped(f"{part.key} text", part.frame, part.label, 16)


def _prompt(part: Part) -> Iterable[Node]:
    yield Node("BOX", f"{part.key} box", part.frame, {**_FACE, "color": colour("#1b1e24"), "interactive": False})
    yield _wrapped(f"{part.key} text", part.frame, f"{part.label}: take one", 12)


def _take(part: Part) -> Iterable[Node]:
    script = (
        "function onValueChanged(key)\n"
        f"  if key == 'x' and self.values.x == 1 then root:notify('take', {part.number}) end\n"
        "end\n"
    )
    button = _button(part.key, part.frame, part.colour, None)
    button.properties["script"] = script
    yield button
    yield _wrapped(f"{part.key} caption", part.frame, part.label)


def _mix(part: Part) -> Iterable[Node]:
    script = (
        "function onValueChanged(key)\n"
        "  if key == 'x' and self.values.touch then root:notify('mix', self.values.x) end\n"
        "end\n"
    )
    yield Node(
        "FADER",
        part.key,
        part.frame,
        {**_FACE, "color": colour(part.colour), "orientation": _EAST, "bar": True, "cursor": True, "grid": False}
        | {"response": 1, "responseFactor": 100, "script": script},
        {"x": 0.0},
    )
    yield _wrapped(f"{part.key} caption", part.frame, part.label)


_DRAWN: Final[Mapping[Kind, Callable[[Part], Iterable[Node]]]] = {
    "fader": _fader,
    "upright": _upright,
    "switch": _switch,
    "button": _press,
    "choice": _choice,
    "text": _readout,
    "readout": _readout,
    "cue": _cue,
    "prompt": _prompt,
    "take": _take,
    "mix": _mix,
}
"""How each kind is drawn. TouchOSC has no keyboard, so a text is only shown."""


def _button(name: str, frame: Frame, tint: str, message: Osc | None, kind: int = _MOMENTARY) -> Node:
    look: dict[str, Property] = {**_FACE, "color": colour(tint), "buttonType": kind, "press": True, "release": True}
    return Node("BUTTON", name, frame, look, {"x": 0.0}, () if message is None else (message,))


def _label(name: str, frame: Frame, text: str, align: int = 2, size: int = 13) -> Node:
    look = {**_TEXT, "textAlignH": align, "textSize": size, "textLength": _CHARACTERS}
    return Node("LABEL", name, frame, look, {"text": text})


def _wrapped(name: str, frame: Frame, text: str, size: int = 14) -> Node:
    """A text of several lines in the middle of a button, which stays free for the finger."""
    inside = Frame(frame.x + 4, frame.y + 2, frame.w - 8, frame.h - 4)
    return Node("TEXT", name, inside, {**_TEXT, "textSize": size, "textWrap": True}, {"text": text})


def _lamp(part: Part, choice: str) -> str:
    return f"{part.key} {choice}"


def _path(address: str) -> tuple[Partial, ...]:
    return (Partial("CONSTANT", "STRING", address),)


def _share(value: float, low: float, high: float) -> float:
    return 0.0 if high == low else min(1.0, max(0.0, (value - low) / (high - low)))


def _format(row: Parameter) -> str:
    return f"%.{decimals(row)}f" + unit_of(row).replace("%", "%%")


def _root_script(parts: Iterable[Part], reply_port: int) -> str:
    lamps: Table = {}
    readouts: Table = {}
    bent: Table = {}
    for part in parts:
        row = part.row
        if row is None:
            continue
        if part.kind == "choice" and row.type == "choice":
            lamps[row.address] = {choice: _lamp(part, choice) for choice in row.choices}
        elif part.kind in ("readout", "text"):
            shown: Table = {"name": f"{part.key} text"}
            readouts[row.address] = shown if row.type == "string" else {**shown, "format": _format(row)}
        elif part.kind in ("fader", "upright") and row.scale == "log":
            bent[row.address] = {"name": part.key, "low": row.minimum, "high": row.maximum}
    tables = {"PORT": reply_port, "CUES": CUES, "LAMPS": lamps, "READOUTS": readouts, "BENT": bent}
    colours = "".join(
        f"local {name} = Color({', '.join(f'{share:g}' for share in colour(tint))})\n"
        for name, tint in (("LIT", _LIT), ("NEXT", _NEXT), ("UNLIT", _UNLIT))
    )
    return _constants(tables) + colours + _read("surface.lua")


def _constants(values: Mapping[str, object]) -> str:
    return "".join(f"local {name} = {_lua(value)}\n" for name, value in values.items())


def _lua(value: object) -> str:
    """A value as Lua writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value:.10g}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"[{_lua(key)}] = {_lua(held)}" for key, held in value.items()) + "}"
    return json.dumps(str(value), ensure_ascii=False)


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")
