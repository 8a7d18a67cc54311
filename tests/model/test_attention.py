"""A fast kernel is used only where it is known to be right and proves it."""

from __future__ import annotations

import sys

import pytest
import torch

from streamvace.model import attention
from streamvace.model.attention import AttentionShape, KernelChoice, KernelRow, agrees_with_sdpa, choose_kernel, sdpa
from streamvace.system.errors import UserError

CUDA = torch.device("cuda")
CPU = torch.device("cpu")
SHAPE = AttentionShape(queries=24, keys=96, heads=2, head_dim=16)


def test_a_kernel_that_rounds_a_little_agrees_and_a_noisy_one_does_not() -> None:
    assert agrees_with_sdpa(lambda q, k, v: sdpa(q, k, v) * 1.01, CPU, torch.float32, SHAPE)
    assert not agrees_with_sdpa(lambda q, k, v: torch.randn_like(sdpa(q, k, v)), CPU, torch.float32, SHAPE)
    assert not agrees_with_sdpa(lambda q, k, v: sdpa(q, k, v) * float("nan"), CPU, torch.float32, SHAPE)


def test_every_query_sees_the_keys_that_its_row_of_the_mask_allows() -> None:
    q, k, v = torch.randn(3, 1, 4, 2, 8, generator=torch.Generator().manual_seed(0)).unbind(0)
    mask = torch.tensor([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]]).bool()
    scores = torch.einsum("bnhd,bmhd->bhnm", q, k) / 8**0.5
    weights = scores.masked_fill(~mask, float("-inf")).softmax(-1)
    torch.testing.assert_close(sdpa(q, k, v, mask), torch.einsum("bhnm,bmhd->bnhd", weights, v))
    torch.testing.assert_close(sdpa(q, k, v), torch.einsum("bhnm,bmhd->bnhd", scores.softmax(-1), v))


def test_the_cpu_uses_sdpa() -> None:
    assert choose_kernel(CPU, torch.float32, SHAPE) == KernelChoice("sdpa", sdpa)


@pytest.mark.parametrize(
    ("capability", "installed", "chosen"),
    [
        ((9, 0), ("sage", "flash2"), "flash2"),  # Hopper: SageAttention gives noise there
        ((9, 0), ("sage", "flash2", "flash3"), "flash3"),
        ((8, 9), ("sage", "flash2"), "sage"),
        ((12, 0), ("flash2",), "flash2"),
        ((7, 5), ("sage", "flash2"), "sdpa"),
        ((8, 0), (), "sdpa"),
    ],
)
def test_the_kernel_follows_the_compute_capability(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], installed: tuple[str, ...], chosen: str
) -> None:
    def load(name: str) -> attention.Kernel:
        if name not in installed:
            raise ImportError(name)
        return sdpa

    rows = tuple(
        KernelRow(row.name, lambda name=row.name: load(name), row.capabilities, "")  # type: ignore[misc]
        for row in attention.KERNELS
    )
    monkeypatch.setattr(attention, "KERNELS", rows)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(attention, "agrees_with_sdpa", lambda *_: True)
    assert choose_kernel(CUDA, torch.bfloat16, SHAPE).name == chosen


def test_a_kernel_that_disagrees_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "KERNELS", (KernelRow("sage", lambda: sdpa, frozenset({8}), ""),))
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    monkeypatch.setattr(attention, "agrees_with_sdpa", lambda *_: False)
    assert choose_kernel(CUDA, torch.bfloat16, SHAPE).name == "sdpa"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("sage", r"'sage' supports compute capability 8.x, 12.x, this device has 9.x"),
        ("flash3", r"'flash3' is not installed: pip install flash_attn_interface"),
        ("flesh", r"unknown attention 'flesh'; there are: auto, sdpa, sage, flash3, flash2"),
    ],
)
def test_a_kernel_that_was_insisted_on_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, wanted: str, message: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    with pytest.raises(UserError, match=message):
        choose_kernel(CUDA, torch.bfloat16, SHAPE, wanted)


def test_sdpa_can_be_insisted_on_everywhere() -> None:
    assert choose_kernel(CUDA, torch.bfloat16, SHAPE, "sdpa") == KernelChoice("sdpa", sdpa)


def test_rejected_faster_kernels_are_reported_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> attention.Kernel:
        raise ImportError

    def broken(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("CUDA error: no kernel image\nis available")

    rows = (
        KernelRow("hopper", lambda: sdpa, frozenset({9}), ""),
        KernelRow("absent", absent, frozenset({8}), "absent-attention"),
        KernelRow("broken", lambda: broken, frozenset({8}), ""),
        KernelRow("good", lambda: sdpa, frozenset({8}), ""),
        KernelRow("slower", absent, frozenset({8}), ""),
    )
    monkeypatch.setattr(attention, "KERNELS", rows)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 6))
    monkeypatch.setattr(
        attention, "agrees_with_sdpa", lambda kernel, *_: agrees_with_sdpa(kernel, CPU, torch.bfloat16, SHAPE)
    )
    chosen = choose_kernel(CUDA, torch.bfloat16, SHAPE)
    assert str(chosen) == (
        "good; hopper supports compute capability 9.x, this device has 8.x; "
        "absent is not installed: pip install absent-attention; "
        "broken fails here (CUDA error: no kernel image is available)"
    )
    with pytest.raises(UserError, match="'broken' fails here"):
        choose_kernel(CUDA, torch.bfloat16, SHAPE, "broken")
    assert dict(choose_kernel(CUDA, torch.float32, SHAPE).rejected)["good"] == (
        "computes in fp16 and bf16, not in float32"
    )


class StrictLibrary:
    """A kernel's library with the published signature and nothing else."""

    def sageattn(  # SageAttention 2.2: sageattention/core.py
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, tensor_layout: str = "HND", is_causal: bool = False
    ) -> torch.Tensor:
        assert tensor_layout == "NHD"
        assert not is_causal
        return sdpa(q, k, v)

    def flash_attn_func(  # FlashAttention 2.8: flash_attn/flash_attn_interface.py
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, dropout_p: float = 0.0, causal: bool = False
    ) -> torch.Tensor:
        assert not dropout_p
        assert not causal
        return sdpa(q, k, v)


class OldFlash3(StrictLibrary):
    """FlashAttention 3 before September 2025 always returned the softmax statistics as well."""

    def flash_attn_func(self, *given: torch.Tensor, **named: object) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]
        out = super().flash_attn_func(*given)
        return out, out.new_zeros(1)


@pytest.mark.parametrize(
    ("name", "module", "library"),
    [
        ("sage", "sageattention", StrictLibrary()),
        ("flash2", "flash_attn", StrictLibrary()),
        ("flash3", "flash_attn_interface", StrictLibrary()),
        ("flash3", "flash_attn_interface", OldFlash3()),
    ],
)
def test_each_library_is_called_as_it_was_published(
    monkeypatch: pytest.MonkeyPatch, name: str, module: str, library: StrictLibrary
) -> None:
    monkeypatch.setitem(sys.modules, module, library)  # type: ignore[arg-type]
    (row,) = (row for row in attention.KERNELS if row.name == name)
    assert agrees_with_sdpa(row.load(), CPU, torch.bfloat16, SHAPE)
