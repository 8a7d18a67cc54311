"""Chunks of any combination of VACE's inputs, and their effect on a small generator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from streamvace.model.specs import PIPELINES, pipeline
from streamvace.records.chunk import ChunkInput
from streamvace.stream.generator import Generator
from tests.networks import SMALL, SMALL_TINY, small_generator

INPUTS = (
    "control", "mask", "references", "first_frame", "last_frame", "source", "second_control", "scale_map",
)  # fmt: skip
CHUNKS = {(row.first_chunk, row.chunk): name for name, row in PIPELINES.items() if name != "embedded"}
ROWS = [(name, "taehv") for name in PIPELINES if name != "embedded"]
ROWS += [(name, "wan-vae") for name in CHUNKS.values()]
ROWS.append(("embedded", "tiny"))
"""Every pipeline, and every autoencoder with every length of a chunk: it knows no more of a pipeline than that."""
CODECS = [("longlive", "taehv"), ("longlive", "wan-vae"), ("embedded", "tiny")]
"""One pipeline per autoencoder, for tests that do not depend on the pipeline."""


def make(name: str, codec: str) -> Generator:
    """A pipeline's own rules on a small network."""
    tiny = codec == "tiny"
    spec = replace(pipeline(name), size=SMALL_TINY if tiny else SMALL)
    return small_generator(spec, (64, 64) if tiny else (32, 32), codec=codec)


def compose(generator: Generator, inputs: frozenset[str], seed: int, **others: object) -> ChunkInput:
    """A chunk with these inputs. Each depends only on the seed, not on the other inputs."""
    width, height = generator.size
    frames = generator.frames_wanted()
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(INPUTS, (frames, height, width, 3))
    shapes |= {"mask": (frames, height, width), "scale_map": (frames, height, width)}
    shapes |= {"references": (2, height, width, 3), "first_frame": (height, width, 3), "last_frame": (height, width, 3)}
    drawn = {
        name: np.random.default_rng((seed, INPUTS.index(name))).integers(0, 256, shapes[name], np.uint8)
        for name in inputs
    }
    return ChunkInput(**({"prompt": "red"} | drawn | others))  # type: ignore[arg-type]


def latents_of(generator: Generator, chunk: ChunkInput) -> torch.Tensor:
    """A chunk's finished latents: finer than 8-bit frames of a small random network."""
    seen: list[torch.Tensor] = []
    decode = generator.networks.codec.decode

    def watched(latents: torch.Tensor, state: object) -> object:
        seen.append(latents.clone())
        return decode(latents, state)  # type: ignore[arg-type]

    generator.networks.codec.decode = watched  # type: ignore[method-assign, assignment]
    try:
        generator.step(chunk)
    finally:
        generator.networks.codec.decode = decode  # type: ignore[method-assign]
    return seen[-1]


def contexts_of(generator: Generator, chunk: ChunkInput) -> list[torch.Tensor]:
    """The context tokens added to the noise, each `[frames, tokens per frame, dim]`, references first."""
    state, parts = generator.state, generator.networks
    streams, source = state.context, state.source
    frames = generator.spec.chunk if state.position else generator.spec.first_chunk
    encoded = generator._pictures.encode(chunk, state, True, generator.frames_wanted())
    hints = generator._hints.open(chunk, encoded.contexts, state, parts, frames)
    state.context, state.source = streams, source
    assert hints is not None
    return [share.embedded[0].clone().unflatten(0, (-1, 4)) for share in hints.shares]
