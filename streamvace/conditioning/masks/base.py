"""What all masks share: the protocol and the settings. White (255) is generated, black (0) is kept, as in VACE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from streamvace.conditioning.controls.base import Pixels


@dataclass(frozen=True)
class MaskSettings:
    """Settings that can change while a mask runs.

    luma_low, luma_high: 0..1, the range of brightness that is selected. softness: 0..1, width of the soft borders of
    the luma and chroma keys. chroma_hue: degrees, 0 red, 120 green, 240 blue. chroma_tolerance: 0..1, the accepted
    distance from that hue. chroma_spill: 0..1, how much of the key colour is removed from kept pixels.
    motion_sensitivity: 0..1. confidence: 0..1, the threshold of a detector or the person network. classes: names that a
    detector selects; empty selects all.
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
    """Turns pictures into masks, frame by frame. Not thread-safe."""

    backend: str
    """The method or network in use, in a few words."""

    def update(self, frame: Pixels, seconds: float, settings: MaskSettings) -> Pixels:
        """The mask of this frame.

        frame: uint8 `[H, W, 3|4]`, sRGB, straight alpha; without alpha it is opaque. seconds: capture time on a
        monotonic clock. Returns uint8 `[H, W]`, 255 = selected. A new frame size clears the history.
        """

    def reset(self) -> None:
        """Clear the history: the next frame belongs to a new scene."""
