"""Do references work? Clips with a picture of their own or another scene as reference, in each mode and in batch.

The prompt names no colour, so the colours come from the reference. Likeness is the overlap of colour histograms with
the reference, 0..1. Silhouette is the IoU with the control.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from streamvace.conditioning.context import ContextState, encode_context, reference_context
from streamvace.conditioning.pixels import to_frames, to_pixels
from streamvace.embedded.evaluation.confidence import Cell, figure
from streamvace.embedded.evaluation.judges import silhouette_iou
from streamvace.embedded.evaluation.trials import HELD_OUT, PLAIN
from streamvace.model.blocks import Bidirectional
from streamvace.model.noise import StreamNoise
from streamvace.model.rope import rotary_table
from streamvace.model.sampler import denoise, pipeline_schedule
from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.stream.generator import Generator
from streamvace.world.captions import caption
from streamvace.world.scene import FPS, render, sample_scene
from streamvace.world.styles import compose, sample_look

BINS = 6
"""Bins per colour channel: coarse enough that light and shade of one colour share a bin."""
STEP = 4
"""One of every four frames is judged."""
MODES = ("paper", "joint", "memory")
SEED = 42


@dataclass(frozen=True)
class Clip:
    """A scene's true frames, depth and object mask, `[F, H, W(, 3)]`, and its prompt with and without colours."""

    frames: Pixels
    depth: Pixels
    inside: NDArray[np.bool_]
    words: str
    colourless: str


def make_clip(number: int, frames: int, size: tuple[int, int]) -> Clip:
    """Held-out scene `number`, one object."""
    rng = np.random.default_rng(HELD_OUT + number)
    scene, look = sample_scene(rng, bodies=1), sample_look(rng, 1)
    maps = [render(scene, 3.0 + index / FPS, size) for index in range(frames)]
    depth = np.stack([np.repeat(each[1][..., None], 3, axis=-1) for each in maps])
    inside = np.stack([each[4] > 127 for each in maps])
    colourless = f"{scene.bodies[0].shape} on {scene.background.kind} background"
    return Clip(np.stack([compose(each, look) for each in maps]), depth, inside, caption(scene, look, 3.0), colourless)


def stream_clip(
    generator: Generator,
    clip: Clip,
    like: ChunkInput,
    prompt: str,
    shown: Pixels | None = None,
    mode: str = "auto",
    seed: int = SEED,
) -> Pixels:
    """Stream under the clip's depth after a reset. shown: a reference `[H, W, 3]` or None. like: other options."""
    generator.reset()
    made, at = [], 0
    while at < len(clip.frames):
        control = clip.depth[at : at + generator.frames_wanted()]
        references = None if shown is None else shown[None]
        chunk = generator.step(
            replace(like, prompt=prompt, seed=seed, control=control, references=references, reference_mode=mode)
        )
        made.append(chunk.frames)
        at += len(control)
    return np.concatenate(made)


def colours(picture: Pixels) -> NDArray[np.float64]:
    """A picture's colour histogram, normalised."""
    counts, _ = np.histogramdd(picture.reshape(-1, 3), bins=BINS, range=[(0, 256)] * 3)
    return np.asarray(counts / counts.sum(), np.float64)


def likeness(frames: Pixels, reference: Pixels) -> float:
    """Mean histogram intersection of the frames with a reference, 0..1."""
    target = colours(reference)
    return float(np.mean([np.minimum(colours(frame), target).sum() for frame in frames[::STEP]]))


@torch.inference_mode()
def batch_vace(generator: Generator, clip: Clip, reference: Pixels) -> Pixels:
    """The first chunk by batch VACE: base and branch are bidirectional over [reference | clip]."""
    parts, spec, codec = generator.networks, generator.spec, generator.networks.codec
    device, dtype = generator.device, generator.dtype
    generator.reset()
    count = generator.frames_wanted()
    generator.step(ChunkInput(clip.colourless, control=clip.depth[:count]))  # updates the text K/V
    text, context_text = generator.state.text, generator.state.context_text
    z, _ = codec.encode(to_pixels(reference[None], device, dtype), None)
    context, _ = encode_context(codec, ContextState(), to_pixels(clip.depth[:count], device, dtype), None, True)
    joined = torch.cat((reference_context(z, spec.size.vace_in_dim), context), dim=2)
    noise = StreamNoise(device, spec.shared_noise, spec.noise_tile)
    noise.begin_chunk(SEED, 0)
    start = noise.draw((1, spec.size.in_dim, spec.first_chunk + 1, *z.shape[3:]), dtype)

    def predict(x: torch.Tensor, t: float, sigma: float) -> torch.Tensor:
        # The reference is known: it gets the noise level of the clip (pure noise at first), and its output is replaced.
        tokens, grid = parts.wan.embed(x)
        time = parts.wan.embed_time(torch.full((1, grid.frames), t, device=device))
        head = spec.size.head_dim
        memory = Bidirectional(rotary_table(range(grid.frames), grid.height, grid.width, head, device))
        hints = parts.branch(tokens, joined, time, context_text, memory)
        x0 = parts.wan.run(tokens, grid, time, text, memory, hints)
        return torch.cat((z, x0[:, :, 1:]), dim=2)

    assert spec.prediction == "x0"
    schedule = pipeline_schedule(spec)
    x0 = denoise(start, schedule, predict, noise.draw_later(start, len(schedule.timesteps)))
    pixels, _ = codec.decode(x0[:, :, 1:], None)
    return to_frames(pixels)


def cases(
    generator: Generator, clip: Clip, foreign: Pixels, streamed: bool, like: ChunkInput
) -> Iterator[tuple[str, Pixels, Pixels]]:
    """(condition, generated pictures, the picture they should resemble). foreign: a picture of another scene."""
    own = clip.frames[0]
    if not streamed:
        yield "own picture, joint", batch_vace(generator, clip, own), own
        yield "another's, joint", batch_vace(generator, clip, foreign), foreign
        return
    yield "none", stream_clip(generator, clip, like, clip.colourless), own
    for mode in MODES:
        yield f"own picture, {mode}", stream_clip(generator, clip, like, clip.colourless, own, mode), own
        yield f"another's, {mode}", stream_clip(generator, clip, like, clip.colourless, foreign, mode), foreign
    yield "colours in the prompt", stream_clip(generator, clip, like, clip.words), own


def reference_cells(
    name: str,
    generator: Generator,
    clips: Sequence[Clip],
    streamed: bool,
    progress: Callable[[str], None],
    like: ChunkInput = PLAIN,
) -> Iterator[Cell]:
    """The cells of a variant: likeness in the first chunk and in the whole stream, and IoU with the control."""
    first = 1 + 4 * (generator.spec.first_chunk - 1)
    scores: dict[tuple[str, str], list[float]] = {}
    for number, clip in enumerate(clips):
        progress(f"references: {name}, clip {number + 1} of {len(clips)}")
        foreign = clips[(number + 1) % len(clips)].frames[0]
        for condition, made, wanted in cases(generator, clip, foreign, streamed, like):
            judged = range(0, len(made), 2 * STEP)
            obeys = float(np.mean([silhouette_iou(made[k], clip.inside[k]) for k in judged]))
            for judge, score in (
                ("likeness, first chunk", likeness(made[:first], wanted)),
                ("likeness", likeness(made, wanted)),
                ("silhouette", obeys),
            ):
                scores.setdefault((condition, judge), []).append(score)
    for (condition, judge), values in scores.items():
        yield Cell(name, "references", condition, judge, figure(np.array(values)))


def ends_of_the_scale(clips: Sequence[Clip]) -> Iterator[Cell]:
    """Ceiling: likeness of the true frames to their own first picture. Floor: to another scene's."""
    for name, shift in (("truth", 0), ("wrong", 1)):
        alike = [likeness(clip.frames, clips[(k + shift) % len(clips)].frames[0]) for k, clip in enumerate(clips)]
        yield Cell(name, "references", "", "likeness", figure(np.array(alike)))
