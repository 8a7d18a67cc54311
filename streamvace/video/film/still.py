"""Still pictures and animations in picture files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.video.film.animated_webp import animation_frames, is_animated
from streamvace.video.film.decode import DEFAULT_RATE, FileInfo, Picture, Tell, Timed, Video, to_rgba
from streamvace.video.film.opening import unreadable

NAMED = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
"""Suffixes of the pictures that can be named as references, first and last frames."""

LARGEST_PIXELS = 16_000_000
"""Of a picture as it is kept, 64 MB: several times a show's size."""


def picture_frames(path: Path, tell: Tell = lambda line: None) -> Iterator[Timed]:
    """The picture, or every frame of an animated one, decoded now. Raises UserError, one line."""
    try:
        if path.is_file() and is_animated(path):
            return animation_frames(path)
        return iter([(0.0, 1 / DEFAULT_RATE, _decoded(path, tell))])
    except (av.FFmpegError, OSError) as error:
        raise unreadable(path, error) from error


def picture_info(path: Path) -> FileInfo:
    """Size and, of an animated picture, length and mean rate. Raises UserError."""
    shots = list(picture_frames(path))
    start, duration, picture = shots[-1]
    rate = len(shots) / (start + duration) if len(shots) > 1 else DEFAULT_RATE
    return FileInfo(*picture.size, rate, len(shots))


def load_picture(path: Path) -> NDArray[np.uint8]:
    """A still picture as uint8 `[H, W, 4]`, RGBA, straight alpha, upright, shrunk to LARGEST_PIXELS if it has more.

    Raises UserError, one line, for an unsupported file type, a file beyond the limits, or a damaged file.
    """
    if path.suffix.lower() not in NAMED:
        raise UserError(f"{path.name} is not a supported picture ({', '.join(NAMED)}); convert it to .png")
    _, _, picture = next(picture_frames(path))
    if path.is_file() and is_animated(path):
        raise UserError(f"{path.name} is animated; save one picture of it as .png")
    return _shrunk(to_rgba(picture))


def _decoded(path: Path, tell: Tell) -> Picture:
    with Video(path) as video:
        _, _, picture = next(video.frames(tell=tell), (0.0, 0.0, None))
    if picture is None:
        raise UserError(f"{path} is damaged (it holds no picture); save it again, or replace it")
    return picture


def _shrunk(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    share = (LARGEST_PIXELS / (width * height)) ** 0.5
    if share >= 1:
        return pixels
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
