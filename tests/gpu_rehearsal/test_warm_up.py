"""The warm-up of every pipeline on a card: no tensor is on the wrong device or has the wrong dtype."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamvace.model.specs import PIPELINES
from streamvace.stream.rehearsal import rehearsal, rehearsal_input
from tests.gpu_rehearsal.card import FakeCard
from tests.gpu_rehearsal.networks import generator_on, shallow

SIZE = (64, 64)


@pytest.mark.parametrize("name", PIPELINES)
def test_every_chunk_of_the_warm_up_runs(name: str) -> None:
    spec = shallow(PIPELINES[name], main=1, context=1)
    spec = replace(spec, steps=spec.steps[:2])
    with FakeCard() as card:
        generator = generator_on(card, spec, SIZE, "tiny" if name == "embedded" else "tae")
        for names, others in rehearsal(spec, False):
            generator.step(rehearsal_input(names, others, generator.frames_wanted(), SIZE, False))
