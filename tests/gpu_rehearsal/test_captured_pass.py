"""A steady chunk on a card with CUDA graphs: one launch a pass, and the host waits for nothing between them."""

from __future__ import annotations

from dataclasses import replace

from streamvace.model.captured import CapturedPasses
from streamvace.model.specs import pipeline
from streamvace.stream.rehearsal import CONTROL, rehearsal_input
from tests.gpu_rehearsal.card import FakeCard
from tests.gpu_rehearsal.networks import generator_on, shallow

OUTSIDE = 12
"""Most kernels between two launches: flow becomes clean latents, is noised again, and is copied to the next pass."""


def test_a_pass_is_one_launch_and_the_host_waits_for_nothing_until_the_last() -> None:
    spec = shallow(pipeline("longlive"), 2, 1)
    spec = replace(spec, steps=(1000, 500), cache=replace(spec.cache, window=6))
    with FakeCard() as card:
        generator = generator_on(card, spec, (64, 64))
        generator._graphs = graphs = CapturedPasses()
        graphs.capturing = True
        for _ in range(4):
            card.journal.clear()
            generator.step(rehearsal_input(CONTROL, {}, generator.frames_wanted(), generator.size, False))
            graphs.capturing = generator.state.chunks < 3
    assert graphs.about["cuda graphs"] == "2 passes captured", "denoising with control, and the clean pass"
    kinds = [entry.kind for entry in card.journal.entries]
    launches = [index for index, kind in enumerate(kinds) if kind == "graph"]
    assert len(launches) == len(spec.steps) + 1
    between = card.journal.entries[launches[0] : launches[-1]]
    assert not {"wait", "upload"} & {entry.kind for entry in between}
    ours = [entry for entry in between if entry.kind == "kernel" and entry.stream == 0]
    assert len(ours) <= OUTSIDE * len(spec.steps), "the decoding of the chunk runs on a stream of its own"
