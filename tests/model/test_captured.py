"""Captured passes: the same pictures whatever the show does, and a show goes on where a pass cannot be captured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from streamvace.model.captured import CapturedPasses
from streamvace.model.specs import pipeline
from streamvace.records.chunk import ChunkInput, PromptMix
from streamvace.stream.generator import Generator
from streamvace.stream.hints import ChunkHints
from streamvace.stream.user_loras import UserLoras
from tests.fake_graphs import FakeGraph, fake_capture
from tests.networks import SMALL, small_generator, small_lora, small_spec


@pytest.fixture(autouse=True)
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "CUDAGraph", FakeGraph)
    monkeypatch.setattr(torch.cuda, "graph", fake_capture)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: "the pool")
    monkeypatch.setattr(FakeGraph, "replays", 0)


def with_graphs(generator: Generator) -> Generator:
    generator._graphs = CapturedPasses()
    return generator


def with_loras(generator: Generator) -> Generator:
    wan = generator.networks.wan
    loras = UserLoras(wan, [(small_lora(wan, 4), 0.4)], [(small_lora(wan), 0.5)])
    generator.networks = replace(generator.networks, loras=loras)
    return generator


def show(generator: Generator, chunks: int) -> Iterator[ChunkInput]:
    """Everything that a performer changes while the shapes stay, one cut, and at times what no graph was made for."""
    draw = np.random.default_rng(3)
    width, height = generator.size
    for index in range(chunks):
        cut = index == 2
        count = 1 + 4 * (generator.spec.first_chunk - 1) if cut else generator.frames_wanted()
        yield ChunkInput(
            prompt=PromptMix((("red", 1.0), ("blue", index % 7 / 7)), "slerp") if index % 3 else f"prompt {index // 6}",
            reset=cut,
            seed=index // 5,
            context_scale=(1.0, 0.5, 0.0, 1.7)[index % 4],
            control=draw.integers(0, 256, (count, height, width, 3), np.uint8) if index % 5 else None,
            mask=draw.integers(0, 256, (count, height, width), np.uint8) if index % 4 == 1 else None,
            scale_map=draw.integers(0, 256, (count, height, width), np.uint8) if index % 7 == 1 else None,
            references=draw.integers(0, 256, (1, height, width, 3), np.uint8) if index % 6 > 2 else None,
            reference_mode=("joint", "memory")[index // 3 % 2],
            history_hints=index % 8 == 0,
            hint_reuse=2 if index % 11 == 3 else 1,
            lora_strength=(1.0, 0.3, 0.7)[index % 3],
            lora_region="mask" if index % 4 == 1 else "everywhere",
        )


@pytest.mark.parametrize("name", ["longlive", "memflow", "krea-realtime"])
def test_a_replayed_pass_gives_the_picture_of_an_eager_one_throughout_a_show(name: str) -> None:
    """So whatever changes between chunks is written where the captured pass reads it."""
    spec = replace(pipeline(name), size=SMALL, steps=(1000, 500))
    fast, plain = with_graphs(with_loras(small_generator(spec))), with_loras(small_generator(spec))
    fast.warm_up()
    plain.warm_up()
    FakeGraph.replays = 0
    for given in show(fast, 17):
        np.testing.assert_array_equal(fast.step(given).frames, plain.step(given).frames)
    assert FakeGraph.replays > 8, "of 51 passes, many of them before the cache is full"


def test_a_steady_chunk_is_one_launch_a_pass_with_and_without_control_and_references() -> None:
    """Two denoising steps and the clean pass."""
    generator = with_graphs(small_generator())
    generator.warm_up()
    control, picture = np.zeros((12, 32, 32, 3), np.uint8), np.zeros((1, 32, 32, 3), np.uint8)
    for _ in range(3):
        generator.step(ChunkInput("red", control=control[: generator.frames_wanted()]))
    for given in (
        ChunkInput("red", control=control),
        ChunkInput("red"),
        ChunkInput("red", control=control, references=picture, reference_mode="joint"),
        ChunkInput("red", references=picture, reference_mode="joint"),
        ChunkInput("red", control=control, references=picture, reference_mode="memory"),
    ):
        FakeGraph.replays = 0
        generator.step(given)
        assert FakeGraph.replays == 3, given


def test_a_pass_that_the_warm_up_did_not_meet_runs_eagerly() -> None:
    generator = with_graphs(small_generator())
    generator.warm_up()
    graphs = dict(generator._graphs._graphs)  # type: ignore[union-attr]  # set above
    two = np.zeros((2, 32, 32, 3), np.uint8)
    for _ in range(4):
        generator.step(ChunkInput("red", references=two, reference_mode="memory"))
    assert generator._graphs._graphs == graphs  # type: ignore[union-attr]  # nothing is captured in a show


def test_a_pass_that_waits_for_the_card_is_reported_once_and_the_show_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    take = ChunkHints.take

    def waiting(hints: ChunkHints, tokens: Tensor, time: object) -> list[Tensor]:
        assert tokens.sum().item() < 1e9
        return take(hints, tokens, time)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(ChunkHints, "take", waiting)
    generator, plain = with_graphs(small_generator()), small_generator()
    generator.warm_up()
    plain.warm_up()
    assert caplog.messages == [
        "CUDA graphs: a pass cannot be captured and runs eagerly, which is slower: operation not permitted when stream "
        "is capturing"
    ]
    assert "0 passes captured; a pass cannot be captured" in generator.about["cuda graphs"]
    given = ChunkInput("red", control=np.zeros((9, 32, 32, 3), np.uint8))
    np.testing.assert_array_equal(generator.step(given).frames, plain.step(given).frames)


def test_an_adaptive_sink_is_never_captured_because_it_decides_in_the_first_pass() -> None:
    spec = small_spec("streamdiffusionv2", cache=replace(pipeline("streamdiffusionv2").cache, window=5, sink=1))
    generator = with_graphs(small_generator(spec))
    generator.warm_up()
    assert generator.about["cuda graphs"] == "0 passes captured"
