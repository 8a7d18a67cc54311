"""Animated WebP pictures as films. FFmpeg reads only still ones; OpenCV reads both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import pip_command
from streamvace.video.film.decode import Picture, Timed

MAX_PIXELS = 64_000_000
"""Of all frames together: OpenCV decodes them at once, 256 MB."""

_ANIMATED = 2
"""The flag of an animation in a WebP's header."""

_UNTIMED_S = 0.1
"""Of a frame that has no duration, as in browsers."""


def is_animated(path: Path) -> bool:
    """Whether the file is an animated WebP, whatever its name."""
    with path.open("rb") as file:
        head = file.read(21)
    return len(head) == 21 and head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and bool(head[20] & _ANIMATED)


def animation_frames(path: Path) -> Iterator[Timed]:
    """Every frame. Raises UserError at once for a file that cannot be decoded."""
    data = path.read_bytes()
    _check(path, data)
    if not hasattr(cv2, "imdecodeanimation"):
        raise UserError(
            f"{path} is an animated WebP, which needs OpenCV 4.11 or newer; "
            f"run: {pip_command('-U', 'opencv-python-headless')}"
        )
    decoded, animation = cv2.imdecodeanimation(np.frombuffer(data, np.uint8))
    if not decoded or not animation.frames:
        raise UserError(f"{path} is a damaged animated WebP; save it again, or as .mp4")
    return _timed(animation)


def _timed(animation: cv2.Animation) -> Iterator[Timed]:
    at = 0.0
    for pixels, milliseconds in zip(animation.frames, animation.durations, strict=True):
        duration = milliseconds / 1000 or _UNTIMED_S
        order = cv2.COLOR_BGR2RGBA if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        frame = av.VideoFrame.from_ndarray(cv2.cvtColor(pixels, order), format="rgba")
        yield at, duration, Picture(frame)
        at += duration


def _check(path: Path, data: bytes) -> None:
    """Raises UserError for an animation that is too large to decode."""
    width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    pixels = width * height * _count(data)
    if pixels > MAX_PIXELS:
        raise UserError(
            f"{path} has {pixels / 1e6:.0f} megapixels in all frames, at most {MAX_PIXELS / 1e6:.0f} are read of an "
            "animated WebP; save it as .mp4 or .gif"
        )


def _count(data: bytes) -> int:
    """How many frames the chunks of the file hold."""
    count, at = 0, 12
    while at + 8 <= len(data):
        count += data[at : at + 4] == b"ANMF"
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return count
