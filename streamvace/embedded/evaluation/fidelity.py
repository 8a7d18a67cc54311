"""The fidelity table: how well control carries over from the batch it was trained in to a causal stream.

{batch, streamed} x {control on, off, half, one and a half, another clip's} x {depth, edges, gray, inpainting,
extension}; words, hint reuse and 8-bit weights beside it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from streamvace.embedded.evaluation.confidence import Cell, figure, tells_apart
from streamvace.embedded.evaluation.judges import JUDGES, Scores
from streamvace.embedded.evaluation.trials import Bytes, Trial, as_batch, camera_batch, trial
from streamvace.embedded.train.data import Batch
from streamvace.embedded.train.network import CHUNK, Network, encode
from streamvace.embedded.train.photographs import photographs
from streamvace.embedded.train.sampling import stream
from streamvace.model.autoencoder.tiny import TinyAE
from streamvace.model.quantize import PRECISIONS, quantise_blocks
from streamvace.model.specs import PIPELINES
from streamvace.stream.seams import ease_chunk
from streamvace.system.errors import UserError

BATCH = 16
"""Clips streamed side by side: enough to keep two cores busy, little enough for any laptop's memory."""
EASED = (PIPELINES["embedded"].ease_seams, PIPELINES["embedded"].ease_latents)
TWO_BODIES = 10_000
"""Trial numbers from here on show two objects."""


@dataclass(frozen=True)
class Variant:
    """A network and how it runs: chunk after chunk, or the whole clip in one bidirectional chunk."""

    name: str
    net: Network
    streamed: bool


@dataclass(frozen=True)
class Condition:
    """What is done to the control."""

    heard: bool = True
    scale: float = 1.0
    another_clip: bool = False
    hint_reuse: int = 1
    precision: str = "fp32"


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
    """One control, the objects in its scenes, how it is judged and under which conditions."""

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


@torch.no_grad()
def to_pictures(codec: TinyAE, latents: Tensor, ease: tuple[int, int] | None = None) -> Bytes:
    """Latents of a whole stream -> uint8 `[B, 4T - 3, 128, 128, 3]`, the decoder's output at half size.

    ease: frames over which the seams between chunks, and between latent frames, are eased, as the live stream does it;
    None = not.
    """
    out = []
    for row in latents:
        frames, _ = codec.decode(row[None])
        if ease is not None:
            first = 4 * CHUNK - 3
            chunks = [ease_chunk(frames[:, :, :first], None, *ease)]
            for part in frames[:, :, first:].split(4 * CHUNK, 2):
                chunks.append(ease_chunk(part, chunks[-1][:, :, -1], *ease))
            frames = torch.cat(chunks, 2)
        half = torch.nn.functional.avg_pool2d(frames[0].transpose(0, 1), 2)
        out.append(((half.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy())
    return np.stack(out)


def paint(variant: Variant, codec: TinyAE, batches: list[Batch], how: Condition, seed: int) -> Bytes:
    """What the variant makes of the clips, uint8 `[N, T, H, W, 3]` without the three pictures held at the start."""
    net = variant.net
    if how.precision != "fp32":
        net = copy.deepcopy(net)
        for part in (net.transformer, net.context):
            quantise_blocks(part, PRECISIONS[how.precision])
    painted = []
    for number, batch in enumerate(batches):
        data = encode(codec.blocks, batch)
        context = data.context.roll(1, 0) if how.another_clip else data.context
        frames = CHUNK if variant.streamed else context.shape[2]
        contexts: list[Tensor | None] = [part if how.heard else None for part in context.split(frames, 2)]
        latents = stream(
            net,
            data.tokens,
            contexts,
            frames,
            data.x0.shape[-1],
            seed + number,
            context_scale=how.scale,
            hint_reuse=how.hint_reuse,
        )
        painted.append(to_pictures(codec, torch.cat(latents, 2), EASED if variant.streamed else None))
    return np.concatenate(painted)


def held_out(task: Task, clips: int, frames: int) -> tuple[list[Trial], list[Batch]]:
    """The clips of a task; no trials for the camera's, whose truth is the picture itself."""
    starts = [(k, min(BATCH, clips - k)) for k in range(0, clips, BATCH)]
    if task.control == "camera":
        pictures = photographs(None)
        if not pictures:
            raise UserError("the task camera needs photographs: pip install scikit-image")
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

    A judge that cannot tell the codec's round trip from a plainly wrong case is left out, with a line to `progress`.
    """
    for name in tasks:
        task = TASKS[name]
        trials, batches = held_out(task, clips, 4 * CHUNK * chunks)
        truth = np.concatenate([b.video for b in batches])[:, 3:]
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
                    made = paint(variant, codec, batches, how, 1000 * seed + 1)
                    for judge in trusted:
                        scores[judge].append(JUDGES[judge].score(made, truth, trials))
                for judge in trusted:
                    yield Cell(variant.name, name, condition, judge, figure(np.stack(scores[judge])))


def card_figures(variant: Variant, codec: TinyAE, clips: int) -> dict[str, float]:
    """`task condition judge` -> mean for the network itself, and the codec's ceiling: what the package's card says."""
    figures = {}
    for name in TASKS:
        for cell in fidelity([variant], codec, clips, 1, (name,), conditions=("on", "off")):
            if cell.variant in (variant.name, "codec"):
                figures[f"{name} {cell.condition or 'codec'} {cell.judge}"] = cell.figure.mean
    return figures


def as_json(cells: list[Cell]) -> list[dict[str, object]]:
    """The cells as plain data."""
    return [{**asdict(cell), "figure": asdict(cell.figure)} for cell in cells]
