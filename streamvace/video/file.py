"""A video file or a still picture as a source: live at its own rate, or frame by frame for offline work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from streamvace.errors import UserError
from streamvace.video.decode import decoded, open_video, to_rgba
from streamvace.video.pacing import Clock, ShowClock
from streamvace.video.resize import fit_cover
from streamvace.video.threaded import ThreadedSource

Fit = Callable[[NDArray[np.uint8], tuple[int, int]], NDArray[np.uint8]]
"""Brings pixels `[H, W, 4]` to a size (width, height)."""


def read_frames(path: Path, size: tuple[int, int], fit: Fit = fit_cover) -> Iterator[NDArray[np.uint8]]:
    """Every frame of the file, once and in order, as uint8 `[height, width, 4]`.

    Raises UserError at once when the file cannot be opened, and while iterating where it turns out damaged.
    """
    container, stream = open_video(path)

    def frames() -> Iterator[NDArray[np.uint8]]:
        count = 0
        try:
            for _, _, frame in decoded(container, stream):
                yield fit(to_rgba(frame), size)
                count += 1
        except av.FFmpegError as error:
            raise UserError(f"{path} is damaged after frame {count} ({error}); convert or replace it") from error

    return frames()


class FileSource(ThreadedSource):
    """Plays a file in a loop at its own rate; a still picture is given again and again.

    Frames are decoded one ahead of their time and then held until it comes. A decoder that cannot keep up skips
    frames (`late`), and slows the film down only when it is more than a second behind.
    """

    STILL_RATE = 24.0
    MOST_SKIPPED = 3
    BEHIND_SECONDS = 1.0
    RETRY_SECONDS = 1.0

    def __init__(self, path: Path, size: tuple[int, int], fit: Fit = fit_cover, clock: Clock | None = None) -> None:
        """size: (width, height) of the frames given. Raises UserError when the file cannot be opened."""
        super().__init__(path.name)
        self.passes = 0
        """How often the file was played to its end."""
        self.late = 0
        """Frames skipped because their time was over before they were decoded."""
        self._path = path
        self._size = size
        self._fit = fit
        self._clock: Clock = clock or ShowClock()
        self._opened: tuple[Any, Any] | None = open_video(path)  # fail here, on the caller's thread, not later
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

    def _play_once(self) -> None:
        # Opening again takes a few milliseconds, works for every container, and starts the codec clean; seeking does
        # neither for all of them.
        container, stream = self._opened or open_video(self._path)
        self._opened = None
        end = 0.0
        shown: NDArray[np.uint8] | None = None
        count = skipped = 0
        for start, duration, frame in decoded(container, stream):
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
            shown = self._fit(to_rgba(frame), self._size)
            self._clock.wait_until(due_ns, self._stop)
            if self._stop.is_set():
                return
            self._offer(shown, self._clock.now())
        self.passes += 1
        if count == 1 and shown is not None:
            self._hold(shown)
        self._start_ns += round(end * 1e9)

    def _hold(self, pixels: NDArray[np.uint8]) -> None:
        """Give the one picture for ever: a source is judged by the frames it gives, and this one is well."""
        period_ns = round(1e9 / self.STILL_RATE)
        due_ns = self._start_ns
        while not self._stop.is_set():
            due_ns += period_ns
            self._clock.wait_until(due_ns, self._stop)
            self._offer(pixels, self._clock.now())
