"""Masks from live video: one row a source, one small stateful object each. White is generated, black is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streamvace.conditioning.controls.networks import Networks
from streamvace.conditioning.masks.base import Mask
from streamvace.conditioning.masks.keys import Alpha, Chroma, Luma, SecondInput
from streamvace.conditioning.masks.motion import Motion

NO_MASK = "none"


def _person(networks: Networks) -> Mask:
    from streamvace.conditioning.masks.person import Person

    return Person(networks)


def _detector(networks: Networks) -> Mask:
    from streamvace.conditioning.masks.detector import Detector

    return Detector(networks)


MASKS: Mapping[str, Callable[[Networks], Mask]] = {
    "alpha": lambda networks: Alpha(),
    "luma": lambda networks: Luma(),
    "chroma": lambda networks: Chroma(),
    "motion": lambda networks: Motion(),
    "person": _person,
    "detector": _detector,
    "input": lambda networks: SecondInput(),
}
"""Source to what makes it; `none` is no row. Making one may take a while and raises UserError when it can't be made."""
