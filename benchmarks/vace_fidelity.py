"""How true the modes are: `python benchmarks/vace_fidelity.py [--clips 8] [--chunks 3]`, on the embedded model.

Held-out scenes of the procedural world, streamed as in a show, judged against what is known of them:

- references: likeness of the picture's colours to the reference's (histogram intersection, 0..1), for every mode and
  for batch VACE over [references | clip], beside the floor (no reference; a picture that was not shown) and the ceiling
  (the true frames). The prompt names no colour, so what is right comes from the reference;
- inpainting: SSIM of the kept region before any pasting back, beside the codec's round trip;
- hint_reuse: silhouette IoU and likeness to the stream with every hint (PSNR), beside the time a chunk takes.

Needs the [train] extra (scikit-image).
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from streamvace.idle_threads import sleep_when_idle

sleep_when_idle()  # as `streamvace run` does, and like there before torch is loaded

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from streamvace.chunk import ChunkInput, Pixels
from streamvace.conditioning.context import ContextState, encode_context, reference_context
from streamvace.embedded.captions import caption
from streamvace.embedded.judge.judges import silhouette_iou
from streamvace.embedded.judge.trials import HELD_OUT
from streamvace.embedded.styles import compose, sample_look
from streamvace.embedded.world import FPS, render, sample_scene
from streamvace.generator import Generator
from streamvace.hardware import hardware_line
from streamvace.model.blocks import Bidirectional
from streamvace.model.rope import rotary_table
from streamvace.model.sampler import denoise, draw_noise, pipeline_schedule
from streamvace.model_options import ModelOptions
from streamvace.pixels import to_frames, to_pixels

BINS = 6
"""Colour bins a channel: coarse enough that light and shade of one colour fall together."""
STEP = 4
"""One of every four frames is judged."""
REUSE = (1, 2, 3, 4)


@dataclass(frozen=True)
class Clip:
    """A scene's true frames, depth and object mask, `[F, H, W(, 3)]`; the words that name all of it, and no colour."""

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


def stream(generator: Generator, frames: int, prompt: str, **given: Pixels | str | int | None) -> tuple[Pixels, float]:
    """A stream from its start over `frames` frames of clips, and the median seconds of its later chunks.

    given: fields of ChunkInput; arrays as long as the clip are cut into chunks.
    """
    generator.reset()
    made, seconds, at = [], [], 0
    while at < frames:
        count = generator.frames_wanted()
        fields = {
            name: value[at : at + count] if isinstance(value, np.ndarray) and len(value) == frames else value
            for name, value in given.items()
        }
        chunk = generator.step(ChunkInput(prompt, **fields))  # type: ignore[arg-type]
        made.append(chunk.frames)
        seconds.append(chunk.seconds["total"])
        at += count
    return np.concatenate(made), statistics.median(seconds[1:] or seconds)


def colours(picture: Pixels) -> NDArray[np.float64]:
    """A picture's colour histogram, normalised."""
    counts, _ = np.histogramdd(picture.reshape(-1, 3), bins=BINS, range=[(0, 256)] * 3)
    return counts / counts.sum()


def likeness(frames: Pixels, reference: Pixels) -> float:
    """Mean histogram intersection of the frames with a reference, 0..1."""
    target = colours(reference)
    return float(np.mean([np.minimum(colours(frame), target).sum() for frame in frames[::STEP]]))


def batch_vace(generator: Generator, clip: Clip, reference: Pixels) -> Pixels:
    """The first chunk as batch VACE makes it: base and branch bidirectional over [reference | clip]."""
    parts, spec, codec = generator.networks, generator.spec, generator.networks.codec
    device, dtype = generator.device, generator.dtype
    generator.reset()
    count = generator.frames_wanted()
    generator.step(ChunkInput(clip.colourless, control=clip.depth[:count]))  # brings the text K/V up to date
    text, context_text = generator.state.text, generator.state.context_text
    z, _ = codec.encode(to_pixels(reference[None], device, dtype), None)
    context, _ = encode_context(codec, ContextState(), to_pixels(clip.depth[:count], device, dtype), None, True)
    joined = torch.cat((reference_context(z, spec.size.vace_in_dim), context), dim=2)
    draw = torch.Generator(device).manual_seed(42)
    start = draw_noise((1, spec.size.in_dim, spec.first_chunk + 1, *z.shape[3:]), draw, dtype)

    def predict(x: torch.Tensor, t: float, sigma: float) -> torch.Tensor:
        # The reference is known: it takes part as noisy as the clip (all noise at first), and comes out as it was.
        tokens, grid = parts.wan.embed(x)
        time = parts.wan.embed_time(torch.full((1, grid.frames), t, device=device))
        head = spec.size.head_dim
        memory = Bidirectional(rotary_table(range(grid.frames), grid.height, grid.width, head, device))
        hints = parts.branch(tokens, joined, time, context_text, memory)
        x0 = parts.wan.run(tokens, grid, time, text, memory, hints)
        return torch.cat((z, x0[:, :, 1:]), dim=2)

    assert spec.prediction == "x0"
    x0 = denoise(start, pipeline_schedule(spec), predict, draw)
    pixels, _ = codec.decode(x0[:, :, 1:], None)
    return to_frames(pixels)


def reference_rows(generator: Generator, clips: Sequence[Clip]) -> dict[str, dict[str, float]]:
    """Each mode with a picture of the clip's own scene, and with one of another scene, as its reference.

    first, stream: likeness of the first chunk and of all frames to the picture that was shown. wrong: of all frames to
    one that was not. iou: whether the control is still obeyed (silhouettes).
    """
    rows: dict[str, dict[str, list[float]]] = {}
    generator.reset()
    first = generator.frames_wanted()

    def note(name: str, frames: Pixels, shown: Pixels, wrong: Pixels, inside: NDArray[np.bool_]) -> None:
        row = rows.setdefault(name, {"first": [], "stream": [], "wrong": [], "iou": []})
        row["first"].append(likeness(frames[:first], shown))
        row["stream"].append(likeness(frames, shown))
        row["wrong"].append(likeness(frames, wrong))
        row["iou"] += [silhouette_iou(frames[k], inside[k]) for k in range(0, len(frames), STEP * 2)]

    for clip, other in zip(clips, [*clips[1:], clips[0]], strict=True):
        own, foreign, length = clip.frames[0], other.frames[0], len(clip.frames)
        note("true frames (ceiling)", clip.frames, own, foreign, clip.inside)
        plain, _ = stream(generator, length, clip.colourless, control=clip.depth)
        note("no reference (floor)", plain, own, foreign, clip.inside)
        for mode in ("paper", "joint", "memory"):
            for whose, shown, wrong in (("own", own, foreign), ("foreign", foreign, own)):
                given = {"references": shown[None], "reference_mode": mode}
                made, _ = stream(generator, length, clip.colourless, control=clip.depth, **given)
                note(f"{mode}, {whose} picture", made, shown, wrong, clip.inside)
        note("batch, own picture (one chunk)", batch_vace(generator, clip, own), own, foreign, clip.inside)
        named, _ = stream(generator, length, clip.words, control=clip.depth)
        note("colours in the prompt instead", named, own, foreign, clip.inside)
    return {name: {key: float(np.mean(each)) for key, each in row.items()} for name, row in rows.items()}


def kept_ssim(frames: Pixels, truth: Pixels, kept: NDArray[np.bool_]) -> float:
    """Mean SSIM of the kept region."""
    scores = []
    for ours, theirs in zip(frames[::STEP], truth[::STEP], strict=True):
        _, map_ = structural_similarity(ours, theirs, channel_axis=2, full=True, data_range=255)
        scores.append(map_[kept].mean())
    return float(np.mean(scores))


def inpainting_rows(generator: Generator, clips: Sequence[Clip]) -> dict[str, float]:
    """SSIM outside a hole in the middle, and what the codec alone leaves of it."""
    width, height = generator.size
    kept = np.ones((height, width), np.bool_)
    kept[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = False
    # SSIM looks at 7x7 pixels: the hole's rim belongs to neither.
    judged = np.ones_like(kept)
    judged[height // 4 - 8 : 3 * height // 4 + 8, width // 4 - 8 : 3 * width // 4 + 8] = False
    rows: dict[str, list[float]] = {}
    for clip in clips:
        length = len(clip.frames)
        mask = np.repeat(np.where(kept, 0, 255).astype(np.uint8)[None], length, axis=0)
        made, _ = stream(generator, length, clip.words, control=clip.frames, mask=mask)
        free, _ = stream(generator, length, clip.words)
        codec, device, dtype = generator.networks.codec, generator.device, generator.dtype
        latents, _ = codec.encode(to_pixels(clip.frames, device, dtype), None)
        round_trip = to_frames(codec.decode(latents, None)[0])
        for name, frames in (("inpainted", made), ("codec (ceiling)", round_trip), ("nothing kept (floor)", free)):
            rows.setdefault(name, []).append(kept_ssim(frames, clip.frames, judged))
    return {name: float(np.mean(scores)) for name, scores in rows.items()}


def reuse_rows(generator: Generator, clips: Sequence[Clip]) -> dict[str, dict[str, float]]:
    """Obedience, likeness to every-step hints and time, for each `hint_reuse`."""
    rows: dict[str, dict[str, list[float]]] = {}
    for clip in clips:
        every, _ = stream(generator, len(clip.frames), clip.words, control=clip.depth)
        for reuse in REUSE:
            made, seconds = stream(generator, len(clip.frames), clip.words, control=clip.depth, hint_reuse=reuse)
            row = rows.setdefault(f"hint_reuse {reuse}", {"iou": [], "ms": []})
            row["iou"] += [silhouette_iou(made[k], clip.inside[k]) for k in range(0, len(made), STEP * 2)]
            if reuse > 1:
                error = np.square(made.astype(np.float32) - every.astype(np.float32)).mean()
                row.setdefault("psnr", []).append(float(10 * np.log10(255**2 / error)))
            row["ms"].append(1000 * seconds)
    return {
        name: {key: float(np.median(each) if key == "ms" else np.mean(each)) for key, each in row.items()}
        for name, row in rows.items()
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--chunks", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    generator = Generator.load("embedded", None, ModelOptions("cpu", given.threads))
    length = 9 + 12 * (given.chunks - 1)
    clips = [make_clip(number, length, generator.size) for number in range(given.clips)]
    result = {
        "hardware": hardware_line(generator.device),
        "references": reference_rows(generator, clips),
        "inpainting": inpainting_rows(generator, clips),
        "hint_reuse": reuse_rows(generator, clips),
    }
    if given.json:
        print(json.dumps(result, indent=1))
        return
    print(result["hardware"])
    print(f"embedded, {given.clips} clips of {length} frames")
    print(f"{'likeness to the reference:':34} first chunk  stream  wrong picture    IoU")
    for name, row in result["references"].items():  # type: ignore[union-attr]
        print(f"  {name:32} {row['first']:11.3f} {row['stream']:7.3f} {row['wrong']:14.3f} {row['iou']:6.3f}")
    print("SSIM of what is kept:")
    for name, score in result["inpainting"].items():  # type: ignore[union-attr]
        print(f"  {name:40} {score:.3f}")
    for name, row in result["hint_reuse"].items():  # type: ignore[union-attr]
        same = f"PSNR to every-step hints {row['psnr']:.1f} dB, " if "psnr" in row else ""
        print(f"{name}: IoU {row['iou']:.3f}, {same}{row['ms']:.0f} ms a chunk")


if __name__ == "__main__":
    with torch.inference_mode():
        main()
