"""A show in a terminal window of its own, which can be closed. POSIX only."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from tests.live.running import Running

_TAKE_IT = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
"""Makes the terminal the session's own, as a shell does, so that closing it is told to the session."""


class InATerminal(Running):
    """Whatever it says goes to the terminal; `close_terminal` takes that away."""

    def spawn(self, command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
        self._closing = threading.Event()
        self._window, theirs = os.openpty()
        try:
            return subprocess.Popen(
                [sys.executable, "-c", _TAKE_IT, *command],
                cwd=folder,
                env=environment,
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                text=True,
                start_new_session=True,
            )
        finally:
            os.close(theirs)

    def close_terminal(self) -> None:
        self._closing.set()
        self._reader.join()

    def _read(self) -> None:
        unread = ""
        with suppress(OSError):  # the show is gone
            while not self._closing.is_set():
                if select.select([self._window], [], [], 0.05)[0]:
                    *whole, unread = (unread + os.read(self._window, 65536).decode()).split("\n")
                    self.lines += [line.rstrip() for line in whole]
        os.close(self._window)
