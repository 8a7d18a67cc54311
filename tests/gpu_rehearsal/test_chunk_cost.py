"""What a steady LongLive chunk with control costs beside the arithmetic: kernels, and places where the host waits.

The figures are those of today. They may only sink: lower them with the code.
"""

from __future__ import annotations

from functools import cache

from streamvace.model.specs import pipeline
from streamvace.stream.rehearsal import CONTROL, rehearsal_input
from tests.gpu_rehearsal.card import FakeCard
from tests.gpu_rehearsal.journal import Journal
from tests.gpu_rehearsal.networks import generator_on, shallow

KERNELS = 6250
KERNELS_A_BLOCK = 28
WAITS = {
    ("stream/lane.py", "event"): 1,  # the frames
}
QUEUED_UPLOADS = 6
"""Control frames, slots, rotary tables, noise: pinned, so the host goes on."""


@cache
def steady_chunk(main: int, context: int) -> Journal:
    """The journal of the chunk, with this many main and context blocks."""
    spec = shallow(pipeline("longlive"), main, context)
    with FakeCard() as card:
        generator = generator_on(card, spec, (64, 64))
        for _ in range(3):
            card.journal.clear()
            generator.step(rehearsal_input(CONTROL, {}, generator.frames_wanted(), generator.size, False))
    return card.journal


def by_file(journal: Journal, kind: str) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for (line, name), count in journal.by_line(kind).items():  # type: ignore[arg-type]
        key = (line.partition(":")[0], name)
        sums[key] = sums.get(key, 0) + count
    return sums


def test_the_kernels_of_a_chunk_are_within_their_budget() -> None:
    """Each context block comes with two main blocks and adds the same number, so two shallow networks tell the rest."""
    one, two = steady_chunk(2, 1).count("kernel"), steady_chunk(4, 2).count("kernel")
    assert one + (two - one) * (len(pipeline("longlive").size.vace_layers) - 1) <= KERNELS
    passes_of_two_main_blocks, passes_of_a_context_block = 2 * 5, 4
    assert two - one <= KERNELS_A_BLOCK * (passes_of_two_main_blocks + passes_of_a_context_block)


def test_the_host_waits_only_for_the_finished_frames() -> None:
    assert by_file(steady_chunk(2, 1), "wait") == WAITS


def test_no_copy_to_the_card_blocks_the_host() -> None:
    journal = steady_chunk(2, 1)
    assert by_file(journal, "upload") == {}
    assert journal.count("queued upload") <= QUEUED_UPLOADS
