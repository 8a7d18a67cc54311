"""Pictures decoded by a process of its own, so that a bomb or a decoder's crash never touches the show.

It starts for the first picture and can hold only so much memory. Requests are lines of JSON on its standard input,
answers a header, a text and pixels on its standard output. It ends when its input does.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final

import av
import numpy as np
from numpy.typing import NDArray

from streamvace.system.child import own_pipes, start_child
from streamvace.system.console import one_line
from streamvace.system.errors import UserError
from streamvace.system.memory_limit import limit_memory
from streamvace.system.priority import step_back
from streamvace.video.core.resize import fit_cover
from streamvace.video.film.decode import Picture, Tell, Timed, to_rgba
from streamvace.video.film.limits import FileLimits, file_limits, set_file_limits
from streamvace.video.film.still import load_picture, picture_frames

_HEAD: Final = struct.Struct("<III")
"""Header of an answer: height and width of the RGBA pixels, 0 if there are none, and bytes of the text before them."""

BASE_BYTES = 768 * 2**20
"""Memory of the process itself: the interpreter, NumPy, OpenCV and FFmpeg, and the stacks of their threads."""

BYTES_A_PIXEL = 32
"""Memory for a picture of the largest size: decoded in 16 bits or floats, converted, and as RGBA."""


class PictureProcess:
    """Decodes one picture at a time. Thread-safe; callers wait for each other. Starts when it is first asked, and again
    after its end."""

    SECONDS = 60.0
    """A picture that takes longer is given up."""

    def __init__(self, *, in_background: bool = False) -> None:
        """in_background: the process has a lower priority than the show; for pictures that nobody waits for."""
        self._in_background = in_background
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """Of the process, if it runs."""
        return None if self._child is None else self._child.pid

    def load_picture(self, path: Path) -> NDArray[np.uint8]:
        """`still.load_picture`. Raises UserError."""
        return self._ask(path, {"path": str(path)})[1]

    def frames(self, path: Path, size: tuple[int, int], tell: Tell) -> Iterator[Timed]:
        """`still.picture_frames`, fitted to `size` (width, height). The first is decoded now. Raises UserError."""
        first, pixels = self._frame(path, size, 0)
        for line in first["told"]:
            tell(line)
        return self._rest(path, size, first, pixels)

    def close(self) -> None:
        """End the process. Idempotent; it starts again when it is asked again."""
        with self._lock:
            self._end()

    def _rest(self, path: Path, size: tuple[int, int], about: dict[str, Any], pixels: Any) -> Iterator[Timed]:
        for index in range(about["count"]):
            if index > 0:
                about, pixels = self._frame(path, size, index)
            yield about["start"], about["seconds"], Picture(av.VideoFrame.from_ndarray(pixels, format="rgba"))

    def _frame(self, path: Path, size: tuple[int, int], index: int) -> tuple[dict[str, Any], NDArray[np.uint8]]:
        text, pixels = self._ask(path, {"path": str(path), "size": size, "index": index})
        return json.loads(text), pixels

    def _ask(self, path: Path, request: dict[str, Any]) -> tuple[str, NDArray[np.uint8]]:
        """(text, pixels) of the answer. Raises UserError with the text of an answer without pixels."""
        with self._lock:
            child = self._child = self._child or _started(self._in_background)
            late = threading.Event()

            def give_up() -> None:
                late.set()
                child.kill()

            timer = threading.Timer(self.SECONDS, give_up)
            timer.start()
            try:
                answer = _exchange(child, request)
            finally:
                timer.cancel()
            if answer is None:
                code = self._end()
                why = f"takes longer than {self.SECONDS:g} s" if late.is_set() else f"ended its decoder (code {code})"
                raise UserError(f"{path} {why}; save it again, or as .png")
        text, pixels = answer
        if pixels is None:
            raise UserError(text)
        return text, pixels

    def _end(self) -> int:
        """Kill the process if it runs; its exit code."""
        child, self._child = self._child, None
        if child is None:
            return 0
        child.kill()
        for stream in (child.stdin, child.stdout):
            assert stream is not None
            with suppress(OSError):  # what it did not read any more
                stream.close()
        return child.wait()


def _started(in_background: bool) -> subprocess.Popen[bytes]:
    limits = file_limits()
    words = [repr(each) for each in (limits.megapixels, limits.side, limits.gigabytes, in_background)]
    return start_child("streamvace.video.film.picture_process", *words)


def _exchange(child: subprocess.Popen[bytes], request: dict[str, Any]) -> tuple[str, NDArray[np.uint8] | None] | None:
    """(text, pixels or None), or None if the process ends before it has answered, or answers nonsense."""
    assert child.stdin is not None
    assert child.stdout is not None
    stdout: Any = child.stdout
    try:
        child.stdin.write(json.dumps(request).encode() + b"\n")
    except OSError:
        return None
    head = bytearray(_HEAD.size)
    if not _filled(stdout, head):
        return None
    height, width, letters = _HEAD.unpack(head)
    text = bytearray(min(letters, 2**16))
    if height * width > max(file_limits().pixels, 2**24) or not _filled(stdout, text):
        return None
    if not height:
        return text.decode("utf-8", "replace"), None
    pixels = np.empty((height, width, 4), np.uint8)
    return (text.decode("utf-8", "replace"), pixels) if _filled(stdout, pixels.data.cast("B")) else None


def _filled(stream: Any, buffer: bytearray | memoryview) -> bool:
    """Read until the buffer is full; False if the stream ends first."""
    left = memoryview(buffer)
    while left:
        count = stream.readinto(left)
        if not count:
            return False
        left = left[count:]
    return True


@lru_cache(maxsize=1)
def _all_frames(path: str, changed_ns: int) -> tuple[list[Timed], list[str]]:
    """Every frame of the picture asked for last, and what is told about it."""
    told: list[str] = []
    return list(picture_frames(Path(path), told.append)), told


def answer(request: dict[str, Any]) -> tuple[str, NDArray[np.uint8] | None]:
    """(text, pixels), or the line of an error and None. In the child."""
    path = request["path"]
    try:
        if "size" not in request:
            return "", load_picture(Path(path))
        frames, told = _all_frames(path, Path(path).stat().st_mtime_ns if Path(path).exists() else 0)
        start, seconds, picture = frames[request["index"]]
        size = (request["size"][0], request["size"][1])
        pixels = fit_cover(to_rgba(picture, size), size)
        return json.dumps({"count": len(frames), "start": start, "seconds": seconds, "told": told}), pixels
    except UserError as error:
        return str(error), None
    except MemoryError:
        return f"{path} needs more memory than a picture may take; make it smaller", None
    except Exception as error:  # noqa: BLE001 - decoders raise anything
        return f"{path} cannot be decoded ({one_line(error)}); save it again, or as .png", None


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer every request until there are no more."""
    for line in requests:
        text, pixels = answer(json.loads(line))
        letters = text.encode("utf-8", "replace")[: 2**16]
        height, width = (0, 0) if pixels is None else pixels.shape[:2]
        answers.write(_HEAD.pack(height, width, len(letters)) + letters)
        if pixels is not None:
            answers.write(np.ascontiguousarray(pixels).data.cast("B"))
        answers.flush()


def main(words: Sequence[str]) -> None:
    """The child: MEGAPIXELS SIDE GIGABYTES IN_BACKGROUND."""
    if words[3] == repr(True):
        step_back()
    limits = FileLimits(float(words[0]), int(words[1]), float(words[2]))
    set_file_limits(limits)
    limit_memory(BASE_BYTES + BYTES_A_PIXEL * max(limits.pixels, 2**24))
    asked, out = own_pipes()
    with os.fdopen(asked, "rb") as questions, os.fdopen(out, "wb") as answers:
        serve(questions, answers)


if __name__ == "__main__":
    main(sys.argv[1:])
