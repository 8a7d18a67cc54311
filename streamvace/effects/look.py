"""The settings of the output's effects, and the rows of the address space that they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Look:
    """Neutral by default.

    brightness, saturation: factors, 1 is unchanged. hue: degrees; 120 makes red green. zoom: factor about the centre.
    trail: seconds after which half of an earlier picture is left; 0 for none. control: share of the control picture,
    0..1. screen: of `screens.SCREENS`, or none. screen_cells: over the height. screen_mix: share of the screen, 0..1.
    """

    brightness: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0
    zoom: float = 1.0
    trail: float = 0.0
    control: float = 0.0
    screen_cells: float = 56.0
    screen_mix: float = 1.0
    screen: str = "none"

    @classmethod
    def of(cls, number: Callable[[str], float], text: Callable[[str], str]) -> Look:
        """The look that the parameters hold. number, text: the value of an address."""
        numbers = {name: number(address) for name, address in ROWS.items() if name != "screen"}
        return cls(**numbers, screen=text(ROWS["screen"]))


ROWS: Final = {name: f"/streamvace/output/{name}" for name in Look.__dataclass_fields__}
"""Field -> address."""

NEUTRAL: Final = Look()
"""Changes nothing."""
