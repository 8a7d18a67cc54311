"""An input that does not fit the next chunk is refused with the given and the accepted value."""

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
        ({"second_weight": 1.5}, r"second_weight is 1.5, it must be from 0 to 1"),
        ({"context_scale": float("nan")}, r"context_scale is nan, it must be from 0 to 2"),
        ({"lora_strength": -1.0}, r"lora_strength is -1.0, it must be from 0 to 2"),
        ({"block_scales": (1.0, 3.0)}, r"block_scales is 3.0, it must be from 0 to 2"),
        ({"noise_rule": "dice"}, r"noise rule 'dice'; there are: hash, sum"),
        ({"denoise_steps": -1}, r"denoise_steps is -1"),
        ({"hint_reuse": 0}, r"hint_reuse is 0"),
        ({"hint_threshold": -1.0}, r"hint_threshold is -1.0, it must be from 0 to 1"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_with_both_values(given: dict[str, object], line: str) -> None:
    with pytest.raises(ValueError, match=line):
        check_chunk(ChunkInput("red", **given), 12, (32, 16), 2)  # type: ignore[arg-type]


def test_fitting_inputs_are_accepted() -> None:
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
        ("longlive", {"past_bias": 0.5}, "/streamvace/past_bias: has no effect in longlive"),
        ("krea-realtime", {"history_hints": True}, "/streamvace/history_hints: has no effect in krea-realtime"),
        (
            "embedded",
            {"references": zeros(1, 16, 32, 3), "reference_mode": "joint"},
            "use reference_mode memory",
        ),
    ],
)
def test_an_option_that_a_pipeline_does_not_support_is_reported(name: str, given: dict[str, object], line: str) -> None:
    (note,) = remarks(ChunkInput("red", **given), pipeline(name))  # type: ignore[arg-type]
    assert line in note


def test_supported_options_are_not_remarked_on() -> None:
    given = ChunkInput("red", references=zeros(1, 16, 32, 3), reference_mode="memory")
    assert all(remarks(given, spec) == () for spec in PIPELINES.values())
