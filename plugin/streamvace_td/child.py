"""One process of ours: installed if need be, started, watched, its log read, ended. On a thread of its own.

Starting a process takes tens of milliseconds and installing one minutes: neither may happen in a frame. The thread
touches no TouchDesigner object; what it has to say waits in a queue for the main thread.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from installer import Progress, ensure
from pip_step import BootstrapError

from streamvace_td.launch import Settings, command, environment
from streamvace_td.life import REFUSED

POLL_S = 0.1
MOST_EVENTS = 2000
"""Kept for the main thread; the oldest lines give way."""
LONGEST_LOG = 4 << 20
"""Bytes after which the log begins anew at the next start."""
LONGEST_LINE = 500
"""Characters of a line that are shown."""
ABANDONED_S = 5.0
"""After which a process that no component has taken over is ended."""


@dataclass(frozen=True)
class Installing:
    """What the installation does now."""

    text: str


@dataclass(frozen=True)
class Launched:
    """The process exists."""

    pid: int


@dataclass(frozen=True)
class Line:
    """A line of its log."""

    text: str


@dataclass(frozen=True)
class Ended:
    """It is gone, or never came: exit code and last word."""

    code: int
    line: str


Event = Installing | Launched | Line | Ended
Installer = Callable[[Progress, Callable[[], bool]], Path]


class Child:
    """Starts at once. Every method may be called from any thread and returns at once."""

    def __init__(self, settings: Settings, *, only_install: bool = False, install: Installer | None = None) -> None:
        """only_install: end after the installation. install: how; by default `installer.ensure` in the folder."""
        self._settings = settings
        self._only_install = only_install
        self._install = install or (lambda progress, stop: ensure((), progress, root=settings.folder, cancelled=stop))
        self._events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._terminate, self._kill, self._cancel = threading.Event(), threading.Event(), threading.Event()
        self._wake = threading.Event()
        self._give_up_at: float | None = None
        self.pid = 0
        """Its id while it lives."""
        self._thread = threading.Thread(target=self._run, name="streamvace child", daemon=True)
        self._thread.start()

    def events(self, most: int) -> list[Event]:
        """What has happened since the last call, at most so many at once."""
        taken: list[Event] = []
        while self._events and len(taken) < most:
            taken.append(self._events.popleft())
        return taken

    def cancel(self) -> None:
        """Give the installation up."""
        self._cancel.set()

    def terminate(self) -> None:
        """Ask the system to end it."""
        self._cancel.set()
        self._terminate.set()
        self._wake.set()

    def kill(self) -> None:
        """End it whatever it does."""
        self._kill.set()
        self._wake.set()

    def abandon(self) -> None:
        """The component is gone. It may only be loading anew, so somebody has a few seconds to `adopt` the process."""
        self._give_up_at = time.monotonic() + ABANDONED_S

    def adopt(self) -> None:
        """Somebody has."""
        self._give_up_at = None

    def join(self, seconds: float) -> bool:
        """Wait for the end: for tests, never in a frame."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            python = self._python()
            if self._cancel.is_set():
                self._events.append(Ended(REFUSED, "stopped"))
            elif self._only_install:
                self._events.append(Ended(0, "installed"))
            else:
                self._live(python)
        except BootstrapError as problem:
            self._events.append(Ended(REFUSED, str(problem)))
        except (OSError, ValueError) as problem:
            self._events.append(Ended(REFUSED, " ".join(str(problem).split())))

    def _python(self) -> Path:
        """The interpreter to use, after making sure that everything is installed in it."""
        if self._settings.python:
            return Path(self._settings.python).expanduser()
        if not (self._settings.folder / "pyproject.toml").is_file():
            raise ValueError(f"Folder {self._settings.folder} holds no streamvace; choose the one with plugin/ in it")
        return self._install(lambda step, of, text: self._events.append(Installing(text)), self._cancel.is_set)

    def _live(self, python: Path) -> None:
        line = command(self._settings, python)
        log = self._settings.log
        log.parent.mkdir(parents=True, exist_ok=True)
        fresh = log.exists() and log.stat().st_size > LONGEST_LOG
        with log.open("wb" if fresh else "ab") as out, log.open("rb") as reader:
            reader.seek(0, os.SEEK_END)
            # A file and no pipe: nobody has to read it, and it does not break when TouchDesigner goes first.
            process = subprocess.Popen(
                line,
                cwd=self._settings.folder,
                env=environment(self._settings, os.environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                creationflags=_NO_CONSOLE,
                start_new_session=sys.platform != "win32",  # Ctrl-C in TouchDesigner's console is not for the show
            )
            self.pid = process.pid
            self._events.append(Launched(process.pid))
            last = self._watch(process, reader)
            self.pid = 0
        self._events.append(Ended(process.returncode, last))

    def _watch(self, process: subprocess.Popen[bytes], reader: BinaryIO) -> str:
        """Until it has ended. Returns the last line that it said."""
        rest, last = b"", ""
        while True:
            ended = process.poll() is not None  # looked at before reading, so that nothing said before is missed
            data = reader.read()
            *lines, rest = (rest + data).split(b"\n")
            for raw in [*lines, rest] if ended else lines:
                text = raw.decode("utf-8", "replace").rstrip()[:LONGEST_LINE]
                if text:
                    last = text
                    self._events.append(Line(text))
            if ended:
                return last
            if self._give_up_at is not None and time.monotonic() > self._give_up_at:
                process.terminate()
            if self._kill.is_set():
                process.kill()
            elif self._terminate.is_set():
                process.terminate()
                self._terminate.clear()
            self._wake.wait(POLL_S)
            self._wake.clear()


_NO_CONSOLE = 0
if sys.platform == "win32":
    _NO_CONSOLE = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP

_left: dict[str, Child] = {}
"""Processes of components that went away, by the component's path: this module outlives a reload of the extension."""


def leave(path: str, child: Child) -> None:
    """The component at `path` goes; its process waits for the next one there."""
    child.abandon()
    _left[path] = child


def take_over(path: str) -> Child | None:
    """The process that the component at `path` left when it was loaded anew."""
    child = _left.pop(path, None)
    if child is not None:
        child.adopt()
    return child
