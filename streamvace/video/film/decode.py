"""Video files and still pictures, frame by frame: upright, with square pixels, as RGBA in sRGB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.video.film.deinterlace import deinterlaced
from streamvace.video.film.high_dynamic_range import hdr_name, hdr_to_rgba
from streamvace.video.film.linear_light import is_linear, linear_to_rgba
from streamvace.video.film.opening import decoder_of, open_container, unreadable
from streamvace.video.film.orientation import display_matrix, is_turned, upright

DEFAULT_RATE = 24.0
"""Frames a second if a file does not say."""

_ROUNDING_S = 1e-3
"""Tolerance: times are fractions in a file and decimals in an address. Shorter than any frame."""

_PIXEL_SHAPES = (Fraction(1, 4), Fraction(4))
"""Width to height. Anamorphic lenses squeeze by 2; anything beyond these is a mistake in the file, and is ignored."""

_PROMISES = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")
"""FFmpeg's names of containers that say at the beginning how long they are."""

_SLACK_S = 0.1
"""How much earlier than its container says a film may end, if that is longer than a frame and a half: rounding, and a
last frame without a duration."""


class CutOff(UserError):
    """A film that ends before the end that its container states. Raised after its last frame."""


@dataclass(frozen=True, slots=True)
class FileInfo:
    """width and height: in square pixels, upright; rate: frames a second; frames: counted or estimated, 0 if
    unknown."""

    width: int
    height: int
    rate: float
    frames: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture that is not converted yet, so that late ones can be skipped cheaply.

    frame: av.VideoFrame. aspect: width to height of a stored pixel.
    """

    frame: Any
    aspect: Fraction = Fraction(1)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) as shown."""
        width, height = max(1, round(self.frame.width * self.aspect)), self.frame.height
        return (height, width) if is_turned(display_matrix(self.frame)) else (width, height)


Timed = tuple[float, float, Picture]
"""(start, duration, picture): seconds from the first picture given, seconds, picture."""

Tell = Callable[[str], object]
"""Takes a line for the user."""


class Video:
    """A video file or a still picture, open. A context manager; it also closes after its last frame."""

    def __init__(self, path: Path) -> None:
        """Raises UserError if the file is missing or holds no picture."""
        self._path = path
        self._container, self._stream = open_container(path)
        self._decoder = decoder_of(path, self._stream)
        shape = self._stream.sample_aspect_ratio or Fraction(1)
        self._aspect = shape if _PIXEL_SHAPES[0] <= shape <= _PIXEL_SHAPES[1] else Fraction(1)
        rate = float(self._stream.average_rate or 0)
        self._rate = rate if rate > 0 else DEFAULT_RATE

    @property
    def seconds(self) -> float:
        """Length; 0 if the file does not say."""
        return float((self._container.duration or 0) / av.time_base)

    def info(self) -> FileInfo:
        """Read the first frame. Raises UserError if there is none."""
        first = next(self._pictures(0.0), None)
        if first is None:
            raise UserError(f"{self._path} holds no frame; name another file")
        stream = self._stream
        seconds = float(stream.duration * stream.time_base) if stream.duration else self.seconds
        return FileInfo(*Picture(first, self._aspect).size, self._rate, stream.frames or round(seconds * self._rate))

    def frames(self, start: float = 0.0, tell: Tell = lambda line: None) -> Iterator[Timed]:
        """Every frame in presentation order, from `start` seconds after the first one.

        tell: takes a line that says how the pictures are converted. Raises av.FFmpegError for a damaged file, and
        CutOff after the last frame of one that ends too early.
        """
        period = 1.0 / self._rate
        first_pts: int | None = None
        at = -period
        with self:
            if start > 0:
                first_pts = self._stream.start_time or 0
                # Seeks to the key frame before; frames up to `start` are decoded and skipped.
                self._container.seek(first_pts + round(start / self._stream.time_base), stream=self._stream)
            for frame in deinterlaced(self._described(start, tell)):
                if frame.pts is None:
                    at += period
                else:
                    first_pts = frame.pts if first_pts is None else first_pts
                    at = float((frame.pts - first_pts) * frame.time_base)
                duration = float(frame.duration * frame.time_base) if frame.duration else period
                if at + duration > start + _ROUNDING_S:
                    yield max(at - start, 0.0), duration, Picture(frame, self._aspect)

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._container.close()

    def __enter__(self) -> Video:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _described(self, start: float, tell: Tell) -> Iterator[Any]:
        """The frames as decoded. Tells how they are converted, once for every kind of frame."""
        told: set[tuple[str, bool]] = set()
        for frame in self._pictures(start):
            kind = (hdr_name(frame), frame.interlaced_frame)
            if kind not in told:
                told.add(kind)
                if line := self._conversion(*kind):
                    tell(line)
            yield frame

    def _conversion(self, hdr: str, interlaced: bool) -> str:
        shape = f"{self._aspect.numerator}:{self._aspect.denominator}"
        done = [
            f"tone-mapped from HDR ({hdr}) to sRGB" if hdr else "",
            f"scaled from pixels of {shape} to square ones" if self._aspect != 1 else "",
            "deinterlaced" if interlaced else "",
        ]
        text = ", ".join(filter(None, done))
        return f"{self._path.name} is {text}" if text else ""

    def _pictures(self, start: float) -> Iterator[Any]:
        """The frames as decoded, from the key frame before `start`. Raises as `frames` does."""
        count = 0
        reached = 0.0
        torn = False
        broken: tuple[int, av.FFmpegError] | None = None
        for packet in self._container.demux():
            if packet.pts is not None:
                reached = max(reached, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream is not self._stream:
                continue
            torn = packet.is_corrupt if packet.size else torn
            try:
                frames = self._decoder.decode(packet)
            except av.FFmpegError as error:
                broken = broken or (packet.pts or 0, error)
                continue
            for frame in frames:
                if broken is not None and (frame.pts is None or frame.pts > broken[0]):
                    raise broken[1]  # in the middle: more follows
                count += 1
                yield frame
        promises = self._container.duration and self._container.format.name in _PROMISES
        if broken is not None and not (count and promises):
            raise broken[1]
        if promises and (torn or broken is not None or self._ends_early(reached)):
            raise self._cut_off(reached, count if start == 0 else 0)

    def _ends_early(self, reached: float) -> bool:
        """Whether the file ends before its index or its stated length does. reached: end of the last packet of any
        stream, in seconds."""
        container, stream = self._container, self._stream
        missing = self.seconds + self._begin - reached
        outside = any(entry.pos + entry.size > container.size for entry in stream.index_entries)
        return outside or missing > max(_SLACK_S, 1.5 / self._rate)

    def _cut_off(self, reached: float, count: int) -> CutOff:
        """count: frames from the beginning, 0 if unknown."""
        promised = self._stream.frames if count else 0
        seconds = f"{reached - self._begin:.1f} of {self.seconds:.1f} s"
        there = f"{count} of {promised} frames" if promised else seconds
        return CutOff(f"{self._path} is cut off: {there} can be read; copy it again from where it is whole")

    @property
    def _begin(self) -> float:
        """The time of the first frame or sound in seconds."""
        return float((self._container.start_time or 0) / av.time_base)


def file_info(path: Path) -> FileInfo:
    """Read the header and the first frame. Raises UserError if the file is missing or holds no picture."""
    with Video(path) as video:
        try:
            return video.info()
        except av.FFmpegError as error:
            raise unreadable(path, error) from error


def to_rgba(picture: Picture, least: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """uint8 `[H, W, 4]` RGBA, sRGB, upright, with square pixels, and with the file's alpha or opaque.

    least: (width, height) that is needed; what is slow to convert (HDR) is shrunk to cover it.
    """
    frame, matrix = picture.frame, display_matrix(picture.frame)
    if hdr_name(frame):
        pixels = hdr_to_rgba(frame, least[::-1] if least and is_turned(matrix) else least)
    elif is_linear(frame):
        pixels = linear_to_rgba(frame)
    else:
        # More threads would be started and ended for every frame.
        pixels = np.asarray(frame.to_ndarray(format="rgba", threads=1), dtype=np.uint8)
    if picture.aspect != 1:
        height, width = pixels.shape[:2]
        pixels = np.asarray(cv2.resize(pixels, (max(1, round(width * picture.aspect)), height)), dtype=np.uint8)
    return upright(pixels, matrix)
