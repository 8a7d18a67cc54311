"""The chunk loop against the same steps written out: noise, noise levels, and what is kept for later chunks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from streamvace.model.cache import ChunkPass, KVCache
from streamvace.model.noise import Use, seed_noise
from streamvace.model.sampler import flow_to_x0, sigma_of, sigma_table
from streamvace.model.specs import PipelineSpec, pipeline
from streamvace.records.chunk import ChunkInput
from streamvace.stream.generator import Generator
from tests.networks import SMALL, small_generator, small_spec
from tests.stream.passes import passes

CLOSE = {"atol": 1e-5, "rtol": 0.0}
SEED = 42


class ByHand:
    """A two-step stream of `longlive`, step by step, on a generator's networks. Timesteps as given, shift 5."""

    def __init__(self, generator: Generator) -> None:
        self.wan, self.text = generator.networks.wan, generator.state.text
        self.cache = KVCache(SMALL, generator.spec.cache, 2, 2)
        self.position = 0

    def flow(self, x: Tensor, t: float, memory: ChunkPass) -> Tensor:
        tokens, grid = self.wan.embed(x)
        time = self.wan.embed_time(torch.full((1, 1), t))
        return self.wan.run(tokens, grid, time, self.text, memory)

    def chunk(self) -> Tensor:
        draw = torch.Generator()
        seed_noise(draw, "hash", SEED, self.position, Use.CHUNK)
        memory = self.cache.chunk(self.position, 3)
        sigma = float(sigma_of(torch.tensor(500.0), sigma_table(5.0)))
        noise, fresh = (torch.randn(1, 3, 16, 4, 4, generator=draw).transpose(1, 2) for _ in range(2))
        rough = flow_to_x0(self.flow(noise, 1000.0, memory), noise, 1.0)
        x = (1 - sigma) * rough + sigma * fresh
        x0 = flow_to_x0(self.flow(x, 500.0, memory), x, sigma)
        self.flow(x0, 0.0, memory)
        self.position += 3
        return x0


@torch.inference_mode()
def test_a_chunk_is_noise_denoised_renoised_denoised_and_written_clean_to_the_history() -> None:
    """Four chunks in a window of two: the last ones see rolled history."""
    generator = small_generator(small_spec(warp=False))
    generator.step(ChunkInput("red"))
    generator.reset()
    ours = ByHand(generator)
    for _ in range(4):
        generator.step(ChunkInput("red", seed=SEED))
        assert generator.state.clean is not None
        torch.testing.assert_close(generator.state.clean[:, :, -3:], ours.chunk(), **CLOSE)
    for layer in range(SMALL.num_layers):
        for theirs, mine in zip(generator.state.cache.in_order(layer), ours.cache.in_order(layer), strict=True):
            torch.testing.assert_close(theirs, mine, **CLOSE)


def krea() -> PipelineSpec:
    return replace(pipeline("krea-realtime"), size=SMALL, steps=(1000, 500), warp=False)


def test_krea_realtime_recomputes_its_history_from_an_anchor_and_the_newest_latents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The anchor is first the stream's first latent, later the picture just before the two newest, encoded alone."""
    generator = small_generator(krea())
    codec, seen = generator.networks.codec, passes(generator, monkeypatch)
    decoded: list[Tensor] = []
    decode = codec.decode
    monkeypatch.setattr(codec, "decode", lambda z, state: decoded.append((made := decode(z, state))[0]) or made)
    clean: list[Tensor] = []
    for _ in range(4):
        generator.step(ChunkInput("red"))
        assert generator.state.clean is not None
        clean.append(generator.state.clean[:, :, -3:])
    assert [made.timestep for made in seen] == [1000, 500, *[0, 1000, 500] * 3]
    contexts = [made.latents for made in seen if made.timestep == 0]
    torch.testing.assert_close(contexts[0], clean[0], **CLOSE)
    for number, context in enumerate(contexts[1:], start=1):
        # Twelve pictures, four per latent: the fourth is the last of the first latent.
        anchor, _ = codec.encode(decoded[number][:, :, 3:4], None)
        torch.testing.assert_close(context, torch.cat((anchor, clean[number][:, :, 1:]), dim=2), **CLOSE)


def test_a_prompt_switch_runs_the_last_window_of_clean_latents_again(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = small_generator(small_spec(on_prompt_switch="recache", warp=False))
    for _ in range(3):
        generator.step(ChunkInput("red"))
    clean, seen = generator.state.clean, passes(generator, monkeypatch)
    generator.step(ChunkInput("blue"))
    assert clean is not None
    assert [made.timestep for made in seen] == [0, 1000, 500, 0]
    torch.testing.assert_close(seen[0].latents, clean, **CLOSE)


@pytest.mark.parametrize(("rule", "timesteps"), [("clean_pass", [1000, 500, 30]), ("last_step", [1000, 500])])
def test_finished_latents_reach_the_history_by_the_pipeline_s_rule(
    rule: str, timesteps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = small_generator(small_spec(history=rule, context_timestep=30.0, warp=False))
    seen = passes(generator, monkeypatch)
    generator.step(ChunkInput("red"))
    assert [made.timestep for made in seen] == timesteps


@pytest.mark.parametrize("sees", [True, False])
def test_a_bank_is_scored_by_the_new_text_or_keeps_its_oldest_right_after_a_switch(
    sees: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = pipeline("memflow")
    cache = replace(row.cache, window=6, sink=1, record_every=1, bank_sees_new_text=sees)
    generator = small_generator(replace(row, size=SMALL, cache=cache, steps=(1000,)))
    given: list[bool] = []
    monkeypatch.setattr(generator.state.cache.bank, "consolidate", lambda keys: given.append(keys is not None))
    for prompt in ("red", "blue", "blue"):
        generator.step(ChunkInput(prompt))
    # Twice at the switch: before the history runs again, and before the chunk.
    assert given == [True, sees, sees, True]


def test_source_frames_move_the_first_step_and_keep_the_table_s_sigma(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = replace(pipeline("streamdiffusionv2"), size=SMALL, steps=(750, 250), raw_source=False)
    generator = small_generator(plain)
    seen = passes(generator, monkeypatch)
    codec = generator.networks.codec
    source = torch.randn(1, 16, 2, 4, 4, generator=torch.Generator().manual_seed(5))
    monkeypatch.setattr(codec, "encode", lambda pixels, state: (source, []))
    generator.step(ChunkInput("red", source=np.zeros((5, 32, 32, 3), np.uint8), noise_scale=0.7, seed=SEED))
    assert [made.timestep for made in seen] == pytest.approx([600, 250])
    draw = torch.Generator()
    seed_noise(draw, "hash", SEED, 0, Use.CHUNK)
    noise, fresh = (torch.randn(1, 2, 16, 4, 4, generator=draw).transpose(1, 2) for _ in range(2))
    torch.testing.assert_close(seen[0].latents, 0.3 * source + 0.7 * noise, **CLOSE)
    sigmas = sigma_of(torch.tensor([600.0, 250.0]), sigma_table(8.0)).tolist()
    assert sigmas[0] != pytest.approx(0.6, abs=1e-5)
    other = small_generator(plain)
    other.step(ChunkInput("red"))
    wan, memory = other.networks.wan, KVCache(SMALL, plain.cache, 2, 2).chunk(0, 2)
    with torch.inference_mode():
        tokens, grid = wan.embed(seen[0].latents)
        flow = wan.run(tokens, grid, wan.embed_time(torch.full((1, 2), 600.0)), other.state.text, memory)
        rough = flow_to_x0(flow, seen[0].latents, sigmas[0])
        torch.testing.assert_close(seen[1].latents, (1 - sigmas[1]) * rough + sigmas[1] * fresh, **CLOSE)
