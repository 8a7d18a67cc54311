"""A show for hours with all that a rig does to it: `python benchmarks/soak.py --seconds 3600 --log soak.jsonl`.

Starts `streamvace run` on a film in a media folder of its own, and for the whole time

  - moves a fader 30 times a second over OSC, switches, stores and recalls cues, sends broken datagrams, reads feedback;
  - keeps the page open as a browser does (live picture, panel), and opens it again every 20 seconds;
  - each minute: makes a recording, breaks the film at the input for some seconds, and changes the input.

Once a minute one line of JSON is printed and added to the log: memory of each process (RSS; PSS, which divides shared
pages among their processes; own, without shared pages), descriptors, threads, shared memory, latency, ticks. Memory,
descriptors and threads are the least of six looks in that minute, because pictures in use come and go. At the end a
table follows, by quarter of the time, with the growth in an hour after the first ten minutes. `--table soak.jsonl`
prints the table of a log, also while its soak runs or after it was interrupted. Arguments after `--` go to
`streamvace run`.

Exit code 1: the worker was restarted, a graph recompiled, or own memory grows by more than `--most-growth` MB an hour.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil
import torch
from common import arguments
from running_show import RunningShow
from soak_table import Row, moments, table, verdict
from soak_traffic import CLIP, FILM, Traffic, write_clip

from streamvace.doctor.hardware import hardware_line

EVERY_S = 60.0
LOOKS = 6
"""Looks at memory for a row."""
MB = 1e6


def soak(seconds: float, options: list[str], log: Path | None, every_s: float = EVERY_S) -> list[Row]:
    """Run the show and its traffic. Returns the rows, one every `every_s`. log: appended to, one line a row."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="streamvace-soak-") as folder:
        media = Path(folder)
        write_clip(media / CLIP)
        given = ("--media", folder, "--input", str(media / CLIP), "--record-file", FILM, *options)
        with RunningShow(*given) as show:
            traffic = Traffic(show.page, show.osc_port, media)
            traffic.start()
            try:
                began = time.monotonic()
                for due in (0.0, *moments(seconds, every_s)):
                    held = _held(show, began + due, every_s / LOOKS)
                    rows.append({"s": round(due, 1), **held, **_figures(show), **traffic.counts})
                    _add(log, rows[-1])
                    traffic.check()
            finally:
                traffic.stop()
            show.end()
    return rows


def _held(show: RunningShow, until: float, every_s: float) -> dict[str, float]:
    """The least of each figure from now to a moment of the monotonic clock, looked at every `every_s`."""
    least = _resources(show)
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, every_s))
        now = _resources(show)
        least = {name: min(value, now[name]) for name, value in least.items()}
    return least


def _resources(show: RunningShow) -> dict[str, float]:
    """Memory, descriptors and threads of each process, and the shared memory between them (Linux only), in MB."""
    worker = show.worker
    others = [child for child in show.stage.children(recursive=True) if child.pid != worker.pid]
    row = _process("stage", [show.stage]) | _process("worker", [worker]) | _process("other", others)
    held = Path(f"/proc/{show.stage.pid}/fd").iterdir()
    blocks = [file.stat() for file in held if os.readlink(file).startswith("/memfd:streamvace")]
    sizes = {block.st_ino: block.st_size for block in blocks}  # each is held by its maker and by its map
    return row | {"shared": round(sum(sizes.values()) / MB, 2)}


def _figures(show: RunningShow) -> dict[str, float]:
    """Totals so far, and the latencies of the last nine minutes in ms."""
    figures = show.figures()
    row = {name: figures[f"{name}_total"] for name in ("ticks", "missed", "chunks", "worker_restarts", "sink_faults")}
    row["recompiles"] = figures["worker_recompiles"]
    return row | {
        name: round(1e3 * figures.get(f"picture_latency_seconds{labels}", 0.0), 1) for name, labels in LATENCIES.items()
    }


LATENCIES = {
    "latency_p50": "{control}{0.5}",
    "latency_p95": "{control}{0.95}",
    "parameter_p50": "{parameter}{0.5}",
}
"""Name here, and the labels of the show's figure."""


def _process(name: str, processes: Iterable[psutil.Process]) -> dict[str, float]:
    """Sums of the processes: RSS, PSS and own memory in MB, descriptors (on Windows handles), threads."""
    sums = dict.fromkeys(("rss", "pss", "own", "files", "threads"), 0.0)
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # a film that has just been finished
            memory = process.memory_full_info()
            sums["rss"] += memory.rss / MB
            sums["pss"] += getattr(memory, "pss", memory.rss) / MB  # PSS and shared are Linux's
            sums["own"] += (memory.rss - getattr(memory, "shared", 0)) / MB
            sums["files"] += process.num_handles() if sys.platform == "win32" else process.num_fds()
            sums["threads"] += process.num_threads()
    return {f"{name}_{what}": round(value, 2) for what, value in sums.items()}


def _add(log: Path | None, row: Row) -> None:
    line = json.dumps(row)
    print(line, flush=True)
    if log is not None:
        with log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--every", type=float, default=EVERY_S, metavar="SECONDS", help="between two rows; default 60")
    parser.add_argument("--log", type=Path, default=None, metavar="FILE", help="add each row to this file")
    parser.add_argument("--table", type=Path, default=None, metavar="FILE", help="only print the table of this log")
    parser.add_argument("--most-growth", type=float, default=1.0, metavar="MB", help="in an hour; default 1")
    own = sys.argv[1:]
    end = own.index("--") if "--" in own else len(own)
    given = parser.parse_args(own[:end])
    if given.table is not None:
        print(table([json.loads(line) for line in given.table.read_text("utf-8").splitlines()]))
        return
    if given.log is not None and given.log.exists():
        parser.error(f"{given.log} exists; choose another name, or print it with --table")
    print(hardware_line(torch.device("cuda" if torch.cuda.is_available() else "cpu")), flush=True)
    rows = soak(given.seconds, own[end + 1 :], given.log, given.every)
    print(table(rows))
    wrong = verdict(rows, given.most_growth)
    print("\n".join(wrong) or f"no restart, no recompile, no growth above {given.most_growth:g} MB an hour")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
