"""Generates the clips to judge: by the live generator chunk by chunk, or in batch as whole clips."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from streamvace.embedded.evaluation.trials import PLAIN, STILL
from streamvace.embedded.train.data import Batch
from streamvace.embedded.train.network import Network, encode
from streamvace.embedded.train.sampling import stream
from streamvace.model.autoencoder.tiny import TinyAE
from streamvace.model.placing import place_blocks
from streamvace.model.quantize import PRECISIONS, prove_quantised
from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.records.model_options import ModelOptions
from streamvace.stream.generator import Generator
from streamvace.stream.loading import load_generator
from streamvace.stream.stream_state import Networks
from streamvace.world.captions import VOCABULARY


@dataclass(frozen=True)
class Condition:
    """Changes to the control. precision: of the blocks; empty = the variant's."""

    heard: bool = True
    scale: float = 1.0
    another_clip: bool = False
    hint_reuse: int = 1
    precision: str = ""


@dataclass(frozen=True)
class Variant:
    """Networks and how they run: streamed by the live generator, or the whole clip in one bidirectional chunk.

    ships: they are the installed networks, which the live generator loads itself. options: of the live generator.
    like: the options of its chunks.
    """

    name: str
    net: Network
    codec: TinyAE
    streamed: bool
    ships: bool = False
    options: ModelOptions = field(default_factory=ModelOptions)
    like: ChunkInput = PLAIN
    _made: dict[str, Generator] = field(default_factory=dict, init=False, compare=False)

    def generator(self, precision: str = "") -> Generator:
        """The live generator, created once per precision. precision: replaces that of the options.

        Raises UserError as `load_generator` does.
        """
        if precision not in self._made:
            options = replace(self.options, precision=precision or self.options.precision)
            self._made[precision] = load_generator("embedded", None, options, None if self.ships else self._copies())
        return self._made[precision]

    def using(self, generator: Generator) -> Variant:
        """The same, with a live generator that is there already."""
        self._made[""] = generator
        return self

    def _copies(self) -> Networks:
        net, codec = copy.deepcopy((self.net, self.codec))
        return Networks(wan=net.transformer, branch=net.context, codec=codec, text=net.text_encoder)


def paint(variant: Variant, batches: list[Batch], control: str, how: Condition, seed: int) -> Pixels:
    """The variant's pictures of the clips, uint8 `[N, T, 128, 128, 3]`, without the repeated pictures at the start.

    control: one of `trials.CONTROLS`. seed: of the first clip's noise.
    """
    if variant.streamed:
        generator, clips = variant.generator(how.precision), [(b, n) for b in batches for n in range(len(b.video))]
        films = (
            _film(generator, batch, row, control, how, replace(variant.like, seed=each))
            for each, (batch, row) in enumerate(clips, seed)
        )
        return np.stack(list(films))
    net = variant.net
    if how.precision:
        net, precision = copy.deepcopy(net), PRECISIONS[how.precision]
        place = net.transformer.head.modulation
        prove_quantised(how.precision, precision, place.device, place.dtype)
        for part in (net.transformer, net.context):
            place_blocks(part, place.device, precision)
    return np.concatenate([_whole(net, variant.codec, b, how, seed + n) for n, b in enumerate(batches)])


def _film(generator: Generator, batch: Batch, row: int, control: str, how: Condition, like: ChunkInput) -> Pixels:
    """One clip of a batch, streamed after a reset."""
    generator.reset()
    prompt = " ".join(VOCABULARY[token - 1] for token in batch.tokens[row] if token)
    given = replace(
        like,
        prompt=prompt,
        context_scale=how.scale * like.context_scale,
        hint_reuse=max(how.hint_reuse, like.hint_reuse),
    )
    shown = row - 1 if how.another_clip else row
    made, at = [], STILL
    while at < len(batch.video[row]):
        frames = slice(at, at + generator.frames_wanted())
        chunk = _shown(given, batch, shown, frames, control) if how.heard else given
        made.append(generator.step(chunk).frames)
        at = frames.stop
    return _half(np.concatenate(made))


def _shown(given: ChunkInput, batch: Batch, row: int, frames: slice, control: str) -> ChunkInput:
    """The chunk with the pictures of a clip."""
    pictures = _double(batch.control[row, frames])
    if control == "extend":
        return replace(given, first_frame=pictures[0]) if frames.start == STILL else given
    mask = _double(batch.mask[row, frames]) if control == "inpaint" else None
    return replace(given, control=pictures, mask=mask)


def _double(frames: Pixels) -> Pixels:
    """`[F, H, W(, 3)]` -> `[F, 2H, 2W(, 3)]`."""
    return frames.repeat(2, axis=1).repeat(2, axis=2)


def _half(frames: Pixels) -> Pixels:
    """`[F, 2H, 2W, 3]` -> `[F, H, W, 3]`, the means of four pixels."""
    count, height, width, channels = frames.shape
    cells = frames.reshape(count, height // 2, 2, width // 2, 2, channels)
    return np.asarray(cells.mean(axis=(2, 4)).round(), np.uint8)


def _whole(net: Network, codec: TinyAE, batch: Batch, how: Condition, seed: int) -> Pixels:
    """All clips of a batch, each as one bidirectional chunk."""
    data = encode(codec.blocks, batch)
    context = data.context.roll(1, 0) if how.another_clip else data.context
    frames, side = data.x0.shape[2], data.x0.shape[-1]
    contexts = [context if how.heard else None]
    return to_pictures(codec, stream(net, data.tokens, contexts, frames, side, seed, how.scale, how.hint_reuse)[0])


@torch.no_grad()
def to_pictures(codec: TinyAE, latents: Tensor) -> Pixels:
    """Latents `[B, 32, T, 16, 16]` -> uint8 `[B, 4T - 3, 128, 128, 3]`, the decoder's output at half size."""
    out = []
    for row in latents:
        frames, _ = codec.decode(row[None])
        half = F.avg_pool2d(frames[0].transpose(0, 1), 2)
        out.append(((half.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy())
    return np.stack(out)
