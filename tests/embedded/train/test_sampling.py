"""The training program samples with the live generator's loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from streamvace.embedded.train.data import token_table
from streamvace.embedded.train.network import CHUNK, Network
from streamvace.embedded.train.package import load_package
from streamvace.embedded.train.sampling import stream
from streamvace.model.autoencoder.tiny import TinyAE
from streamvace.model.noise import StreamNoise
from streamvace.model.specs import PIPELINES
from streamvace.records.chunk import ChunkInput
from streamvace.stream.chunk_contexts import chunk_contexts
from streamvace.stream.generator import Generator
from streamvace.stream.stream_state import Networks

PROMPT = "glossy red ball on blue plasma background"
SEED = 11


def live(net: Network, codec: TinyAE, chunks: int, scale: float, reuse: int) -> tuple[list[Tensor], list[Tensor]]:
    """Contexts and latents of the live stream, one of each a chunk."""
    contexts: list[Tensor] = []
    latents: list[Tensor] = []

    def noted(*given: object) -> list[Tensor]:
        contexts.extend(chunk_contexts(*given))  # type: ignore[arg-type]
        return contexts[-1:]

    class Noting(TinyAE):
        def decode(self, z: Tensor, state: list[Tensor] | None = None) -> tuple[Tensor, list[Tensor]]:
            latents.append(z)
            return super().decode(z, state)

    noting = Noting()
    noting.load_state_dict(codec.state_dict())
    networks = Networks(wan=net.transformer, branch=net.context, codec=noting.eval(), text=net.text_encoder)
    spec, cpu = PIPELINES["embedded"], torch.device("cpu")
    generator = Generator(spec, networks, (64, 64), cpu, torch.float32, contexts=noted)
    random = np.random.default_rng(0)
    for _ in range(chunks):
        control = random.integers(0, 256, (generator.frames_wanted(), 64, 64, 3), np.uint8)
        generator.step(ChunkInput(PROMPT, seed=SEED, control=control, context_scale=scale, hint_reuse=reuse))
    return contexts, latents


@pytest.mark.parametrize(("scale", "reuse"), [(1.0, 1), (0.5, 2)])
def test_it_paints_the_latents_that_the_live_stream_paints(scale: float, reuse: int) -> None:
    """Four chunks: the window is full from the second on, and rolls."""
    net, codec = load_package()
    contexts, latents = live(net, codec, 4, scale, reuse)
    ours = stream(net, torch.from_numpy(token_table([PROMPT])), contexts, CHUNK, 4, SEED, scale, reuse)
    assert len(ours) == len(latents) == 4
    for mine, theirs in zip(ours, latents, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=0)


class Repeated(StreamNoise):
    """The same noise for every clip of a batch."""

    def draw(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return super().draw((1, *shape[1:]), dtype).expand(shape)


def test_clips_side_by_side_are_each_the_stream_they_are_alone() -> None:
    net, _ = load_package()
    tokens = torch.from_numpy(token_table([PROMPT, "neon cyan ring"]))
    contexts = [torch.randn(2, 128, CHUNK, 4, 4, generator=torch.Generator().manual_seed(n)) for n in range(3)]
    spec = PIPELINES["embedded"]
    noise = Repeated("cpu", spec.shared_noise, spec.noise_tile)
    together = torch.stack(stream(net, tokens, contexts, CHUNK, 4, SEED, noise=noise))
    for row in range(2):
        alone = stream(net, tokens[row : row + 1], [c[row : row + 1] for c in contexts], CHUNK, 4, SEED)
        torch.testing.assert_close(together[:, row : row + 1], torch.stack(alone), atol=1e-4, rtol=0)


def test_no_gradient_is_kept() -> None:
    net, _ = load_package()
    net.requires_grad_(True)
    (latents,) = stream(net, torch.from_numpy(token_table([PROMPT])), [None], CHUNK, 4, SEED)
    assert not latents.requires_grad
