"""Pictures that hold linear light, EXR most of all, as sRGB.

FFmpeg 9 no longer converts them in its decoder, and its scaler through PyAV only changes the tag.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from av.video.reformatter import ColorTrc
from numpy.typing import NDArray

_WHITE = 65535


def _srgb_table() -> NDArray[np.uint8]:
    """The sRGB byte for every 16-bit step of light (IEC 61966-2-1): `[65536]`."""
    light = np.linspace(0.0, 1.0, _WHITE + 1)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(curve * 255).astype(np.uint8)


_SRGB = _srgb_table()


def is_linear(frame: Any) -> bool:
    """Whether the file of this av.VideoFrame says that its values are linear light."""
    return bool(frame.color_trc == ColorTrc.LINEAR)


def linear_to_rgba(frame: Any) -> NDArray[np.uint8]:
    """av.VideoFrame of linear light to uint8 `[H, W, 4]`, sRGB: light clipped to 0..1, alpha unchanged or opaque."""
    light = _gray_light(frame) if len(frame.format.components) == 1 else frame.to_ndarray(format="rgba64le")
    rgba = _SRGB[light]
    rgba[..., 3] = light[..., 3] >> 8
    return rgba


def _gray_light(frame: Any) -> NDArray[np.uint16]:
    """Gray as uint16 `[H, W, 4]`. FFmpeg's scaler would take gray floats for video range on the way to RGB."""
    gray = np.fmin(np.fmax(frame.to_ndarray(format="grayf32le"), 0.0), 1.0)  # NaN is black, as in color
    light = np.full((*gray.shape, 4), _WHITE, dtype=np.uint16)
    light[..., :3] = np.round(gray * _WHITE)[..., None]
    return light
