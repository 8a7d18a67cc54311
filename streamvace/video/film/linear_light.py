"""Pictures that hold linear light (EXR, Radiance HDR, PFM, TIFF of floats) as sRGB.

FFmpeg 9 no longer converts them in its decoder, and its scaler through PyAV only changes the tag.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from av.video.reformatter import ColorTrc
from numpy.typing import NDArray

_WHITE = 65535

_FLOATS = ("f32le", "f32be", "f16le", "f16be")
"""How FFmpeg's names of pixel formats of floats end."""


def _srgb_table() -> NDArray[np.uint8]:
    """The sRGB byte for every 16-bit step of light (IEC 61966-2-1): `[65536]`."""
    light = np.linspace(0.0, 1.0, _WHITE + 1)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(curve * 255).astype(np.uint8)


_SRGB = _srgb_table()


def is_linear(frame: Any) -> bool:
    """Whether the values of this av.VideoFrame are linear light: the file says so, or they are floats of which it says
    nothing else."""
    untold = frame.color_trc == ColorTrc.UNSPECIFIED
    return bool(frame.color_trc == ColorTrc.LINEAR or (untold and frame.format.name.endswith(_FLOATS)))


def srgb(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Linear light of any shape, 1 is white, as sRGB bytes; clipped."""
    return _SRGB[np.round(np.clip(light, 0.0, 1.0) * _WHITE).astype(np.uint16)]


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
