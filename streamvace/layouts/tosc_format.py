"""The file format of TouchOSC: a tree of nodes as XML, compressed by zlib. Knows nothing of a show.

A node has properties (how it looks), values (its state: `x` from 0 to 1, `text`), and OSC messages that are sent when a
value changes and that set it when they arrive.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import NAMESPACE_URL, uuid5
from xml.etree.ElementTree import Element, SubElement, tostring

from streamvace.layouts.parts import Frame

VERSION: Final = "6"
"""Of the format, as TouchOSC 1.4 and newer write it."""
EVERY_CONNECTION: Final = "1" * 10

Property = bool | int | float | str | Frame | tuple[float, float, float, float]
"""A property: a colour is red, green, blue and opacity, 0..1."""


@dataclass(frozen=True)
class Partial:
    """A piece of an address, or an argument.

    source: CONSTANT (the text `value`), VALUE (a value of the node) or PROPERTY. conversion: STRING, INTEGER, FLOAT or
    BOOLEAN. low, high: what 0 and 1 of a value become.
    """

    source: str
    conversion: str
    value: str
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class Osc:
    """A message. condition: ANY change of `x`, or its RISE. hears: whether it sets the node when it arrives."""

    path: tuple[Partial, ...]
    arguments: tuple[Partial, ...]
    condition: str = "ANY"
    hears: bool = False


@dataclass
class Node:
    """One control. kind: GROUP, PAGER, BOX, BUTTON, FADER, LABEL or TEXT. name: no other node of the file has it."""

    kind: str
    name: str
    frame: Frame
    properties: dict[str, Property] = field(default_factory=dict)
    values: dict[str, float | str] = field(default_factory=dict)
    messages: tuple[Osc, ...] = ()
    children: Sequence[Node] = ()


def packed(root: Node) -> bytes:
    """The bytes of a file. The same tree gives the same bytes."""
    document = Element("lexml", version=VERSION)
    document.append(_node(root, "", root=True))
    return zlib.compress(tostring(document, encoding="UTF-8", xml_declaration=True), 9)


def unpacked(data: bytes) -> bytes:
    """The XML of a file. Raises zlib.error for bytes that are none."""
    return zlib.decompress(data)


def colour(text: str, opacity: float = 1.0) -> tuple[float, float, float, float]:
    """`#rrggbb` as a property."""
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return round(red, 4), round(green, 4), round(blue, 4), opacity


def _node(node: Node, above: str, *, root: bool = False) -> Element:
    path = f"{above}/{node.name}"
    element = Element("node", ID=str(uuid5(NAMESPACE_URL, path)), type=node.kind)
    if root:
        SubElement(element, "includes")
    properties = SubElement(element, "properties")
    for key, value in {"name": node.name, "frame": node.frame, **node.properties}.items():
        _property(properties, key, value)
    values = SubElement(element, "values")
    for key, default in {**node.values, "touch": "false"}.items():
        held = SubElement(values, "value")
        _leaves(held, key=key, locked=0, lockedDefaultCurrent=0, default=default, defaultPull=0)
    if node.messages:
        messages = SubElement(element, "messages")
        for message in node.messages:
            messages.append(_osc(message))
    if node.children:
        children = SubElement(element, "children")
        for child in node.children:
            children.append(_node(child, path))
    return element


def _property(parent: Element, key: str, value: Property) -> None:
    # bool before int, and Frame before tuple: each is one of the other too.
    parts: dict[str, Property]
    if isinstance(value, Frame):
        kind, parts = "r", dict(zip("xywh", value, strict=True))
    elif isinstance(value, tuple):
        kind, parts = "c", dict(zip("rgba", value, strict=True))
    else:
        kind = {bool: "b", int: "i", float: "f", str: "s"}[type(value)]
        parts = {}
    element = SubElement(parent, "property", type=kind)
    SubElement(element, "key").text = key
    held = SubElement(element, "value")
    if parts:
        _leaves(held, **parts)
    else:
        held.text = _text(value)


def _osc(message: Osc) -> Element:
    element = Element("osc")
    _leaves(element, enabled=1, send=1, receive=int(message.hears), feedback=0, noDuplicates=0)
    _leaves(element, connections=EVERY_CONNECTION)
    trigger = SubElement(SubElement(element, "triggers"), "trigger")
    _leaves(trigger, var="x", condition=message.condition)
    for name, partials in (("path", message.path), ("arguments", message.arguments)):
        listed = SubElement(element, name)
        for each in partials:
            partial = SubElement(listed, "partial")
            _leaves(partial, type=each.source, conversion=each.conversion, value=each.value)
            _leaves(partial, scaleMin=each.low, scaleMax=each.high)
    return element


def _leaves(parent: Element, **texts: Property) -> None:
    for name, value in texts.items():
        SubElement(parent, name).text = _text(value)


def _text(value: Property) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)
