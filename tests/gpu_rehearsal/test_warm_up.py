"""The warm-up on a card, loaded by the code that ships: every tensor fits, and the memory is what was asked for."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
import torch

from streamvace.bench.networks import random_networks
from streamvace.model.memory_needed import ALLOCATOR_SHARE, CODEC_BYTES
from streamvace.model.quantize import PRECISIONS
from streamvace.model.specs import PipelineSpec, pipeline
from streamvace.records.model_options import ModelOptions
from streamvace.stream import wan_loading
from streamvace.stream.generator import Generator
from streamvace.stream.loading import load_generator
from streamvace.stream.rehearsal import rehearsal, rehearsal_input
from streamvace.stream.wan_loading import weight_bytes
from tests.gpu_rehearsal.card import FakeCard
from tests.gpu_rehearsal.installed import VARIANTS, installed, stored
from tests.gpu_rehearsal.networks import generator_on, shallow

DEEPEST = ("control", "source")
"""With the Wan VAE's long memory, the fullest chunk: nothing breaks the streams of control and source."""


def test_every_chunk_of_the_embedded_model_s_warm_up_runs() -> None:
    spec = shallow(pipeline("embedded"), main=1, context=1)
    spec = replace(spec, steps=spec.steps[:2])
    with FakeCard() as card:
        generator = generator_on(card, spec, (64, 64), "tiny")
        for names, others in rehearsal(spec, False):
            generator.step(rehearsal_input(names, others, generator.frames_wanted(), (64, 64), False))


def loaded(card: FakeCard, spec: PipelineSpec, options: ModelOptions, size: tuple[int, int]) -> tuple[Generator, int]:
    """A generator, and the memory that was asked for before it was loaded, without the allocator's share."""
    asked: list[int] = []
    with patch.object(wan_loading, "check_memory", lambda device, needed, what: asked.append(needed)):
        generator = load_generator(spec.name, size, options)
    return generator, int(asked[0] / (1 + ALLOCATOR_SHARE))


@pytest.mark.parametrize(
    ("name", "precision", "size", "graphs"),
    [
        ("longlive", "bf16", (640, 368), "auto"),
        ("memflow", "int8", (576, 320), "off"),
        ("reward-forcing", "fp8", (320, 192), "off"),
        ("krea-realtime", "int8", (576, 320), "auto"),
        ("streamdiffusionv2", "bf16", (512, 512), "auto"),
    ],
)
def test_the_warm_up_takes_the_memory_that_was_asked_for(
    name: str, precision: str, size: tuple[int, int], graphs: str
) -> None:
    """Within 5 %, with few blocks at their real width."""
    spec = shallow(pipeline(name), main=1, context=1)
    spec = replace(spec, steps=spec.steps[:1])
    files = stored(spec, "taehv")
    with FakeCard() as card, installed(spec, files):
        generator, asked = loaded(card, spec, ModelOptions("cuda", precision=precision, cuda_graphs=graphs), size)
        generator.warm_up()
    assert asked == pytest.approx(card.memory.peak, rel=0.05)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("longlive", "wan-vae"), ("longlive", "lightvae"), ("longlive", "lighttae"), ("streamdiffusionv2", "wan-vae")],
)
def test_every_codec_takes_the_memory_that_is_counted_for_it(name: str, codec: str) -> None:
    """Autoencoders run on a stream of their own, whose memory serves nothing else."""
    spec = shallow(pipeline(name), main=1, context=1)
    spec = replace(spec, steps=spec.steps[:1])
    files, size = stored(spec, VARIANTS[codec]), (320, 192)
    with FakeCard() as card, installed(spec, files):
        generator, _ = loaded(card, spec, ModelOptions("cuda", codec=codec, cuda_graphs="off"), size)
        for _ in range(2):
            generator.step(rehearsal_input(DEEPEST, {}, generator.frames_wanted(), size, False))
    counted = CODEC_BYTES[VARIANTS[codec]]
    taken = card.memory.peak_of(stream=1) / (size[0] * size[1])
    assert (counted.many if spec.chunk > 1 else counted.one) == pytest.approx(taken, rel=0.05)


@pytest.mark.parametrize("offload", ["none", "context"])
@pytest.mark.parametrize("precision", ["bf16", "int8", "fp8"])
@pytest.mark.parametrize("name", ["longlive", "krea-realtime"])
def test_loading_never_holds_more_than_the_weights_and_a_block_on_its_way(
    name: str, precision: str, offload: str
) -> None:
    spec = shallow(pipeline(name), main=3, context=2)
    files = stored(spec, "taehv")
    a_block = 2 * sum(math.prod(shape) for part, shape in files["transformer"].items() if part.startswith("blocks.0."))
    with FakeCard() as card, installed(spec, files):
        loaded(card, spec, ModelOptions("cuda", precision=precision, offload=offload), (64, 64))
        counted = {kind: shapes for kind, shapes in files.items() if not (kind == "context" and offload == "context")}
        weights = weight_bytes({kind: Path(kind) for kind in counted}, torch.bfloat16, PRECISIONS[precision])
    assert card.memory.peak <= 1.01 * weights + 1.5 * a_block


def test_random_8_bit_weights_for_measurements_arrive_block_by_block_too() -> None:
    spec = shallow(pipeline("longlive"), main=3, context=2)
    files, options = stored(spec, "taehv"), ModelOptions("cuda", precision="int8")
    a_block = 2 * sum(math.prod(shape) for part, shape in files["transformer"].items() if part.startswith("blocks.0."))
    with FakeCard() as card, installed(spec, files):
        load_generator(spec.name, (64, 64), options, random_networks(spec, options))
        weights = weight_bytes({kind: Path(kind) for kind in files}, torch.bfloat16, PRECISIONS["int8"])
    assert 0.9 * weights <= card.memory.peak <= 1.01 * weights + 1.5 * a_block
