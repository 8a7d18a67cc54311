"""Installs, starts, watches and ends one process, on a thread of its own.

Starting a process takes tens of milliseconds and installing takes minutes; neither may happen within a frame. The
thread uses no TouchDesigner object; it queues events for the main thread.
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
from weakref import WeakSet

from find_python import find_python
from installer import Progress, ensure
from pip_step import BootstrapError

from streamvace_td.launch import Settings, command, environment
from streamvace_td.life import REFUSED

POLL_S = 0.1
MOST_EVENTS = 2000
"""Size of the queue for the main thread; the oldest events are dropped."""
LONGEST_LOG = 4 << 20
"""Bytes. A longer log file is truncated at the next start."""
LONGEST_LINE = 500
"""Characters of a log line that are shown."""
ABANDONED_S = 5.0
"""Time after which a process that no component has taken over is ended."""

_NO_CONSOLE = 0
if sys.platform == "win32":
    _NO_CONSOLE = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP


@dataclass(frozen=True)
class Installing:
    """Progress of the installation."""

    text: str


@dataclass(frozen=True)
class Launched:
    """The process has started."""

    pid: int


@dataclass(frozen=True)
class Line:
    """A line of its log."""

    text: str


@dataclass(frozen=True)
class Ended:
    """The process ended or could not be started. line: its last log line, or the error."""

    code: int
    line: str


Event = Installing | Launched | Line | Ended
Installer = Callable[[Progress, Callable[[], bool]], Path]


class Child:
    """Starts on construction. Every method can be called from any thread and, except `join`, never blocks."""

    def __init__(self, settings: Settings, *, only_install: bool = False, install: Installer | None = None) -> None:
        """only_install: start no process. install: the installer, by default `installer.ensure` in the folder."""
        self._settings = settings
        self._only_install = only_install
        self._install = install or (
            lambda progress, stop: ensure(
                (), progress, root=settings.folder, python=settings.base_python, cancelled=stop
            )
        )
        self._events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._terminate, self._kill, self._cancel = threading.Event(), threading.Event(), threading.Event()
        self._wake = threading.Event()
        self._give_up_at: float | None = None
        self.pid = 0
        """The id of the running process, 0 if there is none."""
        self._thread = threading.Thread(target=self._run, name="streamvace child", daemon=True)
        self._thread.start()
        _children.add(self)

    def events(self, most: int) -> list[Event]:
        """The events since the last call, at most this many."""
        taken: list[Event] = []
        while self._events and len(taken) < most:
            taken.append(self._events.popleft())
        return taken

    def cancel(self) -> None:
        """Cancel the installation."""
        self._cancel.set()

    def terminate(self) -> None:
        """Terminate the process; it can shut down in order."""
        self._cancel.set()
        self._terminate.set()
        self._wake.set()

    def kill(self) -> None:
        """Kill the process."""
        self._kill.set()
        self._wake.set()

    def abandon(self) -> None:
        """End the process in ABANDONED_S unless it is adopted: the component is gone, or is being reloaded."""
        self._give_up_at = time.monotonic() + ABANDONED_S

    def adopt(self) -> None:
        """Keep an abandoned process running."""
        self._give_up_at = None

    def join(self, seconds: float) -> bool:
        """Wait for the end. Whether it came. For tests, never within a frame."""
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
        """The interpreter to use. Installs what is missing."""
        if self._settings.python:
            return Path(find_python(os.path.expanduser(self._settings.python)).executable)
        if not (self._settings.folder / "pyproject.toml").is_file():
            raise ValueError(
                f"no streamvace in {self._settings.folder}: set Folder to the folder that contains plugin/"
            )
        return self._install(lambda step, of, text: self._events.append(Installing(text)), self._cancel.is_set)

    def _live(self, python: Path) -> None:
        line = command(self._settings, python)
        log = self._settings.log
        log.parent.mkdir(parents=True, exist_ok=True)
        too_long = log.exists() and log.stat().st_size > LONGEST_LOG
        with log.open("wb" if too_long else "ab") as out, log.open("rb") as reader:
            reader.seek(0, os.SEEK_END)
            # A file, not a pipe: a full or broken pipe would block or end a process that outlives TouchDesigner.
            process = subprocess.Popen(
                line,
                cwd=self._settings.folder,
                env=environment(self._settings, os.environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                creationflags=_NO_CONSOLE,
                start_new_session=sys.platform != "win32",  # Ctrl-C in TouchDesigner's console must not end the show
            )
            self.pid = process.pid
            self._events.append(Launched(process.pid))
            last = self._watch(process, reader)
            self.pid = 0
        self._events.append(Ended(process.returncode, last))

    def _watch(self, process: subprocess.Popen[bytes], reader: BinaryIO) -> str:
        """Wait for the end of the process and report its log lines. Returns the last line."""
        rest, last = b"", ""
        while True:
            ended = process.poll() is not None  # checked before reading, so the last lines are not missed
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


_children: WeakSet[Child] = WeakSet()


def running() -> bool:
    """Whether the code of this module watches a process or installs."""
    return any(child._thread.is_alive() for child in _children)


_left: dict[str, Child] = {}
"""Abandoned processes by the path of their component. This module survives a reload of the extension."""


def leave(path: str, child: Child) -> None:
    """Leave the process of the component at `path` to the next component there."""
    child.abandon()
    _left[path] = child


def take_over(path: str) -> Child | None:
    """The process that the previous extension of the component at `path` left, if any."""
    child = _left.pop(path, None)
    if child is not None:
        child.adopt()
    return child
