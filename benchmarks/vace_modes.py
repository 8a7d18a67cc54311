"""What each VACE mode costs: `python benchmarks/vace_modes.py [--pipeline embedded] [--size 256x256] [--rounds 5]`.

One generator, every row in turn, several rounds: a machine whose speed drifts slows all rows alike. Each row begins
with a chunk that is not counted (a new reference is encoded in it); the ratio is to the control-only row of its round.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable

from streamvace.system.idle_threads import sleep_when_idle

sleep_when_idle()  # as `streamvace run` does, and like there before torch is loaded

import numpy as np
import torch

from streamvace.doctor.hardware import hardware_line
from streamvace.records.chunk import ChunkInput
from streamvace.records.model_options import ModelOptions
from streamvace.stream.generator import Generator
from streamvace.stream.loading import load_generator

Row = Callable[[int, int, int], dict[str, object]]
"""From frames, height and width of a chunk to what it is given beside prompt and control."""

BASE = "control"


def noise(*shape: int) -> np.ndarray:
    """A picture or clip of noise: no codec is faster on it."""
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
    """Median milliseconds a chunk of every row, and the median of its ratios to BASE."""
    width, height = generator.size
    for _ in range(-(-generator.spec.cache.window // generator.spec.chunk) + 1):
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
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", default="embedded")
    parser.add_argument("--size", default=None, help="WIDTHxHEIGHT, the pipeline's own by default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chunks", type=int, default=3, help="counted chunks a row and round")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    size = tuple(int(side) for side in given.size.split("x")) if given.size else None
    model = ModelOptions(given.device, given.threads, given.precision)
    generator = load_generator(given.pipeline, size, model)  # type: ignore[arg-type]
    rows = measure(generator, given.rounds, given.chunks)
    hardware = hardware_line(generator.device)
    shown = "{}x{}".format(*generator.size)
    if given.json:
        print(json.dumps({"pipeline": given.pipeline, "size": shown, "hardware": hardware, "rows": rows}, indent=1))
        return
    print(hardware)
    frames = generator.frames_wanted()
    print(f"{given.pipeline} {shown}, {given.rounds} rounds of {given.chunks} chunks of {frames} frames")
    for name, row in rows.items():
        print(f"{name:24} {row['ms']:8.1f} ms  {row['ratio']:5.2f} x")


if __name__ == "__main__":
    with torch.inference_mode():
        main()
