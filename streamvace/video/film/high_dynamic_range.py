"""HDR pictures (PQ and HLG, ITU-R BT.2100) as sRGB.

PyAV's FFmpeg has `tonemap`, but not `zscale`, which would make the linear light that it needs.

Light is counted from the white of graphics, 203 cd/m2 (BT.2408). It is compressed with the curve of BT.2390 from a peak
of 1000 cd/m2 to that white: by the largest of red, green and blue, so that the hue stays. Then the primaries become
those of sRGB, and colours outside them are clipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc
from numpy.typing import NDArray

from streamvace.video.film.linear_light import srgb

Floats = NDArray[np.float32]

WHITE = 203.0
PEAK = 1000.0
"""cd/m2. The brightest light that is told from brighter light; what phones write, and what most films are graded to."""

_ROWS = 128
"""Rows converted at a time: floats of 16 bytes a pixel for a whole photograph would be gigabytes."""

_STEPS = 4096
"""Entries of the table of the curve, in square roots of light."""


def pq_light(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """0..1 in SMPTE ST 2084 to cd/m2."""
    root = np.power(code, 32 / 2523)
    return np.asarray(
        10000 * np.power(np.maximum(root - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * root), 16384 / 2610)
    )


def pq_code(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `pq_light`."""
    power = np.power(light / 10000, 2610 / 16384)
    return np.asarray(np.power((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power), 2523 / 32))


def hlg_scene(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """0..1 in HLG to the light of the scene, 0..1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(code <= 0.5, code * code / 3, (np.exp((code - c) / a) + b) / 12)


def compressed(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """cd/m2 of 0..PEAK to cd/m2 of 0..WHITE: the curve of BT.2390, in steps of equal visibility (PQ)."""
    peak = pq_code(np.asarray(PEAK))
    white = pq_code(np.asarray(WHITE)) / peak
    knee = 1.5 * white - 0.5
    code = pq_code(np.minimum(light, PEAK)) / peak
    t = np.maximum((code - knee) / (1 - knee), 0)
    shoulder = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * white
    return pq_light(np.where(code < knee, code, shoulder) * peak)


_CODES = np.linspace(0, 1, 65536)
_PQ = (pq_light(_CODES) / WHITE).astype(np.float32)
_HLG = hlg_scene(_CODES).astype(np.float32)
_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)


def _gain_table() -> Floats:
    """The factor of the curve, by the square root of the light in shares of PEAK."""
    light = np.linspace(0, 1, _STEPS) ** 2 * PEAK
    light[0] = light[1]
    return np.asarray(compressed(light) / light, dtype=np.float32)


_GAIN = _gain_table()


def _gain(brightest: Floats) -> Floats:
    """The factor of the curve for light of which 1 is WHITE; light beyond PEAK becomes 1."""
    root = np.sqrt(np.minimum(brightest * np.float32(WHITE / PEAK), 1))
    gain = _GAIN[np.round(root * (_STEPS - 1)).astype(np.uint16)]
    return np.asarray(np.minimum(gain, 1 / np.maximum(brightest, 1)), dtype=np.float32)


def _pq(codes: NDArray[np.uint16]) -> Floats:
    return _PQ[codes]


def _hlg(codes: NDArray[np.uint16]) -> Floats:
    """As on a display of PEAK: its gamma is 1.2 (BT.2100)."""
    scene = _HLG[codes]
    return np.asarray(scene * np.power(scene @ _LUMA, np.float32(0.2))[..., None] * np.float32(PEAK / WHITE))


_TRANSFERS: Mapping[int, tuple[str, Callable[[NDArray[np.uint16]], Floats]]] = {
    int(ColorTrc.SMPTE2084): ("PQ", _pq),
    int(ColorTrc.ARIB_STD_B67): ("HLG", _hlg),
}

_BT2020 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32)
_P3 = np.array([[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]], np.float32)
_TO_SRGB: Mapping[int, NDArray[np.float32]] = {
    int(ColorPrimaries.SMPTE432): _P3,
    int(ColorPrimaries.BT709): np.eye(3, dtype=np.float32),
}
"""Primaries to those of sRGB; HDR is BT.2020 (BT.2087) unless the file says otherwise."""


def hdr_name(frame: Any) -> str:
    """PQ or HLG, or nothing for an av.VideoFrame of standard range."""
    return _TRANSFERS[int(frame.color_trc)][0] if int(frame.color_trc) in _TRANSFERS else ""


def hdr_to_rgba(frame: Any, least: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """av.VideoFrame of PQ or HLG to uint8 `[H, W, 4]`, sRGB, as stored, with its alpha or opaque.

    least: (width, height) that is needed: a larger picture is shrunk to cover it, which makes films fast enough. In PQ
    and HLG, as in sRGB, equal steps are about equally visible, so that is a fair average.
    """
    width, height = frame.width, frame.height
    if least is not None:
        share = min(1.0, max(least[0] / width, least[1] / height))
        width, height = round(width * share), round(height * share)
    codes = frame.reformat(width=width, height=height, format="rgba64le").to_ndarray()
    transfer = _TRANSFERS[int(frame.color_trc)][1]
    matrix = _TO_SRGB.get(int(frame.color_primaries), _BT2020)
    rgba = np.empty(codes.shape, np.uint8)
    for top in range(0, height, _ROWS):
        light = transfer(codes[top : top + _ROWS, :, :3])
        light *= _gain(light.max(axis=-1))[..., None]
        rgba[top : top + _ROWS, :, :3] = srgb(np.asarray(cv2.transform(light, matrix)))
    rgba[..., 3] = codes[..., 3] >> 8
    return rgba
