"""The memory that a pipeline asks for before it is loaded is the memory that its chunks take."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from streamvace.model.specs import pipeline
from streamvace.stream.rehearsal import CONTROL, rehearsal_input
from streamvace.stream.wan_loading import working_bytes
from tests.gpu_rehearsal.card import FakeCard
from tests.gpu_rehearsal.networks import generator_on, shallow


@pytest.mark.parametrize(("codec", "variant"), [("tae", "taehv"), pytest.param("vae", "wan", marks=pytest.mark.slow)])
def test_a_chunk_with_control_takes_what_is_asked_for(codec: str, variant: str) -> None:
    """Within 5 %, with few blocks at their real width; weights and K/V cache are counted apart."""
    size = (320, 192)
    spec = shallow(pipeline("longlive"), main=1, context=1)
    spec = replace(spec, steps=spec.steps[:2])
    with FakeCard() as card:
        generator = generator_on(card, spec, size, codec)
        before = card.memory.live
        for _ in range(2):
            generator.step(rehearsal_input(CONTROL, {}, generator.frames_wanted(), size, False))
    taken = card.memory.peak - before
    assert working_bytes(spec, size, torch.bfloat16, variant) == pytest.approx(taken, rel=0.05)
