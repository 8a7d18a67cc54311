"""A film written by a process of its own, so that encoding never takes a turn from the output clock.

FFmpeg lets go of the interpreter while it works, but on a full processor the encoder's thread is put aside in the
moments when it holds it, and the clock's thread waits with it, for tens of milliseconds. The process also steps back
behind the show.

Frames go through the child's standard input: a head, then the pixels. When that ends, because the film was closed or
because the show was killed, the child finishes the file and names it. What went wrong comes back as one line.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import av
import numpy as np
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.system.priority import step_back
from streamvace.video.film.format import FORMATS, FilmFormat
from streamvace.video.film.writer import VideoWriter, check_place, part_of

_HEAD: Final = struct.Struct("<qIII")
"""Place in the film, then height, width and channels of the uint8 pixels that follow."""

_ROOT = Path(__file__).resolve().parents[3]
_NO_WINDOW = 0x08000000
"""Windows' CREATE_NO_WINDOW: no console of its own on the screen, and no Ctrl-C from ours."""


class FilmProcess:
    """A `VideoWriter` in another process. Blocking; used by one thread. Its start is not waited for."""

    def __init__(self, path: Path, size: tuple[int, int], rate: float, film_format: FilmFormat) -> None:
        """size: (width, height); rate: frames a second. Raises UserError as VideoWriter does, at once: what only the
        encoder finds out is raised by `write` or `close`."""
        check_place(path, film_format)
        self.path = path
        self.part = part_of(path)
        try:
            self.part.open("ab").close()
        except OSError as error:
            raise UserError(f"cannot write {self.part} ({error.strerror}); choose another name or folder") from error
        name = next(name for name, row in FORMATS.items() if row is film_format)
        words = [str(path), str(size[0]), str(size[1]), repr(rate), name]
        found = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        self._failed = False
        self._child = subprocess.Popen(
            [sys.executable, "-m", "streamvace.video.film.process", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": found},
            creationflags=_NO_WINDOW if sys.platform == "win32" else 0,
            start_new_session=True,  # Ctrl-C ends the show, which ends the film
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    def write(self, pixels: NDArray[np.uint8], index: int) -> None:
        """Hand over uint8 `[H, W, 3 or 4]`, straight alpha, for this place in the film. Waits while the encoder is
        behind; raises OSError once it has given up."""
        assert self._child.stdin is not None
        height, width, channels = pixels.shape
        try:
            for left in (memoryview(_HEAD.pack(index, height, width, channels)), np.ascontiguousarray(pixels).data):
                left = left.cast("B")
                while left:
                    left = left[self._child.stdin.write(left) :]
        except OSError:  # nobody reads any more: the child knows why
            self._end()

    def close(self) -> None:
        """Finish the file and give it its name; without a frame there is no file. Idempotent. Raises OSError."""
        if not self._failed and self._child.poll() != 0:
            self._end()

    def _end(self) -> None:
        """Wait for the child's end; raise what it said if it did not end well."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with suppress(OSError):  # broken already
            self._child.stdin.close()
        with self._child.stdout as told:
            reason = told.read().decode("utf-8", "replace").strip()
        if self._child.wait() != 0:
            self._failed = True
            raise OSError(reason or f"the encoder's process ended with code {self._child.returncode}")


def frames(stream: BinaryIO) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """(place, pixels) until the stream ends; a frame that it breaks off in is left out."""
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        index, height, width, channels = _HEAD.unpack(head)
        pixels = np.empty((height, width, channels), np.uint8)
        data = stream.read(pixels.size)
        if len(data) < pixels.size:
            return
        pixels.data.cast("B")[:] = data
        yield index, pixels


def main(words: Sequence[str]) -> int:
    """The child: PATH WIDTH HEIGHT RATE FORMAT, frames on standard input. 0, or 1 and the reason on standard output."""
    step_back()
    path, width, height, rate, name = words
    try:
        writer = VideoWriter(Path(path), (int(width), int(height)), float(rate), FORMATS[name])
        try:
            for index, pixels in frames(sys.stdin.buffer):
                writer.write(pixels, index)
        finally:  # also after a fault: what fitted on the disk is a film
            writer.close()
    except (UserError, av.FFmpegError, OSError) as error:
        sys.stdout.buffer.write(" ".join(str(error).split()).encode("utf-8", "replace"))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
