"""Scaled dot-product attention behind one function, and the check that a faster kernel agrees with it.

Kernels that round differently have shown noise on hardware they were not written for (SageAttention on Hopper), so a
kernel is never chosen by device name: it is chosen by compute capability and must equal SDPA on random input first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import torch
import torch.nn.functional as F
from torch import Tensor

Kernel = Callable[[Tensor, Tensor, Tensor], Tensor]

AGREEMENT = 0.05
"""Largest mean absolute difference from SDPA, relative to its mean magnitude; Sage's int8 K sits near 0.02, a broken
kernel above 0.5."""


def sdpa(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """PyTorch's attention. q `[B, N, heads, D]`, k and v `[B, M, heads, D]` -> `[B, N, heads, D]`.

    mask: bool `[N, M]`, True = attend, or None.
    """
    out = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=mask)
    return out.transpose(1, 2)


def _flash() -> Kernel:
    kernel: Kernel = import_module("flash_attn").flash_attn_func
    return kernel


def _sage() -> Kernel:
    sageattn = import_module("sageattention").sageattn
    return lambda q, k, v: sageattn(q, k, v, tensor_layout="NHD")


@dataclass(frozen=True)
class KernelRow:
    """One optional kernel. capabilities: CUDA compute capabilities (major) on which it is known to be right."""

    name: str
    load: Callable[[], Kernel]
    capabilities: frozenset[int]


KERNELS = (
    # Sage 2 is faster than flash on Ampere, Ada and consumer Blackwell (12) and wrong on Hopper (9).
    KernelRow("sage", _sage, frozenset({8, 12})),
    KernelRow("flash", _flash, frozenset({8, 9, 10, 12})),
)


def choose_kernel(device: torch.device, dtype: torch.dtype, head_dim: int) -> tuple[str, Kernel]:
    """The fastest kernel that is installed, meant for this device and agrees with SDPA; `sdpa` otherwise.

    Called once at start-up, never during a show.
    """
    if device.type != "cuda":
        return "sdpa", sdpa
    capability = torch.cuda.get_device_capability(device)[0]
    for row in KERNELS:
        if capability not in row.capabilities:
            continue
        try:
            kernel = row.load()
        except ImportError:
            continue
        if agrees_with_sdpa(kernel, device, dtype, head_dim):
            return row.name, kernel
    return "sdpa", sdpa


def agrees_with_sdpa(kernel: Kernel, device: torch.device, dtype: torch.dtype, head_dim: int) -> bool:
    """Whether the kernel equals SDPA on random input within AGREEMENT."""
    generator = torch.Generator(device).manual_seed(0)
    q, k, v = (
        torch.randn((1, tokens, 4, head_dim), generator=generator, device=device, dtype=dtype)
        for tokens in (192, 640, 640)
    )
    truth = sdpa(q, k, v).float()
    difference = (kernel(q, k, v).float() - truth).abs().mean() / truth.abs().mean()
    return bool(difference < AGREEMENT)
