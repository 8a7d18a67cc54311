"""Compiled blocks: the same pictures, and nothing is ever compiled in a show."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend

from streamvace.model.compiled import Backend, _compiled, compile_blocks
from streamvace.model.specs import pipeline
from streamvace.records.chunk import ChunkInput, PromptMix
from streamvace.stream.generator import Generator
from streamvace.stream.user_loras import UserLoras
from streamvace.system.errors import UserError
from tests.networks import SMALL, small_generator, small_lora, small_spec

TOKENS = 4
"""Of a latent frame at 32x32."""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What one test compiled is not another's."""
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def show(generator: Generator, chunks: int) -> Iterator[ChunkInput]:
    """What a performer does: prompts, fades, scales, masks, references, strengths and cuts."""
    draw = np.random.default_rng(3)
    width, height = generator.size
    for index in range(chunks):
        count = generator.frames_wanted() if index % 13 else 1 + 4 * (generator.spec.first_chunk - 1)
        fading = PromptMix((("red", 1.0), ("blue", index % 7 / 7)), "slerp")
        yield ChunkInput(
            prompt=fading if index % 3 else f"prompt {index // 6}",
            reset=index % 13 == 0,
            context_scale=(1.0, 0.5, 0.0, 1.7)[index % 4],
            control=draw.integers(0, 256, (count, height, width, 3), np.uint8) if index % 5 else None,
            mask=draw.integers(0, 256, (count, height, width), np.uint8) if index % 4 == 1 else None,
            references=draw.integers(0, 256, (index % 3, height, width, 3), np.uint8) if index % 3 else None,
            reference_mode=("joint", "memory", "paper")[index % 3],
            lora_strength=(1.0, 0.3, 0.0)[index % 3],
            lora_region=("everywhere", "mask")[index % 2],
        )


def with_loras(generator: Generator) -> Generator:
    wan = generator.networks.wan
    generator.networks = replace(generator.networks, loras=UserLoras(wan, side=[(small_lora(wan), 0.5)]))
    return generator


def compiled(generator: Generator, backend: Backend) -> Generator:
    compile_blocks((generator.networks.wan, generator.networks.branch), generator.spec.chunk, TOKENS, backend)
    return generator


@pytest.mark.parametrize("name", ["longlive", "streamdiffusionv2", "krea-realtime"])
def test_nothing_is_compiled_after_warming_up_whatever_the_show_does(name: str) -> None:
    """And every frame is the one that the uncompiled blocks make."""
    spec = replace(pipeline(name), size=SMALL)
    counter = CompileCounterWithBackend("eager")
    fast = compiled(with_loras(small_generator(spec)), counter)
    plain = with_loras(small_generator(spec))
    fast.warm_up()
    warm = counter.frame_count
    assert warm > 0
    for given in show(fast, 28):
        np.testing.assert_array_equal(fast.step(given).frames, plain.step(given).frames)
    assert counter.frame_count == warm


def test_all_blocks_of_a_kind_share_their_code() -> None:
    """Thirty blocks must not take thirty times as long to start."""
    spec = small_spec(size=replace(SMALL, num_layers=6, vace_layers=(0, 2, 4)))
    counter = CompileCounterWithBackend("eager")
    generator = compiled(small_generator(spec), counter)
    generator.warm_up()
    few = small_spec(size=replace(SMALL, num_layers=3, vace_layers=(0,)))
    torch._dynamo.reset()
    smaller = CompileCounterWithBackend("eager")
    compiled(small_generator(few), smaller).warm_up()
    assert counter.frame_count == smaller.frame_count


def test_traced_through_autograd_s_own_compiler_the_pictures_stay() -> None:
    """`aot_eager` functionalises the graph as inductor does: a write in place or an aliased view would show."""
    fast, plain = compiled(small_generator(), "aot_eager"), small_generator()
    for given in show(fast, 6):
        ours, theirs = fast.step(given).frames.astype(int), plain.step(given).frames
        assert np.abs(ours - theirs).max() <= 1


def test_the_thread_that_makes_the_chunks_may_compile_as_many_variants_as_the_one_that_loads() -> None:
    """Since torch 2.13 the limit of a setting holds for one thread; the default of 8 would end the show."""
    half = _compiled(lambda x: x + 1, "eager")
    with ThreadPoolExecutor(1) as other:
        for size in range(2, 14):
            assert other.submit(half, torch.zeros(size)).result().sum() == size


def test_a_missing_compiler_is_reported_before_the_show_in_one_line() -> None:
    def absent(*_: object) -> None:
        raise RuntimeError("Compiler: cl is not found.\nA page of advice.")

    with pytest.raises(UserError, match=r"--compile blocks does not work here: .*; run without it") as refused:
        compiled(small_generator(), absent)
    assert "\n" not in str(refused.value)
