"""The work of one steady chunk, by stage: our networks run on `meta` for the shapes of a stream."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import torch

from streamvace.costs.work import Work, counted, meta
from streamvace.model.autoencoder.taehv import TAEHV
from streamvace.model.autoencoder.wan_vae import WanVAE
from streamvace.model.blocks import Bidirectional
from streamvace.model.cache import KVCache
from streamvace.model.context import ContextBranch
from streamvace.model.joined import join_projections
from streamvace.model.memory_needed import CELL
from streamvace.model.rope import rotary_table
from streamvace.model.specs import CacheRule, PipelineSpec, WanSize
from streamvace.model.transformer import CausalWan

CODECS = {"taehv": TAEHV, "wan-vae": WanVAE}
VARIANTS = {"taehv": "taehv", "wan-vae": "wan"}
"""The names that `memory_needed` has for them."""

CODEC_STAGES = ("encode", "decode")
"""The stages that run the autoencoder."""

PROBE = 64
"""Pixels of the side of a picture on which codecs are counted; larger pictures take as many kernels."""


@dataclass(frozen=True)
class Job:
    """What is generated.

    size: (width, height) in pixels. control: with VACE hints at every step. source: the encoder also reads a film.
    codec: a key of CODECS. cards: over which the sequence is divided (Ulysses); the codec stays on the first.
    """

    spec: PipelineSpec
    size: tuple[int, int]
    control: bool = False
    source: bool = False
    codec: str = "taehv"
    cards: int = 1

    @property
    def frames(self) -> int:
        """Pixel frames of a chunk."""
        return 4 * self.spec.chunk


def chunk_work(job: Job) -> dict[str, Work]:
    """The work of a chunk with a full cache, by stage."""
    spec = job.spec
    rows, columns = job.size[1] // CELL, job.size[0] // CELL
    tokens, steps = spec.chunk * rows * columns, len(spec.steps)
    window = spec.cache.window + spec.cache.bank
    main = _divided(pass_work(spec.size, spec.chunk, window, rows, columns), job, tokens, spec.size.num_layers)
    stages = {"denoise": main * steps}
    if job.control:
        hints = _divided(context_work(spec.size, spec.chunk, rows, columns), job, tokens, len(spec.size.vace_layers))
        stages["context"] = hints * steps
    if spec.history == "clean_pass":
        stages["history"] = main
    elif spec.history == "recompute":
        stages["history"] = pass_work(spec.size, window - spec.chunk, window - spec.chunk, rows, columns)
    larger = job.size[0] * job.size[1] / PROBE**2
    encode, decode = (_enlarged(each, larger) for each in codec_work(job.codec, spec.chunk))
    # The two streams of a control, and one of a source. The single frame of a recomputed history is left out.
    stages["encode"] = encode * (2.0 * job.control + job.source)
    stages["decode"] = decode
    return stages


@cache
def pass_work(size: WanSize, frames: int, window: int, rows: int, columns: int) -> Work:
    """One pass of the transformer: `frames` latent frames attend to `window`.

    The rules of sinks and of the memory bank are left out; they are below one per cent.
    """
    one, two = (_pass(replace(size, num_layers=n), frames, window, rows, columns) for n in (1, 2))
    return one + (two + one * -1) * (size.num_layers - 1)


def _pass(size: WanSize, frames: int, window: int, rows: int, columns: int) -> Work:
    with torch.device("meta"), torch.no_grad():
        wan = CausalWan(size).bfloat16()
        join_projections(wan)  # as `load_generator` does
        held = KVCache(size, CacheRule(window, 0), rows, columns, device="meta", dtype=torch.bfloat16)
        for start in range(0, window, frames):
            memory = held.chunk(start, min(frames, window - start))
        memory = held.chunk(window - frames, frames)
        text = wan.text_kv(meta(1, size.text_len, size.dim))
        latents = meta(1, size.in_dim, frames, 2 * rows, 2 * columns)
        with counted() as count:
            tokens, grid = wan.embed(latents)
            wan.run(tokens, grid, wan.embed_time(torch.zeros(1, 1)), text, memory)
    return count.work


@cache
def context_work(size: WanSize, frames: int, rows: int, columns: int) -> Work:
    """One pass of the context branch over a chunk."""
    one, two = (_context(replace(size, vace_layers=tuple(range(n))), frames, rows, columns) for n in (1, 2))
    return one + (two + one * -1) * (len(size.vace_layers) - 1)


def _context(size: WanSize, frames: int, rows: int, columns: int) -> Work:
    with torch.device("meta"), torch.no_grad():
        branch, wan = ContextBranch(size).bfloat16(), CausalWan(replace(size, num_layers=1)).bfloat16()
        join_projections(branch)
        memory = Bidirectional(rotary_table(range(frames), rows, columns, size.head_dim, torch.device("meta")))
        text = branch.text_kv(meta(1, size.text_len, size.dim))
        time = wan.embed_time(torch.zeros(1, 1))
        tokens = meta(1, frames * rows * columns, size.dim)
        with counted() as count:
            list(branch.hints(tokens, tokens, time, text, memory))
    return count.work


@cache
def codec_work(name: str, frames: int) -> tuple[Work, Work]:
    """Encoding and decoding of `frames` latent frames, for a picture of PROBE x PROBE pixels."""
    with torch.device("meta"), torch.no_grad():
        codec = CODECS[name]().bfloat16()
        _, state = codec.encode(meta(1, 3, 1, PROBE, PROBE), None)
        with counted() as encoded:
            codec.encode(meta(1, 3, 4 * frames, PROBE, PROBE), state)
        _, state = codec.decode(meta(1, 16, 1, PROBE // 8, PROBE // 8), None)
        with counted() as decoded:
            codec.decode(meta(1, 16, frames, PROBE // 8, PROBE // 8), state)
    return encoded.work, decoded.work


def _enlarged(work: Work, times: float) -> Work:
    """The work on a picture of `times` as many pixels: as many kernels."""
    return replace(work * times, kernels=work.kernels)


def _divided(whole: Work, job: Job, tokens: int, layers: int) -> Work:
    """A card's share of a pass over several cards. Kernels stay as many, on less data.

    Ulysses: before the attention of each layer queries, keys and values change from tokens to heads, after it the
    result changes back. Of its share each card sends all but the part that it keeps.
    """
    if job.cards == 1:
        return whole
    share = 1 / job.cards
    sent = 4 * 2 * tokens * job.spec.size.dim * share * (1 - share)  # bf16
    return replace(
        whole * share,
        kernels=whole.kernels,
        exchanged=layers * sent,
        meetings=2.0 * layers,
    )
