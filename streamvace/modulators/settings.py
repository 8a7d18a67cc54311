"""What the parameters say about one modulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import osc_schema
from osc_schema import Parameter
from streamvace.control.beats import BEATS_A_BAR
from streamvace.control.parameters import Snapshot
from streamvace.modulators.target import FAMILY, find_target

NUMBERS: Final = next(range(1, family.count + 1) for family in osc_schema.families() if family.name == FAMILY)
"""Of the modulators."""

LENGTHS: Final[Mapping[str, tuple[float, float]]] = {
    "quarter_beat": (0.25, 0),
    "half_beat": (0.5, 0),
    "beat": (1, 0),
    "2_beats": (2, 0),
    "bar": (0, 1),
    "2_bars": (0, 2),
    "4_bars": (0, 4),
    "8_bars": (0, 8),
}
"""Choice of `/streamvace/mod/#/length` -> beats and bars."""


def address(number: int, name: str) -> str:
    """Of a modulator's row."""
    return f"/streamvace/{FAMILY}/{number}/{name}"


@dataclass(frozen=True, slots=True)
class Settings:
    """One modulator that is on.

    rate: cycles a second. beats: of a cycle. phase: in cycles. target: the row that it moves. low, high: what it adds,
    as parts of the target's range. attack, release: seconds. fired: when the envelope began, in seconds on the show's
    clock; None before the first time. The others are as in the schema.
    """

    number: int
    source: str
    shape: str
    rate: float
    beats: float
    phase: float
    target: Parameter
    low: float
    high: float
    invert: bool
    curve: str
    attack: float
    release: float
    value: float
    osc_address: str
    osc_low: float
    osc_high: float
    band: str
    fired: float | None


def read(snapshot: Snapshot, number: int, schema: Mapping[str, Parameter]) -> Settings | None:
    """A modulator; None while it is off. Raises UserError for a target that it cannot move."""

    def at(name: str) -> str:
        return address(number, name)

    target = find_target(snapshot.text(at("target")), schema)
    if not snapshot.flag(at("on")):
        return None
    beats, bars = LENGTHS[snapshot.text(at("length"))]
    fired_ns = snapshot.changed_ns.get(at("fire"))
    return Settings(
        number=number,
        source=snapshot.text(at("source")),
        shape=snapshot.text(at("shape")),
        rate=snapshot.number(at("rate")),
        beats=beats + bars * snapshot.integer(BEATS_A_BAR),
        phase=snapshot.number(at("phase")),
        target=target,
        low=snapshot.number(at("low")),
        high=snapshot.number(at("high")),
        invert=snapshot.flag(at("invert")),
        curve=snapshot.text(at("curve")),
        attack=snapshot.number(at("attack")),
        release=snapshot.number(at("release")),
        value=snapshot.number(at("value")),
        osc_address=snapshot.text(at("osc_address")).strip(),
        osc_low=snapshot.number(at("osc_low")),
        osc_high=snapshot.number(at("osc_high")),
        band=snapshot.text(at("band")),
        fired=None if fired_ns is None else fired_ns / 1e9,
    )
