"""The robustness and latency of a live show with the model running: `python benchmarks/show.py WHAT`.

  kills    kill the worker (kill -9) ten times in two minutes: missed ticks, longest gap, time until fresh frames
  stall    suspend the worker (SIGSTOP; on Windows its threads) for 5 s: missed ticks, interval p99
  start    the time from the command to a loaded model and to the first generated picture, `--starts` times
  latency  context scale over OSC at random moments, for each control timing: OSC and control to picture
  page     the stage's processor time with one page of the web panel open against none, in turns: `--rounds` each
  all      everything on at once (everything.py says what): missed ticks, pictures in between that were held

Each starts `streamvace run` with the moving test pattern and without an output, and prints the hardware first.
`--seconds` sets the duration, `--kills`, `--starts` and `--rounds` how often, `--json` prints JSON. Arguments after
`--` go to `streamvace run`.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import torch
from common import arguments, report
from everything import everything
from page_cost import page
from running_show import Figures, RunningShow, wait_for

from streamvace.doctor.hardware import hardware_line

RECOVERY_SECONDS = 120.0

Result = dict[str, object]


def kills(seconds: float, options: list[str], count: int) -> Result:
    """`kill -9` at even intervals; each kill is over when the new worker's first chunk is shown."""
    back: list[float] = []
    with RunningShow(*options) as show:
        before = show.figures()
        began = time.perf_counter()
        for turn in range(count):
            time.sleep(max(0.0, began + (turn + 0.5) * seconds / count - time.perf_counter()))
            restarts = show.figures()["worker_restarts_total"]
            show.worker.kill()
            killed = time.perf_counter()
            wait_for(lambda r=restarts: show.figures()["worker_restarts_total"] > r, RECOVERY_SECONDS, "the restart")
            chunks = show.figures()["chunks_total"]
            wait_for(lambda c=chunks: show.figures()["chunks_total"] > c, RECOVERY_SECONDS, "a new chunk")
            fresh = show.figures()["fresh_total"]
            wait_for(lambda f=fresh: show.figures()["fresh_total"] > f, RECOVERY_SECONDS, "a fresh frame")
            back.append(time.perf_counter() - killed)
        time.sleep(max(0.0, began + seconds - time.perf_counter()))
        after = show.figures()
        end = show.end()
    return {
        **ticks(before, after, float(end["interval_max_ms"])),
        "kills": count,
        "restarts": int(after["worker_restarts_total"] - before["worker_restarts_total"]),
        "back_to_fresh_s_median": statistics.median(back),
        "back_to_fresh_s_max": max(back),
    }


def stall(seconds: float, options: list[str], stalled: float = 5.0) -> Result:
    """One stall in the middle of a run. It is shorter than the supervisor's timeout, so nothing restarts."""
    with RunningShow(*options) as show:
        before = show.figures()
        time.sleep(max(0.0, (seconds - stalled) / 2))
        worker = show.worker
        worker.suspend()
        try:
            time.sleep(stalled)
        finally:
            worker.resume()
        chunks = show.figures()["chunks_total"]
        resumed = wait_for(lambda: show.figures()["chunks_total"] > chunks, RECOVERY_SECONDS, "a chunk")
        time.sleep(max(0.0, (seconds - stalled) / 2 - resumed))
        after = show.figures()
        end = show.end()
    period_ms = 1000 / 30.0
    return {
        **ticks(before, after, float(end["interval_max_ms"])),
        "stalled_s": stalled,
        "interval_p99_ms": float(end["interval_p99_ms"]),
        "interval_p99_periods": float(end["interval_p99_ms"]) / period_ms,
        "repeated_ticks": int(after["repeated_total"] - before["repeated_total"]),
        "first_chunk_after_s": resumed,
        "restarts": int(after["worker_restarts_total"]),
    }


def start(seconds: float, options: list[str], starts: int) -> Result:
    """One show after the other; each ends with its first picture. The first one also reads files into memory."""
    ready: list[float] = []
    shown: list[float] = []
    for _ in range(starts):
        with RunningShow(*options) as show:
            ready.append(show.ready_s)
            shown.append(show.first_picture_s)
    return {
        "starts": starts,
        "ready_s_median": statistics.median(ready),
        "first_picture_s_median": statistics.median(shown),
        "first_picture_s_max": max(shown),
    }


def latency(seconds: float, options: list[str]) -> Result:
    """A new context scale about once a second, at random moments of a chunk."""
    chance = random.Random(1)
    result: Result = {"seconds_each": seconds}
    for timing in ("smooth", "instant", "ahead"):
        with RunningShow("--control-timing", timing, *options) as show:
            pings = [show.ping_ms() for _ in range(20)]
            began = time.perf_counter()
            while time.perf_counter() - began < seconds:
                show.osc("/streamvace/context_scale", round(chance.uniform(0.3, 1.7), 3))
                time.sleep(chance.uniform(0.6, 1.4))
            end = show.end()
        wanted = ("parameter_p50_ms", "parameter_p95_ms", "latency_p50_ms", "latency_p95_ms")
        wanted += ("chunk_p50_ms", "chunk_p95_ms", "fps", *(f"leg_{leg}_p50_ms" for leg in LEGS))
        result[timing] = {name: end[name] for name in wanted} | {"osc_ping_p50_ms": statistics.median(pings)}
    return result


def all_on(seconds: float, options: list[str]) -> Result:
    """A show with everything on."""
    before, after, end = everything(seconds, options)
    counted = ("motion_held", "midi_messages", "midi_dropped", "sound_faults")
    return {
        **ticks(before, after, float(str(end["interval_max_ms"]))),
        **{name: int(after[name] - before[name]) for name in counted},
        **{name: end[name] for name in ("stage_percent", "pictures_per_s", "fps", "tempo", "interval_p99_ms")},
    }


LEGS = ("wait", "send", "step", "decode", "queue")


def ticks(before: Figures, after: Figures, longest_ms: float) -> Result:
    """The output clock's figures, reported by every run. The longest gap is that of the whole show."""
    missed, total = (int(after[name] - before[name]) for name in ("missed_total", "ticks_total"))
    return {
        "ticks": total,
        "missed": missed,
        "missed_percent": 100 * missed / max(1, total + missed),
        "longest_gap_ms": longest_ms,
    }


RUNS: dict[str, tuple[Callable[[float, list[str]], Result], float]] = {
    "kills": (partial(kills, count=10), 120.0),
    "stall": (stall, 60.0),
    "start": (partial(start, starts=5), 0.0),
    "latency": (latency, 60.0),
    "page": (partial(page, rounds=7), 8.0),
    "all": (all_on, 60.0),
}
"""By name: the function and its default duration in s."""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("what", choices=RUNS)
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    # Split by hand: argparse would parse the arguments after `--` as its own.
    own = sys.argv[1:]
    end = own.index("--") if "--" in own else len(own)
    given = parser.parse_args(own[:end])
    run, seconds = RUNS[given.what]
    if given.what == "kills":
        run = partial(kills, count=given.kills)
    if given.what == "start":
        run = partial(start, starts=given.starts)
    if given.what == "page":
        run = partial(page, rounds=given.rounds)
    hardware = hardware_line(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    result = run(given.seconds or seconds, own[end + 1 :])
    lines = (f"{name}: {_shown(value)}" for name, value in result.items())
    report(given.json, hardware, {"what": given.what, **result}, lines)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(inner)}" for name, inner in value.items()) or "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
