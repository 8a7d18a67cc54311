"""The pages as a session of Open Stage Control.

Its widgets send and hear by their addresses. Places are shares of the window, so that the pages fill any screen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from streamvace.layouts.pages import CUES
from streamvace.layouts.parts import HEIGHT, WIDTH, Kind, Page, Part, decimals, unit_of, words

NAME: Final = "streamvace-open-stage-control.json"
FORMAT: Final = "1.29.0"
"""The version of Open Stage Control whose sessions these are; newer ones read them."""

_UNLIT: Final = "#3a404b"
_LIT: Final = "#d97706"
_NEXT: Final = "#8a6a2c"
_TEXT: Final = "#f3f4f6"
_RENEW_MS: Final = 60_000
_ON_FADER: Final = ":host > .html { position: absolute; left: 8rem; right: 8rem; pointer-events: none; z-index: 2; }"
_IN_CORNER: Final = (
    ":host > .html { position: absolute; left: 6rem; top: 0; opacity: .6; pointer-events: none; z-index: 2; }"
)

Widget = dict[str, Any]


def session(pages: Iterable[Page]) -> str:
    """The text of the file. The same pages give the same text."""
    tabs = [_tab(page) for page in pages]
    root: Widget = {
        "type": "root",
        "colorBg": "#14161a",
        "colorText": _TEXT,
        "bypass": True,  # which tab is open is no news for the show
        "onCreate": _subscription(),
        "tabs": tabs,
    }
    document = {"createdWith": "Open Stage Control", "version": FORMAT, "type": "session", "content": root}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _subscription() -> str:
    """Subscribe again from time to time: the show may start later, and forgets who is silent."""
    subscribe = "send('/streamvace/subscribe');"
    return f"{subscribe}\nsend('/streamvace/sync');\nsetInterval(() => {{ {subscribe} }}, {_RENEW_MS});"


def _tab(page: Page) -> Widget:
    widgets = [widget for part in page.parts for widget in _DRAWN[part.kind](part)]
    if any(part.kind == "cue" for part in page.parts):
        widgets += _cue_watchers()
    return {"type": "tab", "id": page.name, "label": page.name, "widgets": widgets}


def _placed(part: Part, kind: str, **properties: object) -> Widget:
    x, y, w, h = part.frame
    shares = {"left": x / WIDTH, "top": y / HEIGHT, "width": w / WIDTH, "height": h / HEIGHT}
    frame = {key: f"{share:.2%}" for key, share in shares.items()}
    lit = {"colorTextOn": _TEXT} if kind in ("button", "switch") else {}
    return {"type": kind, "id": part.key.strip("/"), **frame, "colorWidget": part.colour, **lit, **properties}


def _fader(part: Part) -> Iterable[Widget]:
    row = part.row
    assert row is not None
    places = decimals(row)
    between = ": " if part.kind == "fader" else "<br/>"
    yield _placed(
        part,
        "fader",
        address=part.address,
        typeTags="f" if row.type == "float" else "i",
        decimals=places + 2 if places else 0,
        range={"min": row.minimum, "max": row.maximum},
        default=row.default,
        logScale=row.scale == "log",
        horizontal=part.kind == "fader",
        design="compact",
        html=f"{part.label}{between}@{{this}}{unit_of(row)}",
        css=_ON_FADER,
    )


def _switch(part: Part) -> Iterable[Widget]:
    # Without a type tag a bool goes as T or F.
    yield _placed(
        part, "button", address=part.address, label=part.label, wrap="soft", mode="toggle", on=True, off=False
    )


def _press(part: Part) -> Iterable[Widget]:
    yield _placed(part, "button", address=part.address, label=part.label, wrap="soft", mode="tap", on=1, typeTags="i")


def _choice(part: Part) -> Iterable[Widget]:
    assert part.row is not None
    choices = part.row.choices
    yield _placed(
        part,
        "switch",
        address=part.address,
        values={"labels": [words(choice) for choice in choices], "values": list(choices)},
        default="" if part.row.default is None else part.row.default,
        typeTags="s",
        layout="grid",
        gridTemplate=-(-len(choices) // part.lines),
        wrap="soft",
        html=f"<span>{part.label}</span>",
        css=":host { padding-top: 18rem; } :host > .html { position: absolute; top: 0; left: 4rem; }",
    )


def _text(part: Part) -> Iterable[Widget]:
    assert part.row is not None
    held = {"default": part.row.default, **_captioned(part)}
    yield _placed(part, "input", address=part.address, typeTags="s", align="left", **held)


def _readout(part: Part) -> Iterable[Widget]:
    yield _placed(part, "text", address=part.address, align="right", decimals=1, wrap=True, **_captioned(part))


def _captioned(part: Part) -> Widget:
    return {
        "html": f"<span>{part.label}</span>",
        "css": _IN_CORNER,
    }


def _cue(part: Part) -> Iterable[Widget]:
    """Its name is the variable `name` of the button, which the watchers below write."""
    yield _placed(
        part,
        "button",
        address="/streamvace/cue/recall",
        label='VAR{name, ""}',
        on='VAR{name, ""}',
        mode="tap",
        typeTags="s",
        wrap="soft",
        visible='JS{{ return String(VAR{name, ""}) !== "" }}',
    ) | {"colorWidget": f'VAR{{tint, "{_UNLIT}"}}'}


def _cue_watchers() -> list[Widget]:
    """Three values without a look: the names of the cues, the current one and the next one."""
    tints = (
        f"for (var i = 1; i <= {CUES}; i++) {{\n"
        "  var name = [].concat(get('cue names'))[i - 1] || '';\n"
        "  setVar('cue ' + i, 'name', name);\n"
        f"  setVar('cue ' + i, 'tint', name === get('cue now') ? '{_LIT}' : "
        f"name === get('cue next') ? '{_NEXT}' : '{_UNLIT}');\n"
        "}"
    )
    watched = {"cue names": "cues", "cue now": "cue", "cue next": "cue_next"}
    return [
        {"type": "variable", "id": key, "address": f"/streamvace/status/{name}", "bypass": True, "onValue": tints}
        for key, name in watched.items()
    ] + [
        {"type": "variable", "id": "prompt now", "address": "/streamvace/prompt", "bypass": True},
    ]


def _prompt(part: Part) -> Iterable[Widget]:
    yield _placed(part, "input", bypass=True, align="left", **_captioned(part))


def _take(part: Part) -> Iterable[Widget]:
    take = f"set('prompt {part.number}', get('prompt now'), {{send: false}})"
    yield _placed(part, "button", bypass=True, label=part.label, mode="tap", onValue=take)


def _mix(part: Part) -> Iterable[Widget]:
    mix = (
        "var a = get('prompt 1'), b = get('prompt 2');\n"
        "if (a || b) send('/streamvace/prompts', a, {type: 'f', value: 1 - value}, b, {type: 'f', value: value});"
    )
    yield _placed(
        part,
        "fader",
        bypass=True,
        horizontal=True,
        design="compact",
        range={"min": 0, "max": 1},
        onValue=mix,
        html=f"<span>{part.label}</span>",
        css=_ON_FADER,
    )


_DRAWN: Final[Mapping[Kind, Callable[[Part], Iterable[Widget]]]] = {
    "fader": _fader,
    "upright": _fader,
    "switch": _switch,
    "button": _press,
    "choice": _choice,
    "text": _text,
    "readout": _readout,
    "cue": _cue,
    "prompt": _prompt,
    "take": _take,
    "mix": _mix,
}
"""How each kind is drawn."""
