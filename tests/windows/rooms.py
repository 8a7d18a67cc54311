"""The suite under the Windows Python, one room after the other, and what each test did.

Everything of this module runs on Linux. A test that hangs ends its whole process on Windows (pytest-timeout has no
other way there), so a room goes on in a new process behind the test that hung.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, Any

from tests.patience import PATIENCE_S
from tests.windows.done import DONE
from tests.windows.environment import ROOT, Windows

TEST_SECONDS = int(5 * PATIENCE_S)
"""A test that takes longer hangs: the slowest takes 20 s on two cores of their own, and waits up to PATIENCE_S for each
of its steps."""

TO_THE_END = (0, 1, 5)
"""pytest's exit codes after all tests passed, after some failed, and where there are none."""

LEFT_OUT = Path(__file__).with_name("left_out.txt")

LINE = re.compile(r"^(tests/\S+?\.py::.*?)(?: +(PASSED|FAILED|SKIPPED|ERROR|XFAIL|XPASS)(?: \(.*\))? +\[ *\d+%\])? *$")
"""Of pytest's verbose output. It writes the name when the test begins and the rest of the line when it ends."""


@dataclass(frozen=True)
class LeftOut:
    """A row of left_out.txt. what: a folder, a file, or a test's id without its parameters. kind: `posix`, `wine` or
    `same`."""

    what: str
    kind: str
    why: str


@dataclass
class Room:
    """What the tests of a room did: id -> PASSED, FAILED, SKIPPED, ERROR or HUNG. day: of the run, as 2026-11-30."""

    name: str
    outcomes: dict[str, str] = field(default_factory=dict)
    day: str = field(default_factory=lambda: date.today().isoformat())

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.outcomes.values())

    @property
    def broken(self) -> list[str]:
        return [test for test, outcome in self.outcomes.items() if outcome in ("FAILED", "ERROR", "HUNG")]


def left_out() -> list[LeftOut]:
    rows = [line.split(" | ") for line in LEFT_OUT.read_text("utf-8").splitlines() if line and line[0] != "#"]
    return [LeftOut(*row) for row in rows]


def rooms() -> dict[str, list[str]]:
    """Name -> its files and folders: the folders of tests/, and the files beside them."""
    tests = ROOT / "tests"
    folders = {each.name: [f"tests/{each.name}"] for each in sorted(tests.iterdir()) if any(each.rglob("test_*.py"))}
    return {**folders, "top": [f"tests/{each.name}" for each in sorted(tests.glob("test_*.py"))]}


def to_run() -> list[str]:
    """The rooms that are not left out as a whole."""
    whole = {row.what for row in left_out()}
    return [name for name, paths in rooms().items() if not whole.issuperset(paths)]


def kept_rooms(results: Path) -> dict[str, Any]:
    """Name -> day and outcomes of the earlier runs."""
    kept: dict[str, Any] = json.loads(results.read_text("utf-8")) if results.exists() else {}
    return kept


def keep(results: Path, room: Room) -> list[Room]:
    """Write what a room did beside the rooms of earlier runs; all of them, in the order of `rooms()`."""
    kept = kept_rooms(results)
    kept[room.name] = {"day": room.day, "outcomes": room.outcomes}
    results.write_text(json.dumps(kept, indent=1), "utf-8")
    return [Room(name, **kept[name]) for name in rooms() if name in kept]


def passed(results: Path, name: str) -> dict[str, str]:
    """The outcomes of a room's last run without what is broken."""
    before = Room(name, **kept_rooms(results).get(name, {}))
    return {test: outcome for test, outcome in before.outcomes.items() if test not in before.broken}


def run_room(windows: Windows, name: str, display: str, log: Path, done: Mapping[str, str]) -> Room:
    """Run the tests of a room to their end, however many processes that takes. log: gets everything pytest says, and a
    file beside it what comes on standard error.

    done: outcomes of tests that are not run.
    """
    room = Room(name, dict(done))
    for each in (log, log.with_suffix(".stderr.log")):
        each.write_bytes(b"")
    while True:
        before = len(room.outcomes)
        code = _pytest(windows, rooms()[name], list(room.outcomes), display, log)
        room.outcomes.update(outcomes(log.read_text("utf-8", "replace").splitlines()))
        if code in TO_THE_END:
            return room
        if len(room.outcomes) == before:
            room.outcomes[f"tests/{name}: pytest ended with code {code}"] = "ERROR"
            return room


def outcomes(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(test, outcome) in the verbose output of pytest. A test without an outcome hung, or ended Python."""
    told: set[str] = set()
    for found in filter(None, map(LINE.match, lines)):
        if found[2] or found[1] not in told:  # a test that warned is named again, in pytest's summary
            told.add(found[1])
            yield found[1], found[2] or "HUNG"


def _pytest(windows: Windows, paths: list[str], done: list[str], display: str, log: Path) -> int:
    """Run pytest on `paths`, without the tests that are left out or `done`. Its exit code."""
    options = ["-v", "-rfE", "--tb=short", "--color=no"]
    options += ["--timeout", str(TEST_SECONDS), "--timeout-method", "thread"]
    rows = [f"--{'deselect' if '::' in row.what else 'ignore'}={row.what}" for row in left_out()]
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        arguments = Path(folder) / "arguments"  # a command line is too short for them
        arguments.write_text("\n".join([*options, *rows, *paths]), "utf-8")
        finished = Path(folder) / "done"
        finished.write_text("\n".join(done), "utf-8")
        plugins = ["-p", "no:cacheprovider", "-p", "tests.windows.done"]  # pytest looks for them before it reads a file
        command = windows.python(["-m", "pytest", *plugins, f"@{windows.drive_path(arguments)}"])
        environment = {**windows.environment(display), "PYTHONPATH": windows.drive_path(ROOT)}
        environment[DONE] = windows.drive_path(finished)
        # Pipes: Python under Wine wants no file of Linux as its output. Two of them: Wine's drivers write to standard
        # error, in the midst of pytest's lines.
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, env=environment, **pipes) as run:
            aside = threading.Thread(target=_copy, args=(run.stderr, log.with_suffix(".stderr.log")))
            aside.start()
            _copy(run.stdout, log)
            aside.join()
    return run.returncode


def _copy(said: IO[bytes], log: Path) -> None:
    with log.open("ab") as out:
        for line in said:
            out.write(line.replace(b"\r\n", b"\n"))
            out.flush()
