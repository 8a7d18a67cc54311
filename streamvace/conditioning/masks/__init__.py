"""Masks from live video, one row per source. White is generated, black is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streamvace.conditioning.controls.networks import Networks
from streamvace.conditioning.masks.base import Mask
from streamvace.conditioning.masks.detector import Detector
from streamvace.conditioning.masks.keys import Alpha, Chroma, Luma, SecondInput
from streamvace.conditioning.masks.motion import Motion
from streamvace.conditioning.masks.person import SQUARE_FILE, WIDE_FILE, Person

NO_MASK = "none"

MASKS: Mapping[str, Callable[[Networks], Mask]] = {
    "alpha": lambda networks: Alpha(),
    "luma": lambda networks: Luma(),
    "chroma": lambda networks: Chroma(),
    "motion": lambda networks: Motion(),
    "person": Person,
    "detector": Detector,
    "input": lambda networks: SecondInput(),
}
"""Source -> factory; `none` has no row. A factory may take seconds, and raises UserError if a network is missing."""

NEEDED = {"person": ("the person mask", (WIDE_FILE, SQUARE_FILE))}
"""Source -> its name in messages, and the files that it needs. The detector's file is a parameter."""
