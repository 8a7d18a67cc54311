"""Runs the parts one after another and keeps what is done: an interrupted measurement goes on where it stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from streamvace.bench.parts import Part
from streamvace.bench.report import markdown
from streamvace.bench.setup import Setup
from streamvace.system.errors import UserError
from streamvace.system.files import replace_file

RESULTS, REPORT, LOG = "results.json", "report.md", "log.txt"
"""The files in the output folder."""

CHILD = (sys.executable, "-m", "streamvace.bench.child")

Results = dict[str, Any]


def measure(parts: Sequence[Part], setup: Setup, folder: Path, hardware: str, say: Callable[[str], None]) -> Results:
    """Run what is missing. After each part, the results and the report are complete up to there.

    Raises UserError if the folder holds the results of other hardware or another setup.
    """
    folder.mkdir(parents=True, exist_ok=True)
    results = _begun(folder, setup, hardware)
    for part in parts:
        before = results["parts"].get(part.name)
        if before is not None and before["status"] == "done":
            say(f"{part.title}: done before")
            continue
        say(f"{part.title} (at most {part.limit_s / 60:.0f} minutes)")
        begun = time.monotonic()
        answer = run_apart(part, setup, folder)
        answer["seconds"] = round(time.monotonic() - begun, 1)
        results["parts"][part.name] = answer
        _write(folder / RESULTS, json.dumps(results, indent=1))
        _write(folder / REPORT, markdown(results, parts))
        say(f"  {answer['status']} after {answer['seconds']:.0f} s{_reason(answer)}")
    _write(folder / REPORT, markdown(results, parts))
    return results


def _reason(answer: Results) -> str:
    return f": {answer['reason']}" if "reason" in answer else ""


def _begun(folder: Path, setup: Setup, hardware: str) -> Results:
    """What an earlier run left, if it measured the same."""
    asked = json.loads(json.dumps(asdict(setup)))
    path = folder / RESULTS
    if not path.exists():
        return {"hardware": hardware, "setup": asked, "parts": {}}
    found: Results = json.loads(path.read_text(encoding="utf-8"))
    for name, here in (("hardware", hardware), ("setup", asked)):
        if found.get(name) != here:
            raise UserError(f"{path} has results of {name} {found.get(name)}, this is {here}; choose another folder")
    return found


def run_apart(part: Part, setup: Setup, folder: Path) -> Results:
    """A part in a process of its own: what it leaves in memory, and how it ends, concerns no other part."""
    result = folder / "part.json"
    result.unlink(missing_ok=True)
    command = [*CHILD, json.dumps(asdict(setup)), part.name, str(result)]
    with (
        (folder / LOG).open("a", encoding="utf-8") as log,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as child,
    ):
        try:
            code = child.wait(part.limit_s)
        except subprocess.TimeoutExpired:
            _end(child.pid)
            return {"status": "timed out", "reason": f"not done after {part.limit_s:.0f} s"}
        except BaseException:
            _end(child.pid)
            raise
    if not result.exists():
        return {"status": "failed", "reason": f"the process ended with code {code}; see {LOG}"}
    answer: Results = json.loads(result.read_text(encoding="utf-8"))
    result.unlink()
    return answer


def _end(pid: int) -> None:
    """End a process and those that it started, such as a compiler's."""
    try:
        family = [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]
    except psutil.NoSuchProcess:
        return
    for each in family:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue


def _write(path: Path, text: str) -> None:
    """All or nothing: a run that is interrupted here goes on from the last complete file."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    replace_file(part, path)
