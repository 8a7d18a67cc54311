"""What `output_motion` makes of 12 pictures a second on a 60 Hz wall, and what it costs at a tick.

    python benchmarks/motion.py
    python benchmarks/motion.py --sheet sheet.png       the pictures of six ticks, one row for each way

The scene is the built-in pattern in colour at three times its speed, drawn at 12 pictures a second for the generator
and at 60 for comparison.
Printed are the mean difference of the output's pictures from those drawn at 60, the mean difference from one tick to
the next and its largest share of ten ticks (1 is even motion), and the time of the thread on the processor for each
tick: one thread, median, 95th percentile and largest.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streamvace.doctor.hardware import processor
from streamvace.effects.between import Between
from streamvace.video.core.resize import with_alpha
from streamvace.world.pattern_stream import PatternStream

WAYS = ("hold", "blend", "flow")
SIZES = ((256, 256), (640, 368))
WALL, GENERATED = 60, 12
SECONDS = 6
SPEED = 3
"""Times the pattern's own, which is slow: a hand waves, a dancer turns."""

Picture = NDArray[np.uint8]


def drawn(size: tuple[int, int]) -> list[Picture]:
    """The scene at 60 pictures a second."""
    stream = PatternStream("scene", size)
    return [with_alpha(stream.frame(SPEED * tick / WALL)) for tick in range(SECONDS * WALL + 1)]


def shown(true: list[Picture], how: str) -> tuple[list[Picture], list[float]]:
    """The output's pictures, and the milliseconds that each took. A picture of the generator counts for five ticks."""
    between, step = Between(time.thread_time), WALL // GENERATED
    pictures, taken = [], []
    for tick in range(SECONDS * WALL):
        begins = tick // step * step
        began = time.thread_time_ns()
        pictures.append(between(true[begins], true[begins + step], tick % step / step, how, 1e9))
        taken.append((time.thread_time_ns() - began) / 1e6)
    return pictures, taken


def difference(one: Picture, other: Picture) -> float:
    """Mean of levels, of 255."""
    return float(cv2.absdiff(one, other)[..., :3].mean())


def row(true: list[Picture], how: str) -> str:
    """A row of the table."""
    pictures, taken = shown(true, how)
    off = np.mean([difference(*pair) for pair in zip(pictures, true, strict=False)])
    steps = np.array([difference(*pair) for pair in pairwise(pictures)])
    tens = steps[: len(steps) // 10 * 10].reshape(-1, 10)
    uneven = np.mean(tens.max(axis=1) / np.maximum(tens.mean(axis=1), 1e-9))
    costs = np.percentile(taken, [50, 95, 100])
    return f"{off:.2f} | {steps.mean():.2f} | {uneven:.2f} | " + " | ".join(f"{each:.2f} ms" for each in costs)


def sheet(true: list[Picture], path: Path) -> None:
    """Six ticks of every way, and of the scene as it is drawn at 60; only the middle of each picture."""
    begins = 80
    rows = [true, *(shown(true, how)[0] for how in WAYS)]
    cut = slice(64, 192)
    tiles = [np.hstack([each[tick][cut, cut, :3] for tick in range(begins, begins + 6)]) for each in rows]
    cv2.imwrite(str(path), cv2.cvtColor(np.vstack(tiles), cv2.COLOR_RGB2BGR))


def main() -> None:
    """Print the table, or write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    if given.sheet is not None:
        sheet(drawn(SIZES[0]), given.sheet)
        return
    print(f"{processor()}; {SECONDS * WALL} ticks each\n")
    head = ("size", "way", "off the true picture", "a tick's change", "largest of ten, by their mean")
    print(f"| {' | '.join(head)} | median | p95 | largest |\n|{' --- |' * 8}")
    for size in SIZES:
        true = drawn(size)
        for how in WAYS:
            print(f"| {size[0]}x{size[1]} | {how} | {row(true, how)} |")


if __name__ == "__main__":
    main()
