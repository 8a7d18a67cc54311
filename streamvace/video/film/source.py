"""A video file, a sequence of pictures or a still: live at its own rate, or frame by frame for rendering."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from streamvace.system.clock import Clock, ShowClock
from streamvace.system.errors import UserError
from streamvace.system.paths import is_uri, user_path
from streamvace.video.core.address import parse_address
from streamvace.video.core.resize import fit_cover
from streamvace.video.core.threaded import ThreadedSource
from streamvace.video.film.decode import DEFAULT_RATE, CutOff, FileInfo, Tell, Timed, Video, file_info, to_rgba
from streamvace.video.film.opening import is_picture_file
from streamvace.video.film.picture_process import PictureProcess
from streamvace.video.film.sequence import Decode, sequence_files, sequence_frames
from streamvace.video.film.still import picture_frames, picture_info

log = logging.getLogger(__name__)

FPS_LIMITS = (0.1, 1000.0)
"""Fewest and most pictures a second of a sequence."""

Fit = Callable[[NDArray[np.uint8], tuple[int, int]], NDArray[np.uint8]]
"""Fits pixels, uint8 `[H, W, 4]`, to a size (width, height)."""


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How a file is played, as in `file:clip.mp4?rate=0.5&start=3&loop=0`."""

    loop: bool = True
    """Play in a loop; otherwise once, and then hold the last frame."""

    rate: float = 1.0
    """Speed: 0.5 is half as fast."""

    start: float = 0.0
    """Seconds to skip at the beginning of every pass."""

    fps: float = DEFAULT_RATE
    """Pictures a second of a sequence; a video has its own rate."""

    def __post_init__(self) -> None:
        for name, value, low, high in (("rate", self.rate, 0.01, 100), ("fps", self.fps, *FPS_LIMITS)):
            if not low <= value <= high:
                raise ValueError(f"{name} is from {low:g} to {high:g}, not {value:g}")
        if self.start < 0:
            raise ValueError(f"start is 0 seconds or more, not {self.start:g}")


def parse_file(rest: str, defaults: Mapping[str, Any] | None = None) -> tuple[Path, FileOptions]:
    """`PATH?option=value` or a `file:///` address with options. An existing file with a question mark in its name is
    that file. For the command line only: it may look at any file. defaults: of options that are not given. Raises
    UserError."""
    if "?" in rest and not is_uri(rest) and (whole := user_path(rest)).exists():
        return whole, FileOptions(**(defaults or {}))
    name, options = split_file(rest, defaults)
    return user_path(name), options


def split_file(rest: str, defaults: Mapping[str, Any] | None = None) -> tuple[str, FileOptions]:
    """(name as written, options). Only reads the text, so it is the one for names from the network. Raises
    UserError."""
    return parse_address("file", rest, FileOptions, defaults)


def open_frames(
    path: Path, options: FileOptions, skip: Callable[[UserError], None], tell: Tell, decode: Decode
) -> Iterator[Timed]:
    """The frames of a video, a still or a sequence, opened now.

    Raises UserError if it cannot be opened; while iterating, av.FFmpegError for a damaged video, and CutOff after the
    last frame of one that ends too early. `skip` is called for a picture of a sequence that cannot be read, `tell` with
    a line about how the pictures of a video are converted, `decode` for every picture.
    """
    pictures = sequence_files(path)
    if pictures:
        return sequence_frames(pictures, options.fps, options.start, skip, decode)
    if path.is_file() and is_picture_file(path):
        return later(decode(path), options.start)
    video = Video(path)
    seconds = video.seconds
    if options.start and seconds and options.start >= seconds:
        video.close()
        raise UserError(f"{path} lasts {seconds:.1f} s and start is {options.start:g}; start earlier")
    return video.frames(options.start, tell)


def later(frames: Iterator[Timed], start: float) -> Iterator[Timed]:
    """The frames from `start` seconds on, or the last one if there are none so late."""
    last: Timed | None = None
    for at, duration, picture in frames:
        last = (0.0, duration, picture)
        if at + duration > start:
            yield max(at - start, 0.0), duration, picture
            last = None
    if last is not None:
        yield last


def clip_info(path: Path) -> FileInfo:
    """`file_info` of a video, a still or the first picture of a sequence, which has DEFAULT_RATE."""
    pictures = sequence_files(path)
    if not pictures:
        return picture_info(path) if path.is_file() and is_picture_file(path) else file_info(path)
    first = picture_info(pictures[0])
    return FileInfo(first.width, first.height, DEFAULT_RATE, len(pictures))


def read_frames(path: Path, size: tuple[int, int], fit: Fit = fit_cover) -> Iterator[NDArray[np.uint8]]:
    """Every frame of the file or sequence, once and in order, as uint8 `[height, width, 4]`.

    Raises UserError at once if it cannot be opened, and while iterating if it is damaged; CutOff after the last frame
    of a film that ends too early.
    """
    return (pixels for _, _, pixels in timed_frames(path, size, fit=fit))


def timed_frames(
    path: Path,
    size: tuple[int, int],
    options: FileOptions | None = None,
    fit: Fit = fit_cover,
    tell: Tell = lambda line: None,
) -> Iterator[tuple[float, float, NDArray[np.uint8]]]:
    """`read_frames` with times: (start, duration, pixels), in seconds from the first frame given, at the speed asked
    for. Does not loop. tell: takes a line about how the pictures are converted."""

    def damaged(error: UserError) -> None:
        raise error

    how = options or FileOptions()
    opened = open_frames(path, how, damaged, tell, partial(picture_frames, tell=tell))

    def frames() -> Iterator[tuple[float, float, NDArray[np.uint8]]]:
        count = 0
        try:
            for start, duration, picture in opened:
                yield start / how.rate, duration / how.rate, fit(to_rgba(picture, size), size)
                count += 1
        except av.FFmpegError as error:
            raise UserError(f"{path} is damaged after frame {count} ({error}); replace it") from error

    return frames()


class FileSource(ThreadedSource):
    """Plays a file at its own rate or another; repeats a still picture, and without a loop the last frame.

    Each frame is decoded ahead of its time. A decoder that is too slow skips frames (`late`), and slows the film down
    only if it is more than a second behind.
    """

    STILL_RATE = 24.0
    MOST_SKIPPED = 3
    BEHIND_SECONDS = 1.0
    RETRY_SECONDS = 1.0

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        fit: Fit = fit_cover,
        clock: Clock | None = None,
        options: FileOptions | None = None,
    ) -> None:
        """size: (width, height) of the frames offered. Raises UserError if the file cannot be opened."""
        super().__init__(path.name)
        self.passes = 0
        """How often the file was played to its end."""
        self.late = 0
        """Frames skipped because they were decoded too late."""
        self._path = path
        self._size = size
        self._fit = fit
        self._clock: Clock = clock or ShowClock()
        self._options = options or FileOptions()
        self._told: set[str] = set()
        self._pictures = PictureProcess()
        try:
            self._first_pass: Iterator[Timed] | None = self._open()  # raises here, on the caller's thread
        except UserError:
            self._pictures.close()
            raise
        self._start_ns = 0
        self._thread.start()

    def _run(self) -> None:
        self._start_ns = self._clock.now()
        while not self._stop.is_set():
            before = self.frames
            try:
                self._play_once()
            except (av.FFmpegError, UserError) as error:
                self._fault(str(error))
            if self.frames == before:
                self._stop.wait(self.RETRY_SECONDS)

    def _open(self) -> Iterator[Timed]:
        decode = partial(self._pictures.frames, size=self._size, tell=self._tell_once)
        return open_frames(self._path, self._options, lambda error: self._fault(str(error)), self._tell_once, decode)

    def close(self) -> None:
        super().close()
        self._pictures.close()

    def _tell_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            log.warning("source %s: %s", self.name, line)

    def _whole(self, frames: Iterator[Timed]) -> Iterator[Timed]:
        """The frames; what is missing after them is a fault, and the pass still ends as any other."""
        try:
            yield from frames
        except CutOff as error:
            self._fault(str(error))

    def _play_once(self) -> None:
        # Opening again takes milliseconds, works for every container and resets the codec; seeking does not always.
        frames = self._first_pass or self._open()
        self._first_pass = None
        end = 0.0
        shown: NDArray[np.uint8] | None = None
        count = skipped = 0
        for starts, lasts, picture in self._whole(frames):
            start, duration = starts / self._options.rate, lasts / self._options.rate
            due_ns = self._start_ns + round(start * 1e9)
            behind = (self._clock.now() - due_ns) / 1e9
            if behind > self.BEHIND_SECONDS:
                self._start_ns += round(behind * 1e9)
                behind = 0.0
            count += 1
            end = start + duration
            if behind > duration and skipped < self.MOST_SKIPPED:
                skipped += 1
                self.late += 1
                continue
            skipped = 0
            shown = self._fit(to_rgba(picture, self._size), self._size)
            self._clock.wait_until(due_ns, self._stop)
            if self._stop.is_set():
                return
            self._offer(shown, self._clock.now())
        self.passes += 1
        self._start_ns += round(end * 1e9)
        if shown is not None and (count == 1 or not self._options.loop):
            self._pictures.close()
            self._hold(shown)

    def _hold(self, pixels: NDArray[np.uint8]) -> None:
        """Repeat one picture: a source without new frames would count as lost."""
        period_ns = round(1e9 / self.STILL_RATE)
        due_ns = self._start_ns
        while not self._stop.is_set():
            self._clock.wait_until(due_ns, self._stop)
            self._offer(pixels, self._clock.now())
            due_ns += period_ns
