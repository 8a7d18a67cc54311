"""What every mask shares: the protocol and the settings. White (255) is generated, black (0) is kept, as in VACE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from streamvace.conditioning.controls.base import Pixels


@dataclass(frozen=True)
class MaskSettings:
    """What a performer turns while a mask runs.

    luma_low, luma_high: 0..1, the brightness that is selected. softness: 0..1, how wide the borders of the luma and
    chroma keys are. chroma_hue: degrees, 0 red, 120 green, 240 blue. chroma_tolerance: 0..1, how far from that hue
    still counts. chroma_spill: 0..1, how much of the key colour is taken out of what is kept. motion_sensitivity: 0..1.
    confidence: 0..1, how sure a detector or the person network must be. classes: names a detector selects; empty
    selects all.
    """

    luma_low: float = 0.5
    luma_high: float = 1.0
    softness: float = 0.1
    chroma_hue: float = 120.0
    chroma_tolerance: float = 0.35
    chroma_spill: float = 0.5
    motion_sensitivity: float = 0.5
    confidence: float = 0.4
    classes: tuple[str, ...] = ()


class Mask(Protocol):
    """Says where to generate, one frame after the other. Owned by one thread."""

    backend: str
    """What it runs on, in a few words."""

    def update(self, frame: Pixels, seconds: float, settings: MaskSettings) -> Pixels:
        """The mask of this frame.

        frame: uint8 `[H, W, 3|4]`, sRGB, straight alpha; without alpha it is opaque. seconds: when it was captured, on
        a clock that never goes back. Returns uint8 `[H, W]`, 255 = selected. A change of size starts afresh.
        """

    def reset(self) -> None:
        """Forget every earlier frame: the next one comes from another scene."""
