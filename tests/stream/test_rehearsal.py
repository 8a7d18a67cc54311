"""The warm-up runs every path of a show."""

from __future__ import annotations

from dataclasses import fields
from itertools import product

from streamvace.model.specs import PIPELINES
from streamvace.records.chunk import ChunkInput
from streamvace.stream.rehearsal import rehearsal, rehearsal_input


def test_every_picture_of_a_chunk_is_rehearsed_in_every_pipeline() -> None:
    """A new picture field of ChunkInput must be added to EVERYTHING."""
    pictures = {field.name for field in fields(ChunkInput) if "Pixels" in str(field.type)}
    for spec, regional in product(PIPELINES.values(), (False, True)):
        plan = list(rehearsal(spec, regional))
        assert set().union(*(names for names, _ in plan)) == pictures
        full = [names for names, _ in plan if len(names) == len(pictures)]
        assert full, "all at once, too: that is when memory is short"


def test_the_generator_accepts_the_rehearsed_chunks() -> None:
    given = rehearsal_input(("references", "mask"), {"lora_region": "mask"}, 9, (64, 32), False)
    assert given.references is not None
    assert given.references.shape == (1, 32, 64, 3)
    assert given.mask is not None
    assert given.mask.shape == (9, 32, 64)
    assert given.lora_region == "everywhere", "without side LoRAs there is no region to speak of"
