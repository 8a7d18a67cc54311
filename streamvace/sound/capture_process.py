"""The process that holds the sound device: an error in a driver ends this process and not the show.

What the device gives is analysed here, and the results are written to standard output as frames. It ends with its
standard input. With `--list` it prints the names of the devices, one a line, and ends.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Generator, Sequence
from typing import Any, Final

import numpy as np

from streamvace.sound import frames
from streamvace.sound.analysis import RATE, Analysis
from streamvace.system.child import own_pipes
from streamvace.system.clock import now_ns
from streamvace.system.console import one_line
from streamvace.system.errors import UserError

DEFAULT: Final = "default"
NULL: Final = "null"
"""Instead of a device: silence, for tests."""
LIST: Final = "--list"

SILENT_S: Final = 2.0
"""A device that gives nothing for so long is gone."""
_MOST_WAITING: Final = 64
"""Blocks of 10 ms that are not analysed yet; when there are more, the oldest are left out."""

Block = tuple[int, bytes]
"""The time of arrival in nanoseconds, and float32 samples."""


def chosen(names: Sequence[str], wanted: str) -> int | None:
    """The index of the first device whose name has `wanted` in it, in any case; None without one."""
    return next((index for index, name in enumerate(names) if wanted.casefold() in name.casefold()), None)


def into(blocks: queue.Queue[Block]) -> Generator[None, bytes, None]:
    """Takes what the device gives, on the library's thread; never waits."""
    data = yield
    while True:
        if blocks.full():
            blocks.get_nowait()
        blocks.put_nowait((now_ns(), bytes(data)))
        data = yield


def _open(wanted: str) -> tuple[Any, str]:
    """The device, not started, and its name. Raises UserError, or the library's error."""
    import miniaudio

    backends = [miniaudio.Backend.NULL] if wanted == NULL else None
    found = miniaudio.Devices(backends).get_captures()
    names = [str(each["name"]) for each in found]
    index = None if wanted in (DEFAULT, NULL) else chosen(names, wanted)
    if index is None and wanted not in (DEFAULT, NULL):
        raise UserError(f"no sound input has {wanted!r} in its name; there are {', '.join(names) or 'none'}")
    device = miniaudio.CaptureDevice(
        input_format=miniaudio.SampleFormat.FLOAT32,
        nchannels=1,
        sample_rate=RATE,
        buffersize_msec=10,
        device_id=None if index is None else found[index]["id"],
        backends=backends,
        app_name="streamvace",
    )
    return device, wanted if index is None else names[index]


def main(words: Sequence[str]) -> int:
    """The process: WANTED or --list."""
    if words[0] == LIST:
        import miniaudio

        names = [str(each["name"]) for each in miniaudio.Devices().get_captures()]
        sys.stdout.buffer.write("".join(f"{name}\n" for name in names).encode())
        return 0
    asked, out = own_pipes()
    threading.Thread(target=_end_with_input, args=(asked,), daemon=True).start()

    def write(kind: bytes, at_ns: int, data: bytes) -> None:
        frame = frames.pack(kind, at_ns, data)
        while frame:
            frame = frame[os.write(out, frame) :]

    blocks: queue.Queue[Block] = queue.Queue(_MOST_WAITING)
    try:
        device, name = _open(words[0])
        listening = into(blocks)
        next(listening)
        device.start(listening)
    except Exception as error:  # noqa: BLE001 - the library and its drivers raise whatever they like
        write(frames.LINE, now_ns(), f"sound cannot be opened ({one_line(error)})".encode())
        return 3
    write(frames.OPENED, now_ns(), name.encode())
    analysis = Analysis()
    while True:
        try:
            at_ns, data = blocks.get(timeout=SILENT_S)
        except queue.Empty:
            write(frames.LINE, now_ns(), f"{name} gives no sound any more; it is taken again when it is back".encode())
            return 4
        for heard in analysis.feed(np.frombuffer(data, np.float32)):
            write(frames.HEARD, at_ns, frames.pack_heard(heard))


def _end_with_input(asked: int) -> None:
    while os.read(asked, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    # Not sys.exit: a device that hangs must not keep the process.
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
