"""A process of its own for devices: it runs while it is wanted, and starts again when it ends.

Libraries of devices can end the process that they run in; this one may lose it. Threads: one of its own reads what the
process writes and waits for it; any thread calls the rest, which does not wait.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Generic, TypeVar

Frame = TypeVar("Frame")
Read = Callable[[int], bytes]
"""Waits, and reads at most so many bytes; none at the end."""

PAUSES_S: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Before the process starts again; the last one from then on. A device that opens begins the row anew."""


class DeviceProcess(Generic[Frame]):
    """One process at a time, for the devices that are wanted."""

    def __init__(
        self,
        name: str,
        start: Callable[[str], subprocess.Popen[bytes]],
        read: Callable[[Read], Frame | None],
        take: Callable[[Frame], None],
        over: Callable[[int | None], None],
    ) -> None:
        """name: of the thread, which also calls what follows. start: the process for what is wanted. read: its next
        frame; None when it ends or writes what is no frame. take: a frame. over: a process has ended; with its code if
        it is still wanted and starts again, None otherwise.
        """
        self._name = name
        self._start = start
        self._read = read
        self._take = take
        self._over = over
        self._changed = threading.Condition()
        self._wanted = ""
        self._closed = False
        self._child: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._thread: threading.Thread | None = None

    def follow(self, wanted: str) -> bool:
        """Run the process for these devices; for none if `wanted` is empty. Returns whether that is a change."""
        with self._changed:
            if wanted == self._wanted:
                return False
            self._wanted, self._failures = wanted, 0
            self._end_child()
            if self._thread is None and wanted:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()
        return True

    def write(self, data: bytes) -> None:
        """Write to the process. One that is gone gets nothing."""
        child = self._child
        if child is not None and child.stdin is not None:
            with suppress(OSError, ValueError):  # it has just ended
                child.stdin.write(data)

    def opened(self) -> None:
        """A device is open: the next pause is the first of the row again."""
        self._failures = 0

    def close(self) -> None:
        """End the process and the thread. Idempotent."""
        with self._changed:
            self._closed = True
            self._end_child()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.kill()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._wanted and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                wanted = self._wanted
                child = self._child = self._start(wanted)
            self._hear(child)
            with self._changed:
                self._child = None
                again = not self._closed and self._wanted == wanted
                pause_s = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
                self._failures += again
                self._over(child.returncode if again else None)
                if again:
                    self._changed.wait(pause_s)

    def _hear(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        while (frame := self._read(child.stdout.read)) is not None:
            self._take(frame)
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


def read_exactly(read: Read, size: int) -> bytes | None:
    """So many bytes; None if the stream ends before."""
    data = b""
    while len(data) < size:
        part = read(size - len(data))
        if not part:
            return None
        data += part
    return data
