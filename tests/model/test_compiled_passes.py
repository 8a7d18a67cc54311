"""Compiled passes: the same pictures whatever a show does, nothing compiled in it, and a show without a compiler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.fx import GraphModule

from streamvace.model.captured import CapturedPasses, Mark
from streamvace.model.compiled import Backend
from streamvace.model.compiled_passes import CompiledPasses, compile_pass
from streamvace.model.placing import place_blocks
from streamvace.model.quantize import PRECISIONS
from streamvace.model.specs import pipeline
from streamvace.records.chunk import ChunkInput
from streamvace.records.model_options import ModelOptions
from streamvace.stream.generator import Generator
from streamvace.stream.loading import prepared_passes
from streamvace.system.errors import UserError
from tests.fake_graphs import FakeGraph, fake_capture
from tests.model.test_captured import show, with_loras
from tests.networks import SMALL, small_generator


class Compiler:
    """A backend that runs the graph as it is, for tensors that lie in memory as its examples. Counts.

    change: made to what it gives.
    """

    def __init__(self, change: Callable[[Tensor], Tensor] = lambda out: out) -> None:
        self.graphs, self.calls, self._change = 0, 0, change

    def __call__(self, graph: GraphModule, inputs: Sequence[Tensor]) -> Callable[..., Any]:
        self.graphs += 1
        layout = [(each.shape, each.stride()) for each in inputs]

        def run(*given: Tensor) -> tuple[Tensor]:
            self.calls += 1
            assert [(each.shape, each.stride()) for each in given] == layout
            return (self._change(graph(*given)[0]),)

        return run


def with_step(generator: Generator, backend: Backend, graphs: CapturedPasses | None = None) -> Generator:
    generator._graphs = CompiledPasses(graphs, backend)
    return generator


@pytest.mark.parametrize(
    "name", ["longlive", *(pytest.param(name, marks=pytest.mark.slow) for name in ("memflow", "krea-realtime"))]
)
def test_a_compiled_pass_gives_the_picture_of_an_eager_one_throughout_a_show(name: str) -> None:
    """So whatever changes between chunks is written where the compiled pass reads it. Rotations round differently."""
    spec, compiler = replace(pipeline(name), size=SMALL, steps=(1000, 500)), Compiler()
    fast, plain = with_step(with_loras(small_generator(spec)), compiler), with_loras(small_generator(spec))
    fast.warm_up()
    plain.warm_up()
    made, compiler.calls = compiler.graphs, 0
    for given in show(fast, 17):
        ours, theirs = fast.step(given).frames.astype(int), plain.step(given).frames
        assert np.abs(ours - theirs).max() <= 1
    assert compiler.graphs == made, "nothing is compiled in a show"
    assert compiler.calls > 8, "of 51 passes, many of them before the cache is full"


def prepared(generator: Generator) -> Generator:
    """After a warm-up of steady chunks with control: two kinds of pass."""
    passes = generator._graphs
    assert passes is not None
    passes.capturing = True
    for _ in range(-(-generator.spec.cache.window // generator.spec.chunk) + 1):
        generator.step(ChunkInput("red", control=np.zeros((generator.frames_wanted(), 32, 32, 3), np.uint8)))
    passes.capturing = False
    return generator


def test_a_pass_keeps_its_meaning_where_a_compiler_rewrites_writes_in_place() -> None:
    """`aot_eager` functionalises the graph as inductor does: a lost write to the cache would show in the next chunk."""
    fast, plain = prepared(with_step(small_generator(), "aot_eager")), small_generator()
    draw = np.random.default_rng(3)
    for index in range(5):
        count = plain.frames_wanted()
        given = ChunkInput("red", reset=not index, control=draw.integers(0, 256, (count, 32, 32, 3), np.uint8))
        ours, theirs = fast.step(given).frames.astype(int), plain.step(given).frames
        assert np.abs(ours - theirs).max() <= 1
    assert fast._graphs is not None
    assert fast._graphs.about == {"compile": "step: 2 passes compiled"}


def test_compiled_passes_are_captured_as_cuda_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "CUDAGraph", FakeGraph)
    monkeypatch.setattr(torch.cuda, "graph", fake_capture)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: "the pool")
    compiler = Compiler()
    generator = prepared(with_step(small_generator(), compiler, CapturedPasses()))
    assert generator._graphs is not None
    assert generator._graphs.about == {"compile": "step: 2 passes compiled", "cuda graphs": "2 passes captured"}
    assert compiler.calls == 1 + 2 * 3, "a trial; then each is compared with the eager pass, used, and captured"
    FakeGraph.replays = 0
    generator.step(ChunkInput("red", control=np.zeros((12, 32, 32, 3), np.uint8)))
    assert FakeGraph.replays == len(generator.spec.steps) + 1
    assert compiler.calls == 1 + 2 * 3, "a replay runs no compiled code by itself"


def test_a_pass_that_the_warm_up_did_not_meet_runs_eagerly() -> None:
    compiler = Compiler()
    generator, plain = prepared(with_step(small_generator(), compiler)), small_generator()
    for index in range(4):
        given = ChunkInput("red", reset=not index)
        ours, theirs = generator.step(given).frames.astype(int), plain.step(given).frames
        assert np.abs(ours - theirs).max() <= 1
    calls = compiler.calls
    given = ChunkInput("red", references=np.zeros((2, 32, 32, 3), np.uint8), reference_mode="memory")
    ours, theirs = generator.step(given).frames.astype(int), plain.step(given).frames
    assert np.abs(ours - theirs).max() <= 1
    assert (compiler.graphs, compiler.calls) == (1 + 2, calls)


def absent(graph: GraphModule, inputs: Sequence[Tensor]) -> Callable[..., Any]:
    assert len(graph.graph.nodes) < 9, "a missing compiler shows before the pass is traced"
    raise RuntimeError("Compiler: cl is not found.\nA page of advice.")


@pytest.mark.parametrize(
    ("backend", "line"),
    [
        (absent, "a pass cannot be compiled and runs eagerly, which is slower: Compiler: cl is not found."),
        (Compiler(lambda out: out * 1.2), "a compiled pass differs by 0.2, more than 0.05, and runs eagerly"),
    ],
    ids=["no compiler", "wrong"],
)
def test_a_show_without_a_right_compiler_says_so_once_and_runs_as_without(
    backend: Backend, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    generator, plain = prepared(with_step(small_generator(), backend)), small_generator()
    ours = [each.getMessage() for each in caplog.records if each.name == "streamvace.model.compiled_passes"]
    assert ours == [f"--compile step: {line}"]
    assert generator._graphs is not None
    assert generator._graphs.about == {"compile": f"step: 0 passes compiled; {line}"}
    given = ChunkInput("red", reset=True, control=np.zeros((9, 32, 32, 3), np.uint8))
    np.testing.assert_array_equal(generator.step(given).frames, plain.step(given).frames)


def test_a_pass_that_depends_on_data_is_not_compiled() -> None:
    def body(x: Tensor, t: Tensor, mark: Mark) -> Tensor:
        return x if t.sum() > 0 else -x

    with pytest.raises(Exception, match="data-dependent"):
        compile_pass(body, torch.zeros(1, 2, 2), torch.ones(1, 1), Compiler())


def test_8_bit_weights_are_compiled_too() -> None:
    pytest.importorskip("torchao.quantization")
    compiler = Compiler()
    generator = with_step(small_generator(), compiler)
    for network in (generator.networks.wan, generator.networks.branch):
        place_blocks(network, torch.device("cpu"), PRECISIONS["int8"])
    prepared(generator)
    assert generator._graphs is not None
    assert generator._graphs.about == {"compile": "step: 2 passes compiled"}


def test_a_network_that_leaves_the_device_excludes_it() -> None:
    with pytest.raises(UserError, match="--compile step keeps all networks on the device, --offload context does not"):
        prepared_passes(None, ModelOptions(compile="step", offload="context"))
