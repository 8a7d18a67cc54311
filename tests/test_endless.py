"""A show has no end: memory does not grow."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace

import pytest

from streamvace.model.specs import PIPELINES, pipeline
from streamvace.records.chunk import ChunkInput
from tests.networks import SMALL, small_generator


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PIPELINES if name != "embedded"])
def test_two_thousand_chunks_need_no_more_memory_than_twenty(name: str) -> None:
    generator = small_generator(replace(pipeline(name), size=SMALL, steps=(1000,), warp=False), size=(16, 16))
    for _ in range(20):
        generator.step(ChunkInput("red"))
    held = generator.state.nbytes
    gc.collect()
    tracemalloc.start()
    for index in range(1980):
        generator.step(ChunkInput("red" if index % 50 else f"red {index % 7}"))
    gc.collect()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert generator.state.nbytes == held
    # Python-side growth only (tensors are counted by nbytes): a leak of one small object per chunk is 100 kB.
    assert grown < 50_000
