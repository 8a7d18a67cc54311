"""Mutation tests from a table: `python benchmarks/mutants.py` applies one-line faults and expects tests to fail.

Each row of benchmarks/mutants.txt changes one line of one file and names the tests that must fail. Rows run in copies
of the working tree: your checkout is not touched, and uncommitted changes are included. First the named tests run
without a fault and must pass. Then each fault is applied alone, and its tests run until the first failure:

  killed      a test failed; the table names it
  timed out   the tests hung
  equivalent  no test failed, and the row gives the reason why none can
  SURVIVED    no test failed: a test is missing
  BROKEN      the tests did not run, or a test failed for a row that is called equivalent

Exit code 1: a row survived or is broken. Exit code 2: a row's text is not in its file exactly once, or the tests fail
without a fault. All rows take about 25 minutes on two cores. The rows of the web page need Chromium.

  python benchmarks/mutants.py --list                 print the rows, run nothing
  python benchmarks/mutants.py --only osc/            the rows whose file or name contains `osc/`
  python benchmarks/mutants.py --only "noised again"  one subject, by the rows' names

Why not mutmut or cosmic-ray: mutmut 3.8 makes 10,678 mutants of the same files, many hours of tests. Neither tool
applies a chosen fault (a forbidden import, a skipped pass), runs chosen tests for it, or reads JavaScript.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import cache_from_source
from pathlib import Path
from queue import Queue

import psutil

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "benchmarks" / "mutants.txt"

EVENT_S = 30
"""How long the tests wait for what a fault may prevent (tests/patience.py)."""

PATIENCE_S = 600.0
"""The longest that a row may take: ten times what the slowest takes on a quiet machine."""

NOTICED = ("killed", "timed out", "equivalent")


@dataclass(frozen=True)
class Mutant:
    """One row. file: from the root. tests: pytest's ids. equivalent: why nothing can fail; empty: something must."""

    file: str
    what: str
    before: str
    after: str
    tests: tuple[str, ...]
    equivalent: str = ""

    def __str__(self) -> str:
        """The row's name."""
        return f"{self.file}: {self.what}"


def read_table(text: str) -> list[Mutant]:
    """The rows of a table; its own head describes the format. Raises ValueError for a line that has no place in it."""
    rows: list[Mutant] = []
    file, tests = "", ()
    for number, line in enumerate(text.splitlines(), 1):
        marked, head = MARKED.fullmatch(line), HEAD.fullmatch(line)
        if not line or line.startswith("#"):
            continue
        if head:
            file, tests = head[1], tuple(head[2].split())
        elif file and not marked:
            rows.append(Mutant(file, line, "", "", tests))
        elif marked and rows and rows[-1].file == file:
            rows[-1] = MARKS[marked[1]](rows[-1], marked[2])
        else:
            raise ValueError(f"{TABLE.name}, line {number}: {line!r} is no part of a row")
    return rows


MARKS: dict[str, Callable[[Mutant, str], Mutant]] = {
    "-": lambda mutant, said: replace(mutant, before=said),
    "+": lambda mutant, said: replace(mutant, after=said),
    "~": lambda mutant, said: replace(mutant, tests=tuple(said.split())),
    "=": lambda mutant, said: replace(mutant, equivalent=said),
}
"""First letters of a row's lines in the table -> what they say of it."""
MARKED = re.compile(r"([-+~=]) ?(.*)")
HEAD = re.compile(r"\[(\S+)\] (\S.*)")


@dataclass(frozen=True)
class Verdict:
    """The result of a row. what: see the module. by: the test that failed, the reason, or the end of the output."""

    mutant: Mutant
    what: str
    by: str
    seconds: float

    def __str__(self) -> str:
        """One line of the table."""
        return f"{self.what:<10} {self.seconds:5.1f} s  {self.mutant}  {self.by}"


def planted(root: Path, mutant: Mutant) -> str:
    """The text of the row's file with its fault. Raises ValueError unless `before` occurs exactly once."""
    text = (root / mutant.file).read_text("utf-8")
    found = text.count(mutant.before)
    if found != 1:
        raise ValueError(f"{mutant}: {mutant.before!r} occurs {found} times in the file, it must occur once")
    return text.replace(mutant.before, mutant.after)


def copy_tree(root: Path, copy: Path) -> None:
    """Copy what git tracks or would track, as it is on disk."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (root / name).is_file():  # a tracked file may be deleted
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)


def run_tests(tree: Path, tests: Iterable[str]) -> tuple[int | None, str]:
    """pytest's exit code (None: it hung) and output. CI=true makes a missing browser a failure instead of a skip."""
    paths = os.pathsep.join(filter(None, (str(tree), os.environ.get("PYTHONPATH"))))
    wanted = {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "CI": "true", "HYPOTHESIS_PROFILE": "unshrunk"}
    wanted["STREAMVACE_PATIENCE_S"] = str(EVENT_S)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", *tests]
    process = subprocess.Popen(
        command, cwd=tree, env={**os.environ, **wanted}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        said, _ = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.communicate()
        return None, ""
    return process.returncode, said


@contextmanager
def fault(tree: Path, mutant: Mutant) -> Iterator[None]:
    """The fault is in the tree while the block runs."""
    path = tree / mutant.file
    text, bad = path.read_text("utf-8"), planted(tree, mutant)
    try:
        _write(path, bad)
        yield
    finally:
        _write(path, text)


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    # Python compares a compiled file by time and size only, and a fault can keep both.
    Path(cache_from_source(str(path))).unlink(missing_ok=True)


def judge(tree: Path, mutant: Mutant) -> Verdict:
    """Apply the fault, run its tests, revert it."""
    began = time.perf_counter()
    with fault(tree, mutant):
        code, said = run_tests(tree, mutant.tests)
    seconds = time.perf_counter() - began
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    if code is None:
        return Verdict(mutant, "timed out", f"after {PATIENCE_S:.0f} s", seconds)
    if code == 0:
        return Verdict(mutant, "equivalent" if mutant.equivalent else "SURVIVED", mutant.equivalent, seconds)
    if code == 1 and failed and not mutant.equivalent:
        return Verdict(mutant, "killed", failed[1], seconds)
    return Verdict(mutant, "BROKEN", said.strip()[-2000:], seconds)


def run(root: Path, rows: Sequence[Mutant], jobs: int) -> int:
    """Run the rows, print each when it is done, then a summary. Returns the exit code."""
    for mutant in rows:
        planted(root, mutant)  # raises before anything takes minutes
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="streamvace-mutants-") as folder:
        trees: Queue[Path] = Queue()
        for job in range(jobs):
            copy_tree(root, Path(folder) / str(job))
            trees.put(Path(folder) / str(job))
        tests = sorted({test for mutant in rows for test in mutant.tests})
        print(f"{len(rows)} mutants, {jobs} at a time; their tests without a fault ...", flush=True)
        code, said = run_tests(Path(folder) / "0", tests)
        print(f"{said.strip().splitlines()[-1] if said else 'no output'}\n", flush=True)
        if code != 0:
            print(f"The tests fail without a fault:\n{said}")
            return 2

        def judged(mutant: Mutant) -> Verdict:
            tree = trees.get()
            try:
                verdict = judge(tree, mutant)
            finally:
                trees.put(tree)
            print(verdict, flush=True)
            return verdict

        pool = ThreadPoolExecutor(jobs)
        try:
            verdicts = list(pool.map(judged, rows))
        finally:
            pool.shutdown(cancel_futures=True)
    counted = Counter(verdict.what for verdict in verdicts)
    print(f"\n{len(rows)} mutants in {(time.perf_counter() - began) / 60:.1f} minutes: ", end="")
    print(", ".join(f"{count} {what}" for what, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))))
    missed = [verdict for verdict in verdicts if verdict.what not in NOTICED]
    for verdict in missed:
        print(
            f"{verdict.what}: {verdict.mutant}\n  - {verdict.mutant.before}\n  + {verdict.mutant.after}\n{verdict.by}"
        )
    return 1 if missed else 0


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the rows and run nothing")
    parser.add_argument("--only", metavar="TEXT", default="", help="only rows whose file or name contains this text")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="rows at the same time; default 2")
    given = parser.parse_args()
    rows = [mutant for mutant in read_table(TABLE.read_text("utf-8")) if given.only in str(mutant)]
    if not rows:
        parser.error(f"no row contains {given.only!r}; --list prints them all")
    if given.list:
        for mutant in rows:
            print(f"{mutant}\n  - {mutant.before}\n  + {mutant.after}\n  {' '.join(mutant.tests)}")
        print(f"{len(rows)} mutants")
        return
    try:
        sys.exit(run(ROOT, rows, given.jobs))
    except ValueError as rotten:
        print(rotten, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
