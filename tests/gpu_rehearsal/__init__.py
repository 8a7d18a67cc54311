"""The GPU path without a GPU: the real code on fake tensors of a card, which have shapes and no values.

    from tests.gpu_rehearsal.card import FakeCard
    from tests.gpu_rehearsal.networks import generator_on

    with FakeCard() as card:  # or FakeCard("mps"); FakeCard(total=8e9): a card of 8 GB that can run out of memory;
                              # FakeCard(cards=2): two of them
        generator = generator_on(card, pipeline("longlive"), (640, 368))
        generator.step(...)
        card.journal.clear()
        generator.step(...)
    card.journal.count("kernel")     # number of kernels; .by_line("kernel"): where they come from
    card.journal.by_line("wait")     # places where the host waits for the card: .item(), bool(), .cpu(), ...
    card.journal.by_line("upload")   # copies to the card that are not pinned and non_blocking: they block the host
    card.memory.live, card.memory.peak   # bytes of the tensors that exist, and the most that existed at once

Operations between tensors of different devices or dtypes raise, as on a card. Values do not exist: `.item()` answers 1,
a comparison answers True. `journal.entries` lists everything in order, with its stream and the tensors it reads and
writes as (storage, shape); a storage's number is never used twice. Needs a C++ compiler; skips the test without one.
"""
