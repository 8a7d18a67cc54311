"""A fast kernel is used only where it is known to be right and proves it."""

from __future__ import annotations

import pytest
import torch

from streamvace.errors import UserError
from streamvace.model import attention
from streamvace.model.attention import AttentionShape, KernelRow, agrees_with_sdpa, choose_kernel, sdpa

CUDA = torch.device("cuda")
CPU = torch.device("cpu")
SHAPE = AttentionShape(queries=24, keys=96, heads=2, head_dim=16)


def test_a_kernel_that_rounds_a_little_agrees_and_a_noisy_one_does_not() -> None:
    assert agrees_with_sdpa(lambda q, k, v: sdpa(q, k, v) * 1.01, CPU, torch.float32, SHAPE)
    assert not agrees_with_sdpa(lambda q, k, v: torch.randn_like(sdpa(q, k, v)), CPU, torch.float32, SHAPE)
    assert not agrees_with_sdpa(lambda q, k, v: sdpa(q, k, v) * float("nan"), CPU, torch.float32, SHAPE)


def test_the_cpu_uses_sdpa() -> None:
    assert choose_kernel(CPU, torch.float32, SHAPE) == ("sdpa", sdpa)


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
    assert choose_kernel(CUDA, torch.bfloat16, SHAPE)[0] == chosen


def test_a_kernel_that_disagrees_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "KERNELS", (KernelRow("sage", lambda: sdpa, frozenset({8}), ""),))
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    monkeypatch.setattr(attention, "agrees_with_sdpa", lambda *_: False)
    assert choose_kernel(CUDA, torch.bfloat16, SHAPE)[0] == "sdpa"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("sage", r"'sage' is right on compute capability 8.x, 12.x, this device has 9.x"),
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
    assert choose_kernel(CUDA, torch.bfloat16, SHAPE, "sdpa") == ("sdpa", sdpa)
