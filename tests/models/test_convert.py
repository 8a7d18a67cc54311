"""A pickle becomes safetensors or is refused; code in it never runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from streamvace.models.convert import convert
from streamvace.system import files
from streamvace.system.errors import UserError
from tests.held import held
from tests.system.test_files import Busy

WEIGHTS = {"model.a": torch.arange(6.0).view(2, 3), "model.b": torch.ones(2, dtype=torch.bfloat16)}
AVERAGE = {name: value + 1 for name, value in WEIGHTS.items()}


def save(path: Path, what: Any, **options: Any) -> Path:
    torch.save(what, path, **options)
    return path


@pytest.mark.parametrize(
    ("stored", "parts", "part"),
    [
        (WEIGHTS, (), ""),
        ({"generator": WEIGHTS}, (), "generator"),
        ({"generator_ema": AVERAGE, "generator": WEIGHTS, "critic": AVERAGE, "step": 3}, (), "generator"),
        ({"generator_ema": WEIGHTS, "generator": AVERAGE}, ("generator_ema", "generator"), "generator_ema"),
        ({"state_dict": {"generator": WEIGHTS}}, (), "state_dict.generator"),
        ({"generator_lora": WEIGHTS}, ("generator_lora",), "generator_lora"),
        ({"anything": WEIGHTS}, (), "anything"),
    ],
)
def test_the_wanted_nesting_is_taken_under_its_own_names(
    tmp_path: Path, stored: dict[str, Any], parts: tuple[str, ...], part: str
) -> None:
    done = convert(save(tmp_path / "w.pt", stored), tmp_path / "w.safetensors", parts)
    assert (done.part, done.tensors) == (part, 2)
    found = load_file(tmp_path / "w.safetensors")
    assert all(torch.equal(found[name], WEIGHTS[name]) and found[name].dtype is WEIGHTS[name].dtype for name in WEIGHTS)
    with safe_open(tmp_path / "w.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "source": "w.pt", "part": part}


def test_a_scanner_that_holds_the_new_file_for_a_moment_costs_no_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_RETRY_S", 0.0)
    monkeypatch.setattr(files.os, "replace", Busy(3))
    convert(save(tmp_path / "w.pt", WEIGHTS), tmp_path / "w.safetensors")
    assert set(load_file(tmp_path / "w.safetensors")) == set(WEIGHTS)


def test_the_format_of_old_torch_is_read_too(tmp_path: Path) -> None:
    source = save(tmp_path / "w.pth", WEIGHTS, _use_new_zipfile_serialization=False)
    assert convert(source, tmp_path / "w.safetensors").tensors == 2


def test_weights_can_be_made_smaller_and_other_things_are_left_out_by_name(tmp_path: Path) -> None:
    source = save(tmp_path / "w.pt", WEIGHTS | {"step": 7, "counter": torch.tensor(3)})
    done = convert(source, tmp_path / "w.safetensors", dtype=torch.bfloat16)
    found = load_file(tmp_path / "w.safetensors")
    assert found["model.a"].dtype is torch.bfloat16
    assert found["counter"].dtype is torch.int64
    assert done.dropped == ("step",)


def test_tied_and_strided_weights_are_written_whole(tmp_path: Path) -> None:
    weight = torch.arange(6.0).view(2, 3)
    convert(save(tmp_path / "w.pt", {"a": weight, "b": weight, "c": weight.T}), tmp_path / "w.safetensors")
    found = load_file(tmp_path / "w.safetensors")
    assert torch.equal(found["a"], weight)
    assert torch.equal(found["b"], weight)
    assert torch.equal(found["c"], weight.T)


class Trap:
    """What a hostile checkpoint holds: opening it would make a file."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.witness),)


def test_code_in_a_pickle_does_not_run(tmp_path: Path) -> None:
    witness = tmp_path / "it ran"
    (tmp_path / "in").mkdir()
    source = save(tmp_path / "in" / "w.pt", {"generator": WEIGHTS, "extra": Trap(witness)})
    with pytest.raises(UserError, match="holds more than tensors and was not opened") as refusal:
        convert(source, tmp_path / "w.safetensors")
    assert "\n" not in str(refusal.value)
    assert not witness.exists()
    assert not (tmp_path / "w.safetensors").exists()
    assert not held(source), "its user wants to remove it"


def test_what_cannot_be_converted_is_refused_in_one_line(tmp_path: Path) -> None:
    target = tmp_path / "w.safetensors"
    with pytest.raises(UserError, match=r"no file .*absent\.pt; check the path"):
        convert(tmp_path / "absent.pt", target)
    (tmp_path / "damaged.pt").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(UserError, match=r"damaged\.pt"):
        convert(tmp_path / "damaged.pt", target)
    with pytest.raises(UserError, match="holds a list, not a state dict"):
        convert(save(tmp_path / "list.pt", [torch.ones(1)]), target)
    with pytest.raises(UserError, match="one, two; choose one with --part"):
        convert(save(tmp_path / "two.pt", {"one": WEIGHTS, "two": WEIGHTS}), target)
    with pytest.raises(UserError, match="holds no tensors"):
        convert(save(tmp_path / "empty.pt", {"step": 1}), target)
    assert not target.exists()


def test_an_existing_file_is_replaced_only_when_asked(tmp_path: Path) -> None:
    source, target = save(tmp_path / "w.pt", WEIGHTS), tmp_path / "w.safetensors"
    target.write_text("mine")
    with pytest.raises(UserError, match="--overwrite"):
        convert(source, target)
    assert target.read_text() == "mine"
    assert convert(source, target, overwrite=True).tensors == 2
