"""A film written by a process of its own, so that encoding never delays the output clock.

FFmpeg releases the interpreter lock while it works. On a busy processor, though, the encoder's thread can be suspended
while it holds the lock, and the clock's thread then waits for tens of milliseconds. The process also runs at a lower
priority than the show.

Frames go through the child's standard input: a header, then the pixels. When the input ends, because the film was
closed or the show was killed, the child finishes the file and renames it. An error comes back as one line, and its kind
as the exit code.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import av
import numpy as np
from numpy.typing import NDArray

from streamvace.system.child import start_child
from streamvace.system.errors import UserError
from streamvace.system.priority import step_back
from streamvace.video.film.format import FORMATS, FilmFormat
from streamvace.video.film.writer import VideoWriter, begin_part

_HEAD: Final = struct.Struct("<qIII")
"""Header: index in the film, then height, width and channels of the uint8 pixels that follow."""

_FAILED, _FOR_THE_USER = 1, 3
"""Exit codes of the child: an error of the system or of FFmpeg, and a whole sentence for the user. Python itself ends
with 2 for words that it does not know."""


class FilmProcess:
    """A `VideoWriter` in another process. Blocking; used by one thread. The constructor does not wait for the child."""

    def __init__(self, path: Path, size: tuple[int, int], rate: float, film_format: FilmFormat) -> None:
        """size: (width, height); rate: frames a second.

        Raises UserError for a name, folder or file that cannot be written; errors of the encoder are raised by `write`
        and `close`.
        """
        self.path = path
        self.part = begin_part(path, film_format)
        name = next(name for name, row in FORMATS.items() if row is film_format)
        words = [str(path), str(size[0]), str(size[1]), repr(rate), name]
        self._failed = False
        self._child = start_child("streamvace.video.film.process", *words)

    @property
    def pid(self) -> int:
        return self._child.pid

    def write(self, pixels: NDArray[np.uint8], index: int) -> None:
        """Send uint8 `[H, W, 3 or 4]`, straight alpha, for the place `index` in the film. Waits while the encoder is
        behind. Raises OSError or UserError when the encoder has failed."""
        assert self._child.stdin is not None
        height, width, channels = pixels.shape
        try:
            for left in (memoryview(_HEAD.pack(index, height, width, channels)), np.ascontiguousarray(pixels).data):
                left = left.cast("B")
                while left:
                    left = left[self._child.stdin.write(left) :]
        except OSError:  # the child has ended and says why
            self._end()

    def close(self) -> None:
        """Finish the file and rename it; without a frame there is no file. Idempotent.

        Raises UserError with the place of the film if it cannot be renamed, and OSError for every other failure.
        """
        if not self._failed and self._child.poll() != 0:
            self._end()

    def _end(self) -> None:
        """Wait for the end of the child. Raises OSError or UserError with its message if it failed."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with suppress(OSError):  # broken already
            self._child.stdin.close()
        with self._child.stdout as output:
            reason = output.read().decode("utf-8", "replace").strip()
        code = self._child.wait()
        self._failed = code != 0
        if code == _FOR_THE_USER:
            raise UserError(reason)
        if code != 0:
            raise OSError(reason or f"the encoder's process ended with code {code}")


def frames(stream: BinaryIO) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """(index, pixels) until the stream ends; an incomplete last frame is dropped."""
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        index, height, width, channels = _HEAD.unpack(head)
        pixels = np.empty((height, width, channels), np.uint8)
        data = stream.read(pixels.size)
        if len(data) < pixels.size:
            return
        pixels.data.cast("B")[:] = data
        yield index, pixels


def main(words: Sequence[str]) -> int:
    """The child: PATH WIDTH HEIGHT RATE FORMAT, frames on standard input. 0, or _FAILED or _FOR_THE_USER and the
    reason on standard output."""
    step_back()
    path, width, height, rate, name = words
    try:
        writer = VideoWriter(Path(path), (int(width), int(height)), float(rate), FORMATS[name])
        try:
            for index, pixels in frames(sys.stdin.buffer):
                writer.write(pixels, index)
        finally:  # also after an error: what fits on the disk is a film
            writer.close()
    except (UserError, av.FFmpegError, OSError) as error:
        sys.stdout.buffer.write(" ".join(str(error).split()).encode("utf-8", "replace"))
        return _FOR_THE_USER if isinstance(error, UserError) else _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
