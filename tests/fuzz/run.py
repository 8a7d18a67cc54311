"""Fuzz a border: `python -m tests.fuzz.run TARGET [--seconds 600] [--seed 7]`, or TARGET and a FILE to run it again.

Without `--seconds` or `--rounds` it runs until it is stopped or finds something. A finding is whatever a target does
not promise: another exception, an input that takes more than `--patience` seconds, memory that grows by more than
`--memory` MB for one input, a crash. The input is then in a file `fuzz-TARGET-...`, named with the command that runs it
again. `all` stands for every target, each with the number of rounds that the tests give it.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import logging
import random
import sys
import time
import traceback
from itertools import islice
from pathlib import Path

import psutil

from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS


def fuzz(target: Target, seed: int, rounds: int | None, seconds: float | None, limits: Limits) -> bool:
    """Run a target; print its executions and its finding, if there is one. Whether there is none."""
    began, executions = time.monotonic(), 0
    last = limits.folder / f"fuzz-{target.name}-{seed}"
    seeds = len(list(target.seeds()))
    inputs = target.inputs(random.Random(seed))
    for data in inputs if rounds is None else islice(inputs, seeds + rounds):
        if seconds is not None and time.monotonic() - began > seconds:
            break
        last.write_bytes(data)  # on disk before it runs: a crash leaves it there
        problem = limits.run(target, data)
        executions += 1
        if problem:
            found = last.with_name(f"fuzz-{target.name}-{hashlib.sha256(data).hexdigest()[:12]}")
            last.replace(found)
            print(f"{target.name}: finding after {executions} executions: {data[:200]!r}\n{problem}")
            print(f"again: python -m tests.fuzz.run {target.name} {found}", flush=True)
            return False
    last.unlink(missing_ok=True)
    print(f"{target.name}: {executions} executions in {time.monotonic() - began:.1f} s, no finding", flush=True)
    return True


class Limits:
    """Runs one input, bounded in time and memory. What the code under test logs as an error is a problem too."""

    def __init__(self, patience_s: float, memory_mb: float, folder: Path) -> None:
        self.folder = folder
        self._patience_s = patience_s
        self._memory_mb = memory_mb
        self._errors = _Errors(logging.ERROR)
        logging.basicConfig(handlers=[self._errors], level=logging.ERROR, force=True)

    def run(self, target: Target, data: bytes) -> str:
        """What is wrong with this input; empty if nothing is."""
        self._errors.lines.clear()
        before = peak_mb()
        faulthandler.dump_traceback_later(self._patience_s, exit=True)  # says where it hangs; the input is on the disk
        try:
            target.check(data)
        except Exception:  # noqa: BLE001 - that is what is looked for
            return traceback.format_exc()
        finally:
            faulthandler.cancel_dump_traceback_later()
        grown = peak_mb() - before
        if grown > self._memory_mb:
            return f"memory grew by {grown:.0f} MB for {len(data)} bytes, the limit is {self._memory_mb:g} MB"
        return "\n".join(self._errors.lines)


class _Errors(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append("logged as an error: " + self.format(record))


def peak_mb() -> float:
    """The most memory that this process has held so far."""
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / 1e6
    if sys.platform == "linux":
        # Not getrusage: its peak begins with that of the process that started this one, a whole test run's.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1e3
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=[*TARGETS, "all"])
    parser.add_argument("file", type=Path, nargs="?", help="one input, to be run again")
    parser.add_argument("--seed", type=int, default=None, help="of the damages; default: the time")
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--rounds", type=int, default=None)
    parser.add_argument("--patience", type=float, default=30.0, metavar="SECONDS", help="for one input; default 30")
    parser.add_argument("--memory", type=float, default=400.0, metavar="MB", help="for one input; default 400")
    parser.add_argument("--folder", type=Path, default=Path(), help="for findings; default: this folder")
    given = parser.parse_args()
    limits = Limits(given.patience, given.memory, given.folder)
    seed = time.time_ns() % 2**32 if given.seed is None else given.seed
    if given.file is not None:
        problem = limits.run(TARGETS[given.target], given.file.read_bytes())
        print(problem or "no finding")
        sys.exit(bool(problem))
    print(f"seed {seed}; the input that runs is in {given.folder / 'fuzz-TARGET'}-{seed}", flush=True)
    names = TARGETS if given.target == "all" else (given.target,)
    good = True
    for target in (TARGETS[name] for name in names):
        rounds = target.rounds if given.target == "all" and given.rounds is None else given.rounds
        good &= fuzz(target, seed, rounds, given.seconds, limits)
    sys.exit(not good)


if __name__ == "__main__":
    main()
