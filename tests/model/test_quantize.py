"""Every precision has its dtype and is refused on devices that do not support it."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from streamvace.model import quantize
from streamvace.model.placing import place_blocks
from streamvace.model.quantize import (
    PRECISIONS,
    dtype_name,
    find_precision,
    native_dtype,
    prove_quantised,
)
from streamvace.model.transformer import CausalWan
from streamvace.records.model_options import ModelOptions
from streamvace.stream.loading import load_generator
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command
from tests.networks import SMALL

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("has", "dtype"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": False, "avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": False, "avx512_bf16": False, "avx512_f": True}, torch.float32),
        ({"architecture": "aarch64", "bf16": True}, torch.float32),
    ],
)
def test_a_gpu_runs_in_bf16_and_a_processor_where_its_bf16_products_are_fast(
    has: dict[str, object], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has, raising=False)
    assert (native_dtype(CUDA), native_dtype(CPU)) == (torch.bfloat16, dtype)


def test_a_torch_that_does_not_know_its_processor_runs_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert native_dtype(CPU) == torch.float32


@pytest.mark.parametrize("name", ["fp32", "bf16", "fp16"])
def test_a_dtype_is_named_as_the_option_that_asks_for_it(name: str) -> None:
    dtype = PRECISIONS[name].dtype
    assert dtype is not None
    assert dtype_name(dtype) == name


def test_an_unknown_precision_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="unknown precision 'int4'; there are: auto, fp32, bf16, fp16, int8, fp8"):
        find_precision("int4", CPU)


@pytest.mark.parametrize("name", ["int8", "fp8"])
def test_apple_s_gpu_refuses_eight_bits_in_one_line(name: str) -> None:
    with pytest.raises(UserError) as refused:
        find_precision(name, torch.device("mps"))
    assert str(refused.value) == f"precision '{name}': torchao has no 8-bit products for Apple's GPU (mps); use bf16"


def test_fp8_is_refused_where_the_card_has_no_fp8_products(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"needs a CUDA card of compute capability 8.9, cpu has 0.0; try int8"):
        find_precision("fp8", CPU)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 6))
    with pytest.raises(UserError, match=r"8.9, cuda has 8.6"):
        find_precision("fp8", CUDA)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    assert find_precision("fp8", CUDA).weight_bytes == 1


def test_only_the_blocks_are_quantised(monkeypatch: pytest.MonkeyPatch) -> None:
    """torchao's own interface: quantize_(module, config, filter_fn=fn(module, name))."""
    changed: list[str] = []

    def quantize_(module: nn.Module, config: object, *, filter_fn: object) -> None:
        assert callable(filter_fn)
        changed.extend(name for name, each in module.named_modules() if filter_fn(each, name))

    library = SimpleNamespace(quantize_=quantize_, Int8WeightOnlyConfig=lambda: "int8")
    monkeypatch.setattr(quantize, "import_module", lambda name: library)
    place_blocks(CausalWan(SMALL), CPU, find_precision("int8", CPU))
    block = ("self_attn.o", "self_attn.joined.qkv", *(f"cross_attn.{part}" for part in "qkvo"), "ffn.0", "ffn.2")
    assert sorted(changed) == sorted(block * SMALL.num_layers)


def test_plain_precisions_touch_nothing() -> None:
    model = CausalWan(SMALL)
    before = {name: p.data_ptr() for name, p in model.named_parameters()}
    place_blocks(model, CPU, find_precision("bf16", CPU))
    assert {name: p.data_ptr() for name, p in model.named_parameters() if name in before}.items() <= before.items()


def test_missing_torchao_is_reported_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(quantize, "import_module", missing)
    with pytest.raises(UserError, match=re.escape(install_command("8bit"))):
        prove_quantised("int8", find_precision("int8", CPU), CPU, torch.float32)


class FakeTorchao:
    """The functions of torchao that are used; `quantize_` does to the layer's weight what `change` says."""

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        self._change = change
        self.scales: list[str] = []

    def PerRow(self) -> str:
        return "row"

    def PerTensor(self) -> str:
        return "tensor"

    def Int8WeightOnlyConfig(self) -> str:
        return "int8"

    def Float8DynamicActivationFloat8WeightConfig(self, granularity: str) -> str:
        self.scales.append(granularity)
        return granularity

    def quantize_(self, module: nn.Sequential, config: object) -> None:
        module[0].weight.data = self._change(module[0].weight.data)


def broken(weight: Tensor) -> Tensor:
    raise AssertionError("PerRow quantization only works\nfor bfloat16")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (broken, r"does not work on cpu \(PerRow quantization only works for bfloat16\); use bf16"),
        (lambda weight: weight * 1.2, r"is off by 0\.\d+ on cpu, more than 0.1; use bf16"),
        (lambda weight: weight * float("nan"), r"is off by nan"),
    ],
)
def test_8_bit_products_that_fail_or_differ_are_refused_in_one_line_before_anything_is_loaded(
    change: Callable[[Tensor], Tensor], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantize, "import_module", lambda name: FakeTorchao(change))
    with pytest.raises(UserError, match=words) as refused:
        load_generator("embedded", options=ModelOptions("cpu", precision="int8", threads=1))
    assert "\n" not in str(refused.value)


def test_8_bit_products_within_their_rounding_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantize, "import_module", lambda name: FakeTorchao(lambda weight: weight * 1.05))
    prove_quantised("int8", find_precision("int8", CPU), CPU, torch.float32)


@pytest.mark.parametrize(
    ("system", "capability", "scale"),
    [("linux", (9, 0), "row"), ("linux", (12, 0), "row"), ("linux", (8, 9), "tensor"), ("win32", (12, 0), "tensor")],
)
def test_fp8_has_a_scale_per_row_only_where_pytorch_is_built_with_it(
    system: str, capability: tuple[int, int], scale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = FakeTorchao(lambda weight: weight)
    monkeypatch.setattr(quantize, "import_module", lambda name: library)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    config = find_precision("fp8", CUDA).config
    assert config is not None
    config(CUDA)
    assert library.scales == [scale]


@pytest.mark.skipif(importlib.util.find_spec("torchao") is None, reason="torchao is optional: the extra 8bit")
def test_int8_blocks_give_nearly_the_same_result() -> None:
    torch.manual_seed(0)
    model = CausalWan(SMALL).eval()
    block = model.blocks[0].ffn
    x = torch.randn(3, SMALL.dim)
    plain = block(x)
    place_blocks(model, CPU, find_precision("int8", CPU))
    assert 0 < (block(x) - plain).abs().max() < 0.05 * plain.abs().max()
