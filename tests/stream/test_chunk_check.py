"""Every input that a chunk cannot be made of is refused with both values."""

from __future__ import annotations

import numpy as np
import pytest

from streamvace.model.specs import PIPELINES, pipeline
from streamvace.records.chunk import ChunkInput
from streamvace.stream.chunk_check import check_chunk, remarks


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.uint8)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"second_control": zeros(9, 16, 32, 3)}, r"second_control is uint8 \[9, 16, 32, 3\].*\[12, 16, 32, 3\]"),
        ({"scale_map": zeros(12, 32, 16)}, r"scale_map is uint8 \[12, 32, 16\].*\[12, 16, 32\]"),
        ({"references": zeros(9, 16, 32, 3)}, r"references is uint8 \[9, 16, 32, 3\].*\[8, 16, 32, 3\]"),
        ({"references": zeros(0, 16, 32, 3)}, r"references is uint8 \[0, 16, 32, 3\].*\[1, 16, 32, 3\]"),
        ({"first_frame": zeros(1, 16, 32, 3)}, r"first_frame is uint8 \[1, 16, 32, 3\].*\[16, 32, 3\]"),
        ({"last_frame": zeros(16, 32, 3).astype(np.float32)}, r"last_frame is float32"),
        ({"reference_mode": "both"}, r"'both'; there are: auto, joint, memory, paper"),
        ({"block_scales": (1.0,)}, r"1 block scales, this pipeline has 2 context blocks"),
        ({"second_weight": 1.5}, r"second_weight is 1.5, it goes from 0 to 1"),
        ({"denoise_steps": -1}, r"denoise_steps is -1"),
        ({"hint_reuse": 0}, r"hint_reuse is 0"),
        ({"hint_threshold": -1.0}, r"hint_threshold is -1.0, it goes from 0 to 1"),
    ],
)
def test_it_is_refused_with_both_values(given: dict[str, object], line: str) -> None:
    with pytest.raises(ValueError, match=line):
        check_chunk(ChunkInput("red", **given), 12, (32, 16), 2)  # type: ignore[arg-type]


def test_what_fits_is_taken() -> None:
    fits = ChunkInput(
        "red",
        references=zeros(8, 16, 32, 3),
        first_frame=zeros(16, 32, 3),
        scale_map=zeros(12, 16, 32),
        block_scales=(1.0, 0.0),
    )
    check_chunk(fits, 12, (32, 16), 2)


@pytest.mark.parametrize(
    ("name", "given", "line"),
    [
        ("longlive", {"past_bias": 0.5}, "past_bias does nothing in longlive"),
        ("krea-realtime", {"history_hints": True}, "history_hints does nothing in krea-realtime"),
        (
            "embedded",
            {"references": zeros(1, 16, 32, 3), "reference_mode": "joint"},
            "reference_mode memory shows them",
        ),
    ],
)
def test_what_a_pipeline_has_no_place_for_is_said(name: str, given: dict[str, object], line: str) -> None:
    (note,) = remarks(ChunkInput("red", **given), pipeline(name))  # type: ignore[arg-type]
    assert line in note


def test_where_everything_has_its_place_nothing_is_said() -> None:
    given = ChunkInput("red", references=zeros(1, 16, 32, 3), reference_mode="memory")
    assert all(remarks(given, spec) == () for spec in PIPELINES.values())
