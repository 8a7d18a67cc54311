"""Quality and speed of reused hints: `python benchmarks/hint_reuse.py [--clips 8] [--chunks 3]`.

Streams held-out scenes through the embedded model. Reports silhouette IoU, PSNR to the stream with hints at every step,
and the time per chunk.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from streamvace.system.idle_threads import sleep_when_idle

sleep_when_idle()  # before torch is loaded, as in `streamvace run`

import numpy as np
from common import arguments, report

from streamvace.doctor.hardware import hardware_line
from streamvace.embedded.evaluation.judges import silhouette_iou
from streamvace.embedded.evaluation.references import STEP, Clip, make_clip
from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.records.model_options import ModelOptions
from streamvace.stream.generator import Generator
from streamvace.stream.loading import load_generator

REUSE = (1, 2, 3, 4)


def stream(generator: Generator, clip: Clip, reuse: int) -> tuple[Pixels, float]:
    """The frames generated from the clip's depth, and the median seconds of the chunks after the first."""
    generator.reset()
    made, seconds, at = [], [], 0
    while at < len(clip.frames):
        control = clip.depth[at : at + generator.frames_wanted()]
        chunk = generator.step(ChunkInput(clip.words, control=control, hint_reuse=reuse))
        made.append(chunk.frames)
        seconds.append(chunk.seconds["total"])
        at += len(control)
    return np.concatenate(made), statistics.median(seconds[1:] or seconds)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--chunks", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    generator = load_generator("embedded", None, ModelOptions("cpu", given.threads))
    length = 9 + 12 * (given.chunks - 1)
    rows: dict[int, dict[str, list[float]]] = {reuse: {"iou": [], "ms": [], "psnr": []} for reuse in REUSE}
    for number in range(given.clips):
        clip = make_clip(number, length, generator.size)
        every, _ = stream(generator, clip, 1)
        for reuse, row in rows.items():
            made, seconds = stream(generator, clip, reuse)
            row["iou"] += [silhouette_iou(made[k], clip.inside[k]) for k in range(0, length, 2 * STEP)]
            row["ms"].append(1000 * seconds)
            if reuse > 1:
                error = np.square(made.astype(np.float32) - every.astype(np.float32)).mean()
                row["psnr"].append(float(10 * np.log10(255**2 / error)))
    report(given.json, hardware_line(generator.device), {"hint_reuse": rows}, lines(rows, given.clips, length))


def lines(rows: dict[int, dict[str, list[float]]], clips: int, length: int) -> Iterator[str]:
    """The result in words."""
    yield f"embedded, {clips} clips of {length} frames"
    for reuse, row in rows.items():
        same = f"PSNR to every-step hints {np.mean(row['psnr']):.1f} dB, " if row["psnr"] else ""
        yield f"hint_reuse {reuse}: IoU {np.mean(row['iou']):.3f}, {same}{np.median(row['ms']):.0f} ms a chunk"


if __name__ == "__main__":
    main()
