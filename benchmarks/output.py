"""What the output's effects cost at every tick.

    python benchmarks/output.py
    python benchmarks/output.py --sheet docs/screens.jpg     # a generated picture through every screen

Each effect is timed in turns with the neutral look on the same new picture. Printed are the median and the 95th
percentile of the ticks with the effect, and the median of the differences. The time is that of the thread on the
processor, so other programs count only as far as they slow the memory down. One thread, as beside a model.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from common import arguments
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streamvace.doctor.hardware import processor
from streamvace.effects.effects import Effects
from streamvace.effects.look import NEUTRAL, Look
from streamvace.effects.screens import SCREENS
from streamvace.embedded.train.sheets import write_sheet
from streamvace.records.chunk import ChunkInput
from streamvace.records.model_options import ModelOptions
from streamvace.stream.loading import load_generator
from streamvace.video.core.resize import with_alpha
from streamvace.world.pattern_stream import PatternStream
from streamvace.world.scene import FPS

SIZES = ((256, 256), (640, 368), (1024, 1024))
LOOKS = {
    "neutral": NEUTRAL,
    "brightness, saturation, hue": Look(brightness=1.2, saturation=0.8, hue=40.0),
    "zoom": Look(zoom=1.1),
    "trail": Look(trail=0.3),
    "control picture": Look(control=0.3),
    "all of them": Look(1.2, 0.8, 40.0, 1.1, 0.3, 0.3),
    **{f"screen {name}": Look(screen=name) for name in SCREENS},
}
SHEET_PROMPT = "glossy orange star on blue and purple plasma background"
TICKS = 400
PERIOD_S = 1 / 60


def times(look: Look, size: tuple[int, int]) -> tuple[list[float], list[float]]:
    """Milliseconds of ticks with the look, and of neutral ticks, in pairs; every tick has a new picture."""
    hand = np.random.default_rng(0)
    width, height = size
    pictures = [hand.integers(0, 256, (height, width, 4), np.uint8) for _ in range(8)]
    sides = ((look, Effects()), (NEUTRAL, Effects()))
    taken: tuple[list[float], list[float]] = [], []
    for tick in range(TICKS):
        picture, control = pictures[tick % 8], pictures[(tick + 3) % 8]

        def given(control: NDArray[np.uint8] = control) -> NDArray[np.uint8]:
            return control

        for side in (0, 1) if tick % 2 else (1, 0):
            wanted, effects = sides[side]
            began = time.thread_time_ns()
            effects(picture, wanted, given, elapsed_s=PERIOD_S)
            taken[side].append((time.thread_time_ns() - began) / 1e6)
    return taken


def percentile(values: Sequence[float], share: float) -> float:
    """Of the values in order, the one at this share."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def generated() -> NDArray[np.uint8]:
    """A picture of the embedded model, uint8 `[H, W, 4]`."""
    generator = load_generator("embedded", options=ModelOptions("cpu"))
    pattern, given = PatternStream("depth", generator.size), ChunkInput(SHEET_PROMPT, seed=3)
    for chunk in range(2):
        moments = [3 + (12 * chunk + frame) / FPS for frame in range(generator.frames_wanted())]
        made = generator.step(replace(given, control=np.stack([pattern.frame(at) for at in moments])))
    return with_alpha(made.frames[-1], None)


def sheet(path: Path) -> None:
    """Write the plain picture and every screen, in two rows, twice as large as generated."""
    picture, looks = generated(), [NEUTRAL, *(Look(screen=name, screen_cells=44) for name in SCREENS)]
    shown = [Effects(2)(picture, look, lambda: None)[64:-64, 64:-64, :3] for look in looks]
    rows = [np.concatenate(shown[at : at + 5], 1) for at in range(0, len(shown), 5)]
    write_sheet(path, np.concatenate(rows), quality=88)


def main() -> None:
    """Print the table, or write the sheet."""
    parser = arguments(__doc__)
    parser.add_argument("--sheet", type=Path, help="write this picture instead")
    given = parser.parse_args()
    if given.sheet is not None:
        sheet(given.sheet)
        return
    cv2.setNumThreads(1)
    print(f"{processor()}; {TICKS} ticks each\n")
    print("| effect | size | median | p95 | more than neutral, median |\n| --- | --- | --- | --- | --- |")
    for name, look in LOOKS.items():
        for size in SIZES:
            with_it, without = times(look, size)
            more = [each - other for each, other in zip(with_it, without, strict=True)]
            figures = percentile(with_it, 0.5), percentile(with_it, 0.95), percentile(more, 0.5)
            print(f"| {name} | {size[0]}x{size[1]} | " + " | ".join(f"{each:.3f} ms" for each in figures) + " |")


if __name__ == "__main__":
    main()
