"""The model of costs as Markdown: against published figures, and what our path should reach."""

from __future__ import annotations

from collections.abc import Iterator

from streamvace.costs.cards import CARDS
from streamvace.costs.chunk import Job, chunk_work
from streamvace.costs.estimate import CAPTURED, COMPILED, EAGER, chunk_seconds, memory_bytes
from streamvace.costs.published import FIGURES
from streamvace.costs.work import Work
from streamvace.model.specs import pipeline

SHOWN = ("rtx 4090", "rtx 5090", "h100", "h200", "b200")
SIZES = ((640, 368), (832, 480))
PIPELINES = ("longlive", "krea-realtime")
"""One of each size of network, 1.3B and 14B; both make 12 frames a chunk in four steps."""


def markdown() -> str:
    """All tables."""
    parts = (against_published(), work_of_a_chunk(), what_ours_should_reach())
    return "\n\n".join("\n".join(part) for part in parts)


def against_published() -> Iterator[str]:
    """A row per published figure."""
    yield "| System | Size | Card | Published | Model | Source |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in FIGURES:
        width, height = row.job.size
        yield (
            f"| {row.system} | {width}x{height} | {row.card.upper()} | {row.milliseconds:.0f} ms | "
            f"{row.estimate:.0f} ms ({row.estimate / row.milliseconds - 1:+.0%}) | {row.source} |"
        )


def work_of_a_chunk() -> Iterator[str]:
    """A row per network and size: what a chunk with control asks of the card."""
    yield "| Chunk of 12 frames with control | Products | Attention | Codec | Moved by other kernels | Kernels |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name in PIPELINES:
        for size in SIZES:
            total = sum(chunk_work(Job(pipeline(name), size, control=True)).values(), Work())
            flops = (f"{each / 1e12:.1f} TFLOP" for each in (total.products, total.attention, total.convolutions))
            cells = (f"{name} {size[0]}x{size[1]}", *flops, f"{total.moved / 1e9:.0f} GB", f"{total.kernels:.0f}")
            yield f"| {' | '.join(cells)} |"


def what_ours_should_reach() -> Iterator[str]:
    """Frames per second with control by card: eager, captured, captured and compiled; the last on two cards too."""
    yield "| Frames/s with control, estimated | " + " | ".join(name.upper() for name in SHOWN) + " |"
    yield "| --- |" + " --- |" * len(SHOWN)
    cards = [next(row for row in CARDS if row.name == name) for name in SHOWN]
    for name in PIPELINES:
        for size in SIZES:
            job = Job(pipeline(name), size, control=True)
            for stack, number in ((EAGER, 1), (CAPTURED, 1), (COMPILED, 1), (COMPILED, 2)):
                shared = Job(job.spec, size, control=True, cards=number)
                cells = (
                    f"{job.frames / chunk_seconds(shared, card, stack):.0f}"
                    if memory_bytes(job) <= card.memory * 1e9
                    else f"needs {memory_bytes(job) / 1e9:.0f} GB"
                    for card in cards
                )
                words = stack.name + (", two cards" if number == 2 else "")
                yield f"| {name} {size[0]}x{size[1]}, {words} | {' | '.join(cells)} |"
