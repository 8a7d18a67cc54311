"""Does it obey? Held-out scenes, streamed as in a show, judged with the renderer's own masks and palette.

Every figure stands beside its ceiling (the true frames, the codec's round trip) and its floor (control off, the mask
of another clip). Silhouette IoU has a floor of about .25, not 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from streamvace.embedded.captions import caption
from streamvace.embedded.styles import COLOURS, Look, compose, rgb, sample_look, surface
from streamvace.embedded.train.data import SIZE, Batch, Bytes, token_table
from streamvace.embedded.train.network import CHUNK, Network, encode
from streamvace.embedded.train.sampling import stream
from streamvace.embedded.world import FPS, Maps, edges, render, sample_scene
from streamvace.model.autoencoder.tiny import TinyAE

HELD_OUT = 900_000_000
"""Seeds from here on are never trained on."""
STEP = 8
"""One of every eight frames is judged."""


@dataclass(frozen=True)
class Trial:
    """A held-out clip from the start of a stream: 4 frames standing still, then motion."""

    maps: list[Maps]
    look: Look
    words: str


def trial(number: int, frames: int, bodies: int = 1) -> Trial:
    """Scene number `number` with its objects inside the picture."""
    rng = np.random.default_rng(HELD_OUT + number)
    while True:
        scene = sample_scene(rng, bodies=bodies)
        look = sample_look(rng, bodies)
        maps = [render(scene, 3.0 + k / FPS, (SIZE, SIZE)) for k in range(frames - 3)]
        cover = np.stack([m[4 : 4 + bodies] for m in maps[::STEP]]) > 127
        border = cover[..., 0, :].any() or cover[..., -1, :].any() or cover[..., 0].any() or cover[..., -1].any()
        if not border and cover.mean((2, 3)).min() > 0.02:
            words = caption(scene, look, 3.0 + 0.5 * frames / FPS)
            return Trial([maps[0]] * 3 + maps, look, words)


def as_batch(trials: list[Trial], control: str) -> Batch:
    """A batch with `depth`, `edges` or `gray` control, or `inpaint`: everything but the middle is kept."""
    video = np.stack([[compose(m, t.look) for m in t.maps] for t in trials])
    mask = np.full(video.shape[:4], 255, np.uint8)
    if control == "inpaint":
        mask[:] = 0
        mask[:, :, 32:96, 32:96] = 255
        pictures = video
    else:
        pictures = np.stack(
            [
                [_control(m, control, f) for m, f in zip(t.maps, v, strict=True)]
                for t, v in zip(trials, video, strict=True)
            ]
        )
    objects = np.stack([[m[4:].max(0) for m in t.maps] for t in trials])
    tokens = token_table([t.words for t in trials])
    return Batch(video, pictures, mask, tokens, np.ones(len(trials), np.bool_), objects)


def _control(maps: Maps, kind: str, frame: Bytes) -> Bytes:
    if kind == "depth":
        plane = maps[1]
    elif kind == "edges":
        plane = edges(maps, 2)
    else:
        plane = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
    return np.repeat(plane[..., None], 3, 2)


def _centres(points: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    if len(points) < count:
        return points
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 12, 1.0)
    cv2.setRNGSeed(0)
    return np.asarray(cv2.kmeans(points, count, None, criteria, 1, cv2.KMEANS_PP_CENTERS)[2], np.float32)


def silhouette_iou(picture: Bytes, inside: NDArray[np.bool_]) -> float:
    """How well the picture's colours tell the true object from its surroundings, 0..1."""
    pixels = picture.reshape(-1, 3).astype(np.float32)
    flat = inside.ravel()
    centres = [_centres(pixels[flat], 2), _centres(pixels[~flat], 3)]
    near = [((pixels[:, None] - c[None]) ** 2).sum(-1).min(1) for c in centres]
    claimed = near[0] < near[1]
    return float((claimed & flat).sum() / max(1, (claimed | flat).sum()))


def named_colour(picture: Bytes, maps: Maps, body: int, style: str) -> str:
    """The colour word that fits the object best: its mean colour against the palette under the same light."""
    planes = maps.astype(np.float32) / 255
    inside = planes[4 + body] > 0.9
    mean = picture[inside].mean(0) / 255
    lit = {name: surface(style, rgb(name), planes[2][inside], planes[3][inside]).mean(0) for name in COLOURS}
    return min(lit, key=lambda name: float(((lit[name] - mean) ** 2).sum()))


@torch.no_grad()
def to_pictures(codec: TinyAE, latents: Tensor) -> Bytes:
    """Latents of a whole stream -> uint8 `[B, 4T - 3, 128, 128, 3]`, the decoder's output at half size."""
    out = []
    for row in latents:
        frames, _ = codec.decode(row[None])
        half = torch.nn.functional.avg_pool2d(frames[0].transpose(0, 1), 2)
        out.append(((half.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy())
    return np.stack(out)


def _judge(pictures: Bytes, trials: list[Trial], shift: int = 0) -> float:
    """Mean silhouette IoU; shift: judge with the mask of another trial."""
    scores = []
    for row, video in enumerate(pictures):
        maps = trials[(row + shift) % len(trials)].maps[3:]
        for k in range(0, len(video), STEP):
            scores.append(silhouette_iou(video[k], maps[k][4:].max(0) > 127))
    return float(np.mean(scores))


def _colours(pictures: Bytes, trials: list[Trial], bodies: int) -> float:
    hits = []
    for video, t in zip(pictures, trials, strict=True):
        for body in range(bodies):
            k = len(video) - 1 - STEP
            if (t.maps[3 + k][4 + body] > 240).any():
                hits.append(named_colour(video[k], t.maps[3 + k], body, t.look.style) == t.look.bodies[body])
    return float(np.mean(hits))


def seam(pictures: Bytes) -> float:
    """Frame difference at the first chunk seam over the mean one inside chunks; 1 = invisible."""
    video = pictures.astype(np.float32)
    steps = np.abs(np.diff(video, axis=1)).mean((2, 3, 4))
    cut = 4 * CHUNK - 3 - 1
    inside = np.delete(steps, cut, axis=1).mean()
    return float(steps[:, cut].mean() / max(inside, 1e-6))


def evaluate(net: Network, codec: TinyAE, clips: int = 32, chunks: int = 2) -> dict[str, float]:
    """All figures. clips: held-out clips; chunks: length of the stream."""
    net.eval()
    codec.eval()
    frames = 12 * chunks
    single = [trial(n, frames) for n in range(clips)]
    figures: dict[str, float] = {}

    def run(trials: list[Trial], control: str, heard: bool = True) -> tuple[Bytes, Batch]:
        batch = as_batch(trials, control)
        data = encode(codec.blocks, batch)
        contexts: list[Tensor | None] = [c if heard else None for c in data.context.split(CHUNK, 2)]
        latents = stream(net, data.tokens, contexts, CHUNK, data.x0.shape[-1], seed=1)
        return to_pictures(codec, torch.cat(latents, 2)), batch

    made, batch = run(single, "depth")
    truth = batch.video[:, 3:]
    round_trip = to_pictures(codec, encode(codec.blocks, batch).x0)
    figures["depth_iou"] = _judge(made, single)
    figures["depth_iou_wrong_mask"] = _judge(made, single, shift=1)
    figures["depth_iou_codec"] = _judge(round_trip, single)
    figures["depth_iou_truth"] = _judge(truth, single)
    figures["one_object_colour"] = _colours(made, single, 1)
    figures["one_object_colour_codec"] = _colours(round_trip, single, 1)
    figures["seam"] = seam(made)
    figures["seam_truth"] = seam(truth)
    figures["control_off_iou"] = _judge(run(single, "depth", heard=False)[0], single)
    figures["edges_iou"] = _judge(run(single, "edges")[0], single)
    figures["gray_iou"] = _judge(run(single, "gray")[0], single)
    painted, batch = run(single, "inpaint")
    kept = np.ones((SIZE, SIZE), np.bool_)
    kept[24:104, 24:104] = False
    for name, pictures in (("inpaint_psnr_kept", painted), ("inpaint_psnr_codec", round_trip)):
        error = (pictures[:, :, kept].astype(np.float32) - truth[:, :, kept].astype(np.float32)) ** 2
        figures[name] = float(10 * np.log10(255**2 / error.mean()))
    double = [trial(10_000 + n, frames, bodies=2) for n in range(clips)]
    figures["two_object_colour"] = _colours(run(double, "depth")[0], double, 2)
    return figures
