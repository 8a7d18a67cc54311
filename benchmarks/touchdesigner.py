"""The component's cost per TouchDesigner frame: its Python callbacks in a simulation, with a real process.

    python benchmarks/touchdesigner.py [--seconds 10]

The process runs with a fake generator, because only its OSC traffic matters here. The simulation of TouchDesigner
checks every access to every object, so its parameters are slower than TouchDesigner's. The times are an upper bound of
the component's own share, not a measurement of TouchDesigner.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import tempfile
import time
from collections.abc import Callable

import numpy as np
from common import arguments, cpu_line

from tests.touchdesigner.fake_td import FakeTouchDesigner
from tests.touchdesigner.studio import Studio, free_port

FAKE = "--factory tests.live.fakes:make --size 64x64 --output null --input pattern"
FRAME_S = 1 / 60


def measure(studio: Studio, seconds: float, act: Callable[[int], None] = lambda frame: None) -> list[float]:
    """Milliseconds of callbacks per frame, for this many seconds at 60 frames per second."""
    times: list[float] = []
    begun = time.perf_counter()
    for frame in range(round(seconds / FRAME_S)):
        for kept in (
            studio.td.callback_s,
            studio.sent,
            studio.heard,
        ):  # long lists would slow the garbage collector down
            kept.clear()
        studio.frame(lambda frame=frame: act(frame))  # type: ignore[misc]
        times.append(1e3 * sum(studio.td.callback_s))
        time.sleep(max(0.0, begun + (frame + 1) * FRAME_S - time.perf_counter()))
    return times


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="duration of each part")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(FakeTouchDesigner(Path(folder), timer=time.perf_counter))
        try:
            report(studio, free_port(), seconds)
        finally:
            studio.close()


def report(studio: Studio, port: int, seconds: float) -> None:
    print(cpu_line())
    rows = {"no process": measure(studio, seconds)}
    studio.prepare(port, f"bench-{port}", FAKE)
    studio.press("Start")
    rows["starting, loading, first full exchange"] = measure(studio, 1.0)
    while studio.par("Statusstate") != "live":
        rows["starting, loading, first full exchange"] += measure(studio, 0.5)
    rows["connected, status at 5 Hz"] = measure(studio, seconds)
    floats = ["Contextscale", "Noisescale", "Lorastrength"]
    rows["three parameters changed in every frame"] = measure(
        studio, seconds, lambda frame: studio.set(**dict.fromkeys(floats, frame % 100 / 100))
    )
    rows["all values requested in every frame"] = measure(
        studio, seconds, lambda frame: studio.component.Send("/streamvace/sync")
    )
    print(f"{len(studio.component.customPars)} parameters; milliseconds of Python per frame (16.7 at 60 Hz):")
    for what, times in rows.items():
        p50, p99, worst = np.percentile(times, [50, 99, 100])
        print(f"  {what:40} p50 {p50:6.3f}  p99 {p99:6.3f}  max {worst:6.3f}  ({len(times)} frames)")


if __name__ == "__main__":
    main()
