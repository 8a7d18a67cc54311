"""The memory that a run asks for, against counts written out. tests/gpu_rehearsal compares it with what a run takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from streamvace.costs.chunk import CODECS as COUNTED
from streamvace.costs.chunk import VARIANTS, Job
from streamvace.costs.estimate import memory_bytes
from streamvace.model.cache import KVCache
from streamvace.model.exchange import Alone
from streamvace.model.memory_needed import (
    CODEC_BYTES,
    Run,
    bytes_needed,
    bytes_of_passes,
    bytes_of_pictures,
    cache_bytes,
)
from streamvace.model.specs import WanSize, pipeline
from streamvace.models.check import CODECS

BF16 = torch.bfloat16


def test_the_cache_is_counted_with_its_rotated_keys() -> None:
    """1.3B at 576x320: K, rotated K and V of 12 frames of 720 tokens in 30 layers."""
    assert cache_bytes(Run(pipeline("longlive"), (576, 320), BF16, "taehv")) == 3 * 30 * 12 * 720 * 1536 * 2


def test_a_card_of_a_group_is_asked_only_for_the_cache_of_its_heads() -> None:
    alone = Run(pipeline("longlive"), (576, 320), BF16, "taehv")
    third = replace(alone, processes=3)
    assert cache_bytes(third) == cache_bytes(alone) // 3
    references = 3 * 30 * 720 * 1536 * 2
    saved = 2 * (cache_bytes(alone) + references) / 3
    assert bytes_needed(1e9, alone) - bytes_needed(1e9, third) == pytest.approx(1.05 * saved, abs=2)


class Third(Alone):
    """One process of three."""

    def own_heads(self, size: WanSize) -> WanSize:
        return replace(size, num_heads=size.num_heads // 3, dim=size.dim // 3)


def test_the_cache_of_a_process_takes_what_was_asked_for_it() -> None:
    spec = pipeline("longlive")
    held = KVCache(spec.size, spec.cache, 20, 36, device="meta", dtype=BF16, exchange=Third())
    assert held.nbytes == cache_bytes(Run(spec, (576, 320), BF16, "taehv", processes=3))


def test_what_a_show_s_control_networks_take_of_the_card_is_asked_for_too() -> None:
    run = Run(pipeline("longlive"), (576, 320), BF16, "taehv")
    kept = replace(run, controls=600_000_000)
    for asked in (bytes_needed, bytes_of_pictures):
        assert asked(1e9, kept) == asked(1e9, run) + 600_000_000
    assert bytes_of_passes(1e9, kept) == bytes_of_passes(1e9, run), "they run on the card of the pictures"


def test_every_codec_that_can_be_chosen_is_counted() -> None:
    assert CODEC_BYTES.keys() == CODECS.keys()
    assert COUNTED.keys() == VARIANTS.keys()


@pytest.mark.parametrize("codec", ["taehv", "wan-vae"])
def test_doctor_says_the_figure_that_the_start_asks_for(codec: str) -> None:
    spec = pipeline("longlive")
    job = Job(spec, (576, 320), control=True, codec=codec)
    weights = (
        memory_bytes(job) / 1.05 - bytes_needed(0, Run(spec, job.size, BF16, VARIANTS[codec], captured=True)) / 1.05
    )
    assert weights == pytest.approx(4.4e9, rel=0.1)


def test_captured_passes_take_memory_of_their_own_and_an_adaptive_sink_s_are_not_captured() -> None:
    for name, more in (("longlive", True), ("streamdiffusionv2", False)):
        spec = pipeline(name)
        eager, captured = (bytes_needed(0, Run(spec, (576, 320), BF16, "taehv", each)) for each in (False, True))
        assert (captured > eager) == more
