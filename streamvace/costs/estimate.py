"""From work to seconds, with the assumptions as rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import nn

from streamvace.costs.cards import BANDWIDTH_SHARE, Card
from streamvace.costs.chunk import CODEC_STAGES, CODECS, VARIANTS, Job, pass_work
from streamvace.costs.known import known_work
from streamvace.costs.work import Work
from streamvace.model.checkpoint import on_meta
from streamvace.model.context import ContextBranch
from streamvace.model.memory_needed import CELL, Run, bytes_needed
from streamvace.model.transformer import CausalWan

LAUNCH_S = 17e-6
"""Seconds of the processor for a kernel that Python launches. From MemFlow's sweep at 512x288, where a step takes 42 to
54 ms and the card less than half of it."""

GAP_S = 5e-6
"""Seconds in which a kernel starts and drains, when the card does little else. From what is left of FlashDreams' chunk
after its products, which is the same on three cards."""

MEETING_S = 25e-6
"""Seconds for two cards to meet in a collective, without its data."""


@dataclass(frozen=True)
class Stack:
    """How a program runs the network.

    layer: kernels of one layer, and the bytes that its element-wise kernels move, in activations `[N, dim]` of bf16;
    None: as counted from our code. launch: relative to LAUNCH_S; 0 for captured graphs. sage: uses SageAttention where
    the card has it.
    """

    name: str
    layer: tuple[float, float] | None = None
    launch: float = 1.0
    sage: bool = False


EAGER = Stack("eager", sage=True)
CAPTURED = Stack("captured", launch=0.0, sage=True)
COMPILED = Stack("captured and compiled", layer=(33, 45), launch=0.0, sage=True)
"""Triton joins a layer's element-wise kernels to about a third of their traffic."""


def seconds(work: Work, card: Card, stack: Stack = EAGER) -> float:
    """Seconds that a card takes: the processor's launches, or the card's own time where that is longer."""
    peak, shares = card.products * card.clock * 1e12, card.shares
    attention = shares.sage if stack.sage and shares.sage is not None else shares.attention
    busy = (
        work.products / (peak * shares.products)
        + work.convolutions / (peak * shares.convolutions)
        + work.attention / (peak * attention)
        + work.moved / (card.bandwidth * 1e9 * BANDWIDTH_SHARE)
        + work.kernels * GAP_S
        + work.exchanged / (card.link * 1e9)
        + work.meetings * MEETING_S
    )
    return max(busy, work.kernels * stack.launch * card.host * LAUNCH_S)


def stage_seconds(job: Job, card: Card, stack: Stack = EAGER) -> dict[str, float]:
    """Seconds of a steady chunk by stage."""
    kernels, moved = (1.0, 1.0) if stack.layer is None else _against_ours(job, stack.layer)
    made: dict[str, float] = {}
    for stage, work in known_work(job).items():
        if stage not in CODEC_STAGES:
            work = replace(work, kernels=work.kernels * kernels, moved=work.moved * moved)
        made[stage] = seconds(work, card, stack)
    return made


def _against_ours(job: Job, layer: tuple[float, float]) -> tuple[float, float]:
    """Kernels and moved bytes of another program's layer, relative to ours."""
    spec, rows, columns = job.spec, job.size[1] // CELL, job.size[0] // CELL
    ours = pass_work(spec.size, spec.chunk, spec.cache.window + spec.cache.bank, rows, columns)
    activations = spec.size.num_layers * 2 * spec.chunk * rows * columns * spec.size.dim
    return layer[0] * spec.size.num_layers / ours.kernels, layer[1] * activations / ours.moved


def chunk_seconds(job: Job, card: Card, stack: Stack = EAGER) -> float:
    """Seconds of a steady chunk."""
    return sum(stage_seconds(job, card, stack).values())


@cache
def memory_bytes(job: Job, weight_bytes: int = 2) -> int:
    """Bytes on the card, as `streamvace run` counts them before it loads. weight_bytes: of a weight of the blocks."""
    spec = job.spec
    builds = (lambda: CausalWan(spec.size), lambda: ContextBranch(spec.size), CODECS[job.codec])
    networks: list[nn.Module] = [on_meta(build) for build in builds]
    weights = sum(
        each.numel() * (weight_bytes if "blocks." in name and each.ndim == 2 else 2)
        for network in networks
        for name, each in network.named_parameters()
    )
    return bytes_needed(weights, Run(spec, job.size, torch.bfloat16, VARIANTS[job.codec], captured=True))
