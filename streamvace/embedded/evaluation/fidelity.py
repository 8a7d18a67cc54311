"""The fidelity table: how well control works in a causal stream, compared with the batch of its training.

{batch, streamed} x {control on, off, half, one and a half, another clip's} x {depth, edges, gray, inpainting,
extension}, and also prompt colours, hint reuse and 8-bit weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

from streamvace.embedded.evaluation.confidence import Cell, figure, tells_apart
from streamvace.embedded.evaluation.judges import JUDGES, Scores
from streamvace.embedded.evaluation.painters import Condition, Variant, paint, to_pictures
from streamvace.embedded.evaluation.trials import STILL, Trial, as_batch, camera_batch, trial
from streamvace.embedded.train.data import Batch
from streamvace.embedded.train.network import CHUNK, encode
from streamvace.embedded.train.photographs import photographs
from streamvace.model.autoencoder.tiny import TinyAE
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command

BATCH = 16
"""Clips per batch: enough to keep two cores busy, and they fit any laptop's memory."""
TWO_BODIES = 10_000
"""First number of the trials with two objects."""

CONDITIONS = {
    "on": Condition(),
    "off": Condition(heard=False),
    "scale 0.5": Condition(scale=0.5),
    "scale 1.5": Condition(scale=1.5),
    "another clip": Condition(another_clip=True),
    "hints every 2 steps": Condition(hint_reuse=2),
    "hints once": Condition(hint_reuse=4),
    "int8": Condition(precision="int8"),
}


@dataclass(frozen=True)
class Task:
    """A control, the number of objects in its scenes, its judges and its conditions."""

    control: str
    bodies: int
    judges: tuple[str, ...]
    conditions: tuple[str, ...]


_COMMON = ("on", "off", "scale 0.5", "scale 1.5", "another clip")
TASKS: dict[str, Task] = {
    "depth": Task("depth", 1, ("silhouette", "colour", "seam"), tuple(CONDITIONS)),
    "edges": Task("edges", 1, ("silhouette", "colour"), _COMMON),
    "gray": Task("gray", 1, ("silhouette", "colour"), _COMMON),
    "inpaint": Task("inpaint", 1, ("kept_ssim", "kept_psnr"), ("on", "off")),
    "extend": Task("extend", 1, ("first_psnr", "seam"), ("on", "off")),
    "camera": Task("camera", 0, ("picture_ssim", "picture_psnr"), ("on", "off", "another clip")),
    "two objects": Task("depth", 2, ("silhouette", "colour"), ("on", "off")),
}


def held_out(task: Task, clips: int, frames: int) -> tuple[list[Trial], list[Batch]]:
    """The clips of a task. `camera` has no trials: its truth is the picture itself."""
    starts = [(k, min(BATCH, clips - k)) for k in range(0, clips, BATCH)]
    if task.control == "camera":
        pictures = photographs(None)
        if not pictures:
            raise UserError(f"the task camera needs photographs: {install_command('train')}")
        return [], [camera_batch(first, count, frames, pictures) for first, count in starts]
    offset = TWO_BODIES if task.bodies > 1 else 0
    trials = [trial(offset + n, frames, task.bodies) for n in range(clips)]
    return trials, [as_batch(trials[first : first + count], task.control) for first, count in starts]


def fidelity(
    variants: list[Variant],
    codec: TinyAE,
    clips: int,
    seeds: int,
    tasks: tuple[str, ...] = tuple(TASKS),
    conditions: tuple[str, ...] = tuple(CONDITIONS),
    chunks: int = 2,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Cell]:
    """Every cell of the table, ceilings and floors first.

    A judge that cannot tell the codec's round trip from a clearly wrong case is left out and reported to `progress`.
    """
    for name in tasks:
        task = TASKS[name]
        trials, batches = held_out(task, clips, 4 * CHUNK * chunks)
        truth = np.concatenate([b.video for b in batches])[:, STILL:]
        codec_trip = np.concatenate([to_pictures(codec, encode(codec.blocks, b).x0) for b in batches])
        trusted = []
        for judge in task.judges:
            row = JUDGES[judge]
            ceiling = figure(row.score(codec_trip, truth, trials))
            floor = figure(row.score(*row.wrong(codec_trip, truth, trials)))
            yield Cell("truth", name, "", judge, figure(row.score(truth, truth, trials)))
            yield Cell("codec", name, "", judge, ceiling)
            yield Cell("wrong", name, "", judge, floor)
            if tells_apart(ceiling, floor, row.more):
                trusted.append(judge)
            else:
                progress(f"{name}: the judge {judge} cannot tell right ({ceiling}) from wrong ({floor}); left out")
        for variant in variants:
            for condition in (c for c in task.conditions if c in conditions):
                progress(f"{name}: {variant.name}, {condition}")
                how = CONDITIONS[condition]
                scores: dict[str, list[Scores]] = {judge: [] for judge in trusted}
                for seed in range(seeds):
                    made = paint(variant, batches, task.control, how, 1000 * seed + 1)
                    for judge in trusted:
                        scores[judge].append(JUDGES[judge].score(made, truth, trials))
                for judge in trusted:
                    yield Cell(variant.name, name, condition, judge, figure(np.stack(scores[judge])))


def card_figures(variant: Variant, clips: int) -> dict[str, float]:
    """The figures of the model card, by `task condition judge`: means of the network, and of the codec as ceiling."""
    figures = {}
    for name in TASKS:
        for cell in fidelity([variant], variant.codec, clips, 1, (name,), conditions=("on", "off")):
            if cell.variant in (variant.name, "codec"):
                figures[f"{name} {cell.condition or 'codec'} {cell.judge}"] = cell.figure.mean
    return figures


def as_json(cells: list[Cell]) -> list[dict[str, object]]:
    """The cells as plain data."""
    return [{**asdict(cell), "figure": asdict(cell.figure)} for cell in cells]
