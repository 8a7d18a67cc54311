"""The warm-up on Apple's GPU: no float64 and no operation without a kernel reaches it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from streamvace.model.quantize import native_dtype
from streamvace.model.specs import PIPELINES
from streamvace.stream.rehearsal import rehearsal, rehearsal_input
from tests.gpu_rehearsal.apple import runs_on_apple
from tests.gpu_rehearsal.card import FakeCard
from tests.gpu_rehearsal.networks import generator_on, shallow

SIZE = (64, 64)


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("aten::index_copy_", True),
        ("aten::convolution", True),
        ("aten::_fused_rms_norm", True),
        ("aten::_linalg_eigh", False),
        ("aten::_scaled_dot_product_flash_attention", False),
        ("aten::no_such_operation", False),
    ],
)
def test_the_table_of_operations_is_read(name: str, runs: bool) -> None:
    assert runs_on_apple(name) == runs


@pytest.mark.parametrize("name", ["embedded", "longlive", "streamdiffusionv2"])
def test_every_chunk_of_the_warm_up_runs_on_apple_s_gpu(name: str) -> None:
    """`Operations` raises on a float64 tensor there and on an operation that has no kernel."""
    spec = shallow(PIPELINES[name], main=1, context=1)
    spec = replace(spec, steps=spec.steps[:1])
    dtype = native_dtype(torch.device("mps"))
    assert dtype == torch.bfloat16
    with FakeCard("mps") as card:
        generator = generator_on(card, spec, SIZE, "tiny" if name == "embedded" else "tae", dtype)
        for names, others in rehearsal(spec, False):
            generator.step(rehearsal_input(names, others, generator.frames_wanted(), SIZE, False))


def test_float64_and_unknown_kernels_are_refused() -> None:
    with FakeCard("mps") as card:
        x = torch.empty(3, 3, device=card.device)
        with pytest.raises(TypeError, match="float64"):
            x.double()
        with pytest.raises(NotImplementedError, match="linalg_eigh"):
            torch.linalg.eigh(x)
