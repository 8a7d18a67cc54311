"""Encoding and decoding run beside the passes of the networks, and nothing is read before it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from streamvace.model.specs import PipelineSpec, pipeline
from streamvace.records.chunk import ChunkInput
from streamvace.stream.generator import Generator
from streamvace.stream.rehearsal import CONTROL, rehearsal_input
from tests.gpu_rehearsal.card import FakeCard
from tests.gpu_rehearsal.journal import Journal
from tests.gpu_rehearsal.networks import generator_on, shallow
from tests.gpu_rehearsal.order import Order

SIZE = (64, 64)


def small(name: str) -> PipelineSpec:
    spec = shallow(pipeline(name), 1, 1)
    return replace(spec, steps=spec.steps[:2])


def changing(generator: Generator) -> Iterator[ChunkInput]:
    """References that come, change and go, sources, masks, and history with hints."""
    one, other = (np.full((1, 64, 64, 3), grey, np.uint8) for grey in (10, 90))
    for names, others in (
        (CONTROL, {}),
        (CONTROL, {"references": one, "reference_mode": "joint", "history_hints": True}),
        (CONTROL, {"references": other, "reference_mode": "joint", "history_hints": True}),
        (("control", "source"), {}),
        (("control", "mask", "second_control"), {"history_hints": True}),
        ((), {"references": one, "reference_mode": "memory"}),
        ((), {"prompt": "another"}),
        (CONTROL, {}),
    ):
        yield rehearsal_input(names, others, generator.frames_wanted(), SIZE, False)


@pytest.mark.parametrize("name", ["longlive", "krea-realtime"])
def test_no_memory_is_written_on_one_stream_while_the_other_uses_it(name: str) -> None:
    """Memory that is freed counts as written: the stream that made it reuses it at once."""
    with FakeCard() as card:
        generator = generator_on(card, small(name), SIZE)
        for given in changing(generator):
            generator.step(given)
        order = Order(card.journal)
    assert len({entry.stream for entry in order.entries}) == 2
    assert order.races == []


def two_chunks() -> Journal:
    with FakeCard() as card:
        generator = generator_on(card, small("longlive"), SIZE)
        for chunk in range(5):
            if chunk == 3:
                card.journal.clear()
            generator.step(rehearsal_input(CONTROL, {}, generator.frames_wanted(), SIZE, False))
    return card.journal


def test_the_clean_pass_runs_beside_this_chunks_decoding_and_the_next_ones_encoding() -> None:
    order = Order(two_chunks())
    entries = order.entries

    def kernels(beside: bool) -> list[int]:
        return [at for at, entry in enumerate(entries) if entry.kind == "kernel" and (entry.stream != 0) == beside]

    beside, passes = kernels(True), kernels(False)
    waits = [at for at, entry in enumerate(entries) if entry.kind == "wait"]
    assert len(waits) == 2, "for the frames of each chunk"
    decoding = [at for at in beside if at < waits[0]]
    decoding = decoding[[not order.before(passes[0], at) for at in decoding].count(True) :]
    clean_pass = [at for at in passes if decoding[-1] < at < waits[0]]
    assert len(clean_pass) > 20
    assert not order.before(decoding[-1], clean_pass[-1]), "the clean pass waits for no picture"
    assert not order.before(clean_pass[0], decoding[-1]), "no picture waits for the clean pass"
    assert clean_pass[-1] < waits[0], "the host waits for the frames when all is queued"
    encoding = [at for at in beside if waits[0] < at and not order.before(clean_pass[0], at)]
    assert len(encoding) > 20, "the next pictures are encoded while the clean pass runs"
    steps = [at for at in passes if at > encoding[-1]]
    assert order.before(encoding[-1], steps[-1])
    assert order.before(clean_pass[-1], steps[0])
