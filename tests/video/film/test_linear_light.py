"""Linear light in a file becomes sRGB: every value, every kind of EXR, whatever FFmpeg the installed PyAV brings."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.video.film.decode import Video, to_rgba
from tests.video.helpers import write_exr

LIGHT = np.concatenate([[np.nan, np.inf, -np.inf], np.linspace(-0.25, 2.0, 61)]).astype(np.float32)
"""What a renderer may write: below black, above white, and no numbers at all."""


def read(path: Path) -> NDArray[np.uint8]:
    _, _, frame = next(Video(path).frames())
    return to_rgba(frame)


def srgb(light: float) -> float:
    """IEC 61966-2-1, 0 to 255, from light that is clipped to 0..1."""
    light = min(max(light, 0.0), 1.0)
    return 255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.filterwarnings("error")  # of numbers that no byte can be made of
@pytest.mark.parametrize("depth", ["half", "float"])
@pytest.mark.parametrize(("pixels", "channels"), [("gbrpf32le", 3), ("gbrapf32le", 4), ("grayf32le", 1)])
def test_every_kind_of_exr_has_the_curve_of_srgb(tmp_path: Path, pixels: str, channels: int, depth: str) -> None:
    image = np.repeat(np.broadcast_to(LIGHT[None, :, None], (48, 64, 1)), channels, axis=2)
    alpha = np.linspace(0, 1, 64, dtype=np.float32) if channels == 4 else np.ones(64, np.float32)
    if channels == 4:
        image[..., 3] = alpha
    write_exr(tmp_path / "light.exr", image if channels > 1 else image[..., 0], pixels, depth)
    shown = read(tmp_path / "light.exr")
    assert (shown.shape, shown.dtype) == ((48, 64, 4), np.uint8)
    expected = np.array([0.0, 255.0, 0.0, *(srgb(float(light)) for light in LIGHT[3:])])
    assert np.abs(shown[..., :3] - expected[None, :, None]).max() <= 0.6
    assert np.abs(shown[..., 3] - 255 * alpha).max() < 1


@pytest.mark.parametrize("name", ["a.hdr", "a.pfm", "a.tif", "gray.pfm"])
def test_other_pictures_of_floats_are_linear_light_too(tmp_path: Path, name: str) -> None:
    light = np.broadcast_to(np.linspace(0, 1.5, 64, dtype=np.float32)[None, :, None], (48, 64, 3)).copy()
    given = light[..., 0] if name.startswith("gray") else light
    assert cv2.imwrite(str(tmp_path / name), given)
    shown = read(tmp_path / name)[..., :3]
    expected = np.array([srgb(float(each)) for each in light[0, :, 0]])
    assert np.abs(shown - expected[None, :, None]).max() <= 2  # Radiance HDR has eight bits and an exponent
    assert np.abs(shown[0, 21].astype(int) - 188).max() <= 2  # half the light is 188 in sRGB


def test_dark_light_keeps_its_steps(tmp_path: Path) -> None:
    dark = np.linspace(0, 0.01, 64, dtype=np.float32)
    write_exr(tmp_path / "dark.exr", np.broadcast_to(dark[None, :, None], (48, 64, 3)), "gbrpf32le", "float")
    row = read(tmp_path / "dark.exr")[0, :, 0]
    assert np.abs(row - np.array([srgb(float(light)) for light in dark])).max() <= 0.6
