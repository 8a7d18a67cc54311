"""The cost of each VACE mode: `python benchmarks/vace_modes.py [--pipeline embedded] [--size 256x256] [--rounds 5]`.

One generator runs all rows in turn, in several rounds, so changes of the machine's speed affect all rows alike. Each
row begins with an uncounted chunk, which encodes new references. Ratios are to the control-only row of the same round.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

from streamvace.system.idle_threads import sleep_when_idle

sleep_when_idle()  # before torch is loaded, as in `streamvace run`

import numpy as np
import torch
from common import generator, model_arguments, report, steady_chunks

from streamvace.doctor.hardware import hardware_line
from streamvace.records.chunk import ChunkInput
from streamvace.stream.generator import Generator

Row = Callable[[int, int, int], dict[str, object]]
"""From frames, height and width of a chunk to the fields of ChunkInput besides prompt and control."""

BASE = "control"


def noise(*shape: int) -> np.ndarray:
    """A picture or clip of noise, the hardest content for a codec."""
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def half(frames: int, height: int, width: int) -> np.ndarray:
    """A mask or map that covers the left half."""
    mask = np.zeros((frames, height, width), np.uint8)
    mask[:, :, : width // 2] = 255
    return mask


ROWS: dict[str, Row] = {
    BASE: lambda f, h, w: {},
    "no control": lambda f, h, w: {"control": None},
    **{
        f"{count} reference{'s' * (count > 1)}, {mode}": lambda f, h, w, count=count, mode=mode: {  # type: ignore[misc]
            "references": noise(count, h, w, 3),
            "reference_mode": mode,
        }
        for mode in ("joint", "memory", "paper")
        for count in (1, 2, 4, 8)
    },
    "mask": lambda f, h, w: {"mask": half(f, h, w)},
    "first and last frame": lambda f, h, w: {"first_frame": noise(h, w, 3), "last_frame": noise(h, w, 3)},
    "second control": lambda f, h, w: {"second_control": noise(f, h, w, 3)},
    "scale map": lambda f, h, w: {"scale_map": half(f, h, w)},
    "video to video": lambda f, h, w: {"source": noise(f, h, w, 3)},
    "hint_reuse 2": lambda f, h, w: {"hint_reuse": 2},
    "hint_reuse 4": lambda f, h, w: {"hint_reuse": 4},
    "history_hints": lambda f, h, w: {"history_hints": True},
}


def measure(generator: Generator, rounds: int, chunks: int) -> dict[str, dict[str, float]]:
    """Median milliseconds per chunk of every row, and the median of its ratios to BASE."""
    width, height = generator.size
    for _ in range(steady_chunks(generator)):
        generator.step(ChunkInput("red glossy sphere"))
    times: dict[str, list[float]] = {name: [] for name in ROWS}
    frames = generator.frames_wanted()
    for _ in range(rounds):
        for name, row in ROWS.items():
            fields = {"control": noise(frames, height, width, 3)} | row(frames, height, width)
            given = ChunkInput("red glossy sphere", **fields)  # type: ignore[arg-type]
            generator.step(given)
            times[name].append(statistics.median(generator.step(given).seconds["total"] for _ in range(chunks)))
    return {
        name: {
            "ms": 1000 * statistics.median(each),
            "ratio": statistics.median(mine / base for mine, base in zip(each, times[BASE], strict=True)),
        }
        for name, each in times.items()
    }


def main() -> None:
    parser = model_arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chunks", type=int, default=3, help="measured chunks per row and round")
    given = parser.parse_args()
    loaded = generator(given)
    rows = measure(loaded, given.rounds, given.chunks)
    size = "{}x{}".format(*loaded.size)
    title = (
        f"{given.pipeline} {size}, {given.rounds} rounds of {given.chunks} chunks of {loaded.frames_wanted()} frames"
    )
    table = (f"{name:24} {row['ms']:8.1f} ms  {row['ratio']:5.2f} x" for name, row in rows.items())
    figures = {"pipeline": given.pipeline, "size": size, "rows": rows}
    report(given.json, hardware_line(loaded.device), figures, [title, *table])


if __name__ == "__main__":
    with torch.inference_mode():
        main()
