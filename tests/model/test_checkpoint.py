"""Weights load strictly or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from streamvace.model.checkpoint import load_module
from streamvace.system.errors import UserError
from tests.held import held


def build() -> nn.Linear:
    return nn.Linear(3, 2)


def write(path: Path, **changes: torch.Tensor | None) -> Path:
    tensors = {"weight": torch.ones(2, 3, dtype=torch.float16), "bias": torch.zeros(2)} | changes
    save_file({key: value for key, value in tensors.items() if value is not None}, path)
    return path


def test_half_precision_weights_arrive_in_the_wanted_dtype(tmp_path: Path) -> None:
    module = load_module(build, write(tmp_path / "w.safetensors"))
    assert module.weight.dtype is torch.float32
    assert not module.weight.requires_grad
    assert torch.equal(module(torch.ones(1, 3)), torch.full((1, 2), 3.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bias": None}, r"lacks 1 \(bias\) of 2"),
        ({"gamma": torch.ones(1)}, r"1 \(gamma\) unknown"),
        ({"weight": torch.ones(2, 4)}, r"weight is \[2, 4\], this model needs \[2, 3\]"),
    ],
)
def test_another_model_s_weights_are_refused_in_one_line_with_both_values(
    tmp_path: Path, changes: dict[str, torch.Tensor | None], message: str
) -> None:
    with pytest.raises(UserError, match=message) as refusal:
        load_module(build, write(tmp_path / "w.safetensors", **changes))
    assert "\n" not in str(refusal.value)


def test_a_missing_or_damaged_file_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no weights at"):
        load_module(build, tmp_path / "absent.safetensors")
    (tmp_path / "damaged.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(UserError, match="cannot read weights"):
        load_module(build, tmp_path / "damaged.safetensors")


def test_loading_the_embedded_model_imports_neither_a_compiler_nor_what_other_pipelines_need() -> None:
    # In an interpreter of its own: other tests import the compiler.
    code = """
import sys
from streamvace.stream.loading import load_generator
load_generator("embedded", (64, 64))
loaded = {"torch._dynamo", "torch._inductor", "sympy", "pydantic", "transformers", "av", "aiohttp"} & set(sys.modules)
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def test_a_refused_file_is_closed_while_its_error_is_still_known(tmp_path: Path) -> None:
    for name, changes in {"shape": {"weight": torch.ones(3, 3)}, "missing": {"bias": None}}.items():
        (tmp_path / name).mkdir()
        path = write(tmp_path / name / "w.safetensors", **changes)
        with pytest.raises(UserError) as refusal:
            load_module(build, path)
        assert not held(path), refusal.value
    (tmp_path / "damaged").mkdir()
    damaged = write(tmp_path / "damaged" / "w.safetensors")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(UserError) as refusal:
        load_module(build, damaged)
    assert not held(damaged), refusal.value
