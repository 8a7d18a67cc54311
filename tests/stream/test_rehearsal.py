"""Nothing runs for the first time in front of an audience."""

from __future__ import annotations

from dataclasses import fields
from itertools import product

from streamvace.model.specs import PIPELINES
from streamvace.records.chunk import ChunkInput
from streamvace.stream.rehearsal import rehearsal, rehearsal_input


def test_every_picture_a_chunk_can_be_given_is_rehearsed_in_every_pipeline() -> None:
    """A field that is added must be added to EVERYTHING too."""
    pictures = {field.name for field in fields(ChunkInput) if "Pixels" in str(field.type)}
    for spec, regional in product(PIPELINES.values(), (False, True)):
        plan = list(rehearsal(spec, regional))
        assert set().union(*(names for names, _ in plan)) == pictures
        full = [names for names, _ in plan if len(names) == len(pictures)]
        assert full, "all at once, too: that is when memory is short"


def test_the_rehearsed_chunks_are_taken_as_they_are() -> None:
    given = rehearsal_input(("references", "mask"), {"lora_region": "mask"}, 9, (64, 32), False)
    assert given.references is not None
    assert given.references.shape == (1, 32, 64, 3)
    assert given.mask is not None
    assert given.mask.shape == (9, 32, 64)
    assert given.lora_region == "everywhere", "without side LoRAs there is no region to speak of"
