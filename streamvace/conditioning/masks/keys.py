"""Masks that depend on each pixel alone: its alpha, its brightness or its colour."""

from __future__ import annotations

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Pixels, Stateless, colours, luma
from streamvace.conditioning.masks.base import MaskSettings


class Alpha(Stateless):
    """The input's alpha channel: opaque pixels are selected."""

    backend = "the input"

    def update(self, frame: Pixels, seconds: float, settings: MaskSettings) -> Pixels:
        """See Mask. A frame without alpha is opaque."""
        if frame.shape[2] < 4:
            return np.full(frame.shape[:2], 255, np.uint8)
        return np.ascontiguousarray(frame[..., 3])


class Luma(Stateless):
    """Pixels of BT.601 brightness from `luma_low` to `luma_high`, with soft borders of width `softness`."""

    backend = "OpenCV"

    def update(self, frame: Pixels, seconds: float, settings: MaskSettings) -> Pixels:
        """See Mask."""
        return np.asarray(cv2.LUT(luma(frame), _luma_table(settings)), dtype=np.uint8)


class SecondInput(Stateless):
    """Another input whose brightness is the mask."""

    backend = "an input"

    def update(self, frame: Pixels, seconds: float, settings: MaskSettings) -> Pixels:
        """See Mask."""
        return luma(frame)


def _luma_table(settings: MaskSettings) -> Pixels:
    """The mask by brightness, uint8 `[256]`. Limits of 0 and 1 have no soft border, so black and white stay whole."""
    low, high = sorted((settings.luma_low, settings.luma_high))
    level = np.arange(256) / 255
    border = max(settings.softness / 2, 1 / 255)
    rise = np.ones(256) if low <= 0 else np.clip(0.5 + (level - low) / (2 * border), 0, 1)
    fall = np.ones(256) if high >= 1 else np.clip(0.5 + (high - level) / (2 * border), 0, 1)
    return np.asarray(np.rint(255 * np.minimum(rise, fall)), dtype=np.uint8)


_FULL_CHROMA = 0.35
"""Least chroma of a well-lit screen, as a fraction of the largest possible chroma at its hue."""


class Chroma(Stateless):
    """Pixels of the key colour, by hue and chroma: shadows and folds of a lit screen are selected, too.

    The mask is a table over the plane of the two colour differences (BT.601 Cb, Cr), so tolerance and softness cost
    nothing per pixel.
    """

    backend = "OpenCV"

    def __init__(self) -> None:
        self._table: Pixels | None = None
        self._made_for: tuple[float, float, float] | None = None

    def update(self, frame: Pixels, seconds: float, settings: MaskSettings) -> Pixels:
        """See Mask."""
        wanted = (settings.chroma_hue, settings.chroma_tolerance, settings.softness)
        if self._table is None or wanted != self._made_for:
            self._table, self._made_for = _chroma_table(*wanted), wanted
        planes = cv2.cvtColor(colours(frame), cv2.COLOR_RGB2YCrCb)
        index = planes[..., 1].astype(np.uint16) << 8
        index |= planes[..., 2]
        return np.asarray(self._table[index], dtype=np.uint8)


def _key_direction(hue: float) -> tuple[float, float, float]:
    """(Cr, Cb, length): unit vector and chroma of the fully saturated colour of this hue in degrees."""
    full = cv2.cvtColor(np.array([[[hue % 360, 1.0, 1.0]]], np.float32), cv2.COLOR_HSV2RGB)
    ycc = cv2.cvtColor((full * 255).astype(np.uint8), cv2.COLOR_RGB2YCrCb)[0, 0].astype(np.float64)
    cr, cb = ycc[1] - 128, ycc[2] - 128
    length = float(np.hypot(cr, cb))
    return cr / length, cb / length, length


def _chroma_table(hue: float, tolerance: float, softness: float) -> Pixels:
    """The mask as uint8 `[65536]`, indexed by `Cr << 8 | Cb`."""
    axis_cr, axis_cb, length = _key_direction(hue)
    cr, cb = np.meshgrid(np.arange(256.0) - 128, np.arange(256.0) - 128, indexing="ij")
    along, across = cr * axis_cr + cb * axis_cb, cb * axis_cr - cr * axis_cb
    # Within a wedge around the key's hue ...
    angle = np.abs(np.arctan2(across, along)) / np.pi
    border = max(softness, 0.02) / 4
    inside = np.clip(0.5 + (0.5 * tolerance - angle) / (2 * border), 0, 1)
    # ... and colourful enough: grey has every hue.
    least = _FULL_CHROMA * (1 - tolerance) * length
    coloured = np.clip((along - least / 2) / max(least / 2, 1), 0, 1)
    return np.asarray(np.rint(255 * inside * coloured), dtype=np.uint8).ravel()


def despill(frame: Pixels, hue: float, amount: float) -> Pixels:
    """Remove the key colour's reflections: chroma along its hue is reduced towards grey.

    frame: uint8 `[H, W, 3|4]`. hue: degrees. amount: 0..1. Returns uint8 `[H, W, 3]` of unchanged brightness.
    """
    planes = cv2.cvtColor(colours(frame), cv2.COLOR_RGB2YCrCb)
    axis_cr, axis_cb, _ = _key_direction(hue)
    # 8 bits would lose the sign, so this is fixed point in 16 bits with 7 fractional bits.
    cr, cb = (planes[..., c].astype(np.int16) - 128 for c in (1, 2))
    along = np.maximum(cr * np.int16(round(axis_cr * 127)) + cb * np.int16(round(axis_cb * 127)), 0) >> 7
    # Skin and clothes near the key's hue keep their colour: only chroma that is mostly the key's is removed.
    across = np.abs(cb * np.int16(round(axis_cr * 127)) - cr * np.int16(round(axis_cb * 127))) >> 7
    spill = np.maximum(along - (across >> 1), 0).astype(np.float32) * np.float32(amount)
    planes[..., 1] = np.clip(cr - spill * axis_cr + 128, 0, 255).astype(np.uint8)
    planes[..., 2] = np.clip(cb - spill * axis_cb + 128, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB), dtype=np.uint8)
