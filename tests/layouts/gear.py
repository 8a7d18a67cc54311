"""What a TouchOSC does with a layout: sends its messages, and sets controls by those that arrive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from streamvace.layouts.tosc_format import unpacked

Argument = bool | int | float | str


def root_of(data: bytes) -> Element:
    """The root node of a file."""
    root = ElementTree.fromstring(unpacked(data)).find("node")
    assert root is not None
    return root


def text(element: Element, path: str) -> str:
    return element.findtext(path) or ""


def properties(node: Element) -> Mapping[str, Element]:
    """The values of a node's properties."""
    found = {}
    for each in node.findall("properties/property"):
        value = each.find("value")
        assert value is not None
        found[text(each, "key")] = value
    return found


def name_of(node: Element) -> str:
    return properties(node)["name"].text or ""


@dataclass(frozen=True)
class Sender:
    """One message of one node."""

    node: Element
    message: Element

    @property
    def address(self) -> str:
        return "".join(text(each, "value") for each in self.message.findall("path/partial"))

    @property
    def hears(self) -> bool:
        return text(self.message, "receive") == "1"

    @property
    def presses(self) -> bool:
        """Whether it is sent when a button goes down only."""
        return text(self.message, "triggers/trigger/condition") == "RISE"

    def arguments(self, x: float, tag: str = "") -> tuple[Argument, ...]:
        """What is sent at a position, 0..1. tag: the node's property of that name."""
        return tuple(self._argument(each, x, tag) for each in self.message.findall("arguments/partial"))

    def position(self, value: float) -> float:
        """Where the control goes when its message arrives with this value."""
        (partial,) = self.message.findall("arguments/partial")
        low, high = (float(text(partial, end)) for end in ("scaleMin", "scaleMax"))
        return (value - low) / (high - low)

    def _argument(self, partial: Element, x: float, tag: str) -> Argument:
        source, conversion = text(partial, "type"), text(partial, "conversion")
        low, high = (float(text(partial, end)) for end in ("scaleMin", "scaleMax"))
        value: float | str = {"CONSTANT": text(partial, "value"), "PROPERTY": tag, "VALUE": low + x * (high - low)}[
            source
        ]
        if conversion == "INTEGER":
            return round(float(value))
        return {"STRING": str, "FLOAT": float, "BOOLEAN": lambda given: float(given) >= 0.5}[conversion](value)


def senders(root: Element) -> Iterator[Sender]:
    """Every message of a layout."""
    for node in root.iter("node"):
        for message in node.findall("messages/osc"):
            yield Sender(node, message)
