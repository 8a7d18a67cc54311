"""A fast kernel is used only where it is known to be right and proves it."""

from __future__ import annotations

import pytest
import torch

from streamvace.model import attention
from streamvace.model.attention import KernelRow, agrees_with_sdpa, choose_kernel, sdpa

CUDA = torch.device("cuda")
CPU = torch.device("cpu")


def test_a_kernel_that_rounds_a_little_agrees_and_a_noisy_one_does_not() -> None:
    assert agrees_with_sdpa(lambda q, k, v: sdpa(q, k, v) * 1.01, CPU, torch.float32, 16)
    assert not agrees_with_sdpa(lambda q, k, v: torch.randn_like(sdpa(q, k, v)), CPU, torch.float32, 16)
    assert not agrees_with_sdpa(lambda q, k, v: sdpa(q, k, v) * float("nan"), CPU, torch.float32, 16)


def test_the_cpu_uses_sdpa() -> None:
    assert choose_kernel(CPU, torch.float32, 64) == ("sdpa", sdpa)


@pytest.mark.parametrize(
    ("capability", "installed", "chosen"),
    [
        ((9, 0), ("sage", "flash"), "flash"),  # Hopper: SageAttention gives noise there
        ((8, 9), ("sage", "flash"), "sage"),
        ((12, 0), ("flash",), "flash"),
        ((7, 5), ("sage", "flash"), "sdpa"),
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
        KernelRow(row.name, lambda name=row.name: load(name), row.capabilities)  # type: ignore[misc]
        for row in attention.KERNELS
    )
    monkeypatch.setattr(attention, "KERNELS", rows)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(attention, "agrees_with_sdpa", lambda *_: True)
    assert choose_kernel(CUDA, torch.bfloat16, 128)[0] == chosen


def test_a_kernel_that_disagrees_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "KERNELS", (KernelRow("sage", lambda: sdpa, frozenset({8})),))
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    monkeypatch.setattr(attention, "agrees_with_sdpa", lambda *_: False)
    assert choose_kernel(CUDA, torch.bfloat16, 128)[0] == "sdpa"
