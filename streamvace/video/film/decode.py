"""Video files and still pictures, frame by frame, upright, as RGBA."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.video.film.linear_light import is_linear, linear_to_rgba

DEFAULT_RATE = 24.0
"""Frames a second if a file does not say."""

_ROUNDING_S = 1e-3
"""Tolerance: times are fractions in a file and decimals in an address. Shorter than any frame."""

Timed = tuple[float, float, Any]
"""(start, duration, frame): seconds from the first frame given, seconds, av.VideoFrame."""


@dataclass(frozen=True, slots=True)
class FileInfo:
    """width and height: in pixels, upright; rate: frames a second; frames: counted or estimated, 0 if unknown."""

    width: int
    height: int
    rate: float
    frames: int


def file_info(path: Path) -> FileInfo:
    """Read the header and the first frame. Raises UserError if the file is missing or holds no picture."""
    container, stream = open_video(path)
    with container:
        try:
            first = next(container.decode(stream), None)
        except av.FFmpegError as error:
            raise _unreadable(path, str(error)) from error
        if first is None:
            raise _unreadable(path, "it holds no frame")
        rate = float(stream.average_rate or DEFAULT_RATE)
        seconds = float(stream.duration * stream.time_base) if stream.duration else 0.0
        turned = _quarter_turns(first) % 2 == 1
        width, height = (first.height, first.width) if turned else (first.width, first.height)
        return FileInfo(width, height, rate, stream.frames or round(seconds * rate))


def open_video(path: Path) -> tuple[Any, Any]:
    """The open container and its first video stream. Raises UserError."""
    if not path.is_file():
        raise _missing(path)
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise _unreadable(path, str(error)) from error
    if not container.streams.video:
        container.close()
        raise _unreadable(path, "it holds no picture")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return container, stream


def decoded(container: Any, stream: Any, start: float = 0.0) -> Iterator[Timed]:
    """Every frame in presentation order, from `start` seconds after the first one.

    Frames are not converted yet, so that late ones can be skipped cheaply. Closes the container at the end.
    """
    period = 1.0 / float(stream.average_rate or DEFAULT_RATE)
    first_pts: int | None = None
    at = -period
    with container:
        if start > 0:
            first_pts = stream.start_time or 0
            # Seeks to the key frame before; frames up to `start` are decoded and skipped.
            container.seek(first_pts + round(start / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            if frame.pts is None:
                at += period
            else:
                first_pts = frame.pts if first_pts is None else first_pts
                at = float((frame.pts - first_pts) * frame.time_base)
            duration = float(frame.duration * frame.time_base) if frame.duration else period
            if at + duration > start + _ROUNDING_S:
                yield max(at - start, 0.0), duration, frame


def to_rgba(frame: Any) -> NDArray[np.uint8]:
    """av.VideoFrame to uint8 `[H, W, 4]` RGBA, sRGB, turned upright, with the file's alpha or opaque."""
    pixels = linear_to_rgba(frame) if is_linear(frame) else np.asarray(frame.to_ndarray(format="rgba"), dtype=np.uint8)
    turns = _quarter_turns(frame)
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _quarter_turns(frame: Any) -> int:
    """Counter-clockwise quarter turns that make the frame upright: phones store rotated pictures."""
    turns: int = round(frame.rotation / 90) % 4
    return turns


def _missing(path: Path) -> UserError:
    folder = path.parent
    if not folder.is_dir():
        return UserError(f"no file {path}: the folder {folder} does not exist; check the path")
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    there = f"similar there: {', '.join(near)}" if near else f"{len(names)} other files there"
    return UserError(f"no file {path.name} in {folder.resolve()} ({there}); check the name")


def _unreadable(path: Path, why: str) -> UserError:
    reason = " ".join(why.split())
    return UserError(
        f"{path} cannot be read as video or picture ({reason}); "
        f'convert it with: ffmpeg -i "{path}" -pix_fmt yuv420p "{path.stem}-converted.mp4"'
    )
