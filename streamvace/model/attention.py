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

from streamvace.system.errors import UserError

Kernel = Callable[[Tensor, Tensor, Tensor], Tensor]

AGREEMENT = 0.05
"""Largest mean absolute difference from SDPA, relative to its mean magnitude; Sage's int8 K sits near 0.02, a broken
kernel above 0.5."""


HALVES = (torch.float16, torch.bfloat16)
"""What the optional kernels compute in."""


def sdpa(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """PyTorch's attention. q `[B, N, heads, D]`, k and v `[B, M, heads, D]` -> `[B, N, heads, D]`.

    mask: bool `[N, M]`, True = attend, or None.
    """
    out = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=mask)
    return out.transpose(1, 2)


def _flash2() -> Kernel:
    kernel: Kernel = import_module("flash_attn").flash_attn_func
    return kernel


def _flash3() -> Kernel:
    attend = import_module("flash_attn_interface").flash_attn_func

    def kernel(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        out = attend(q, k, v)
        first: Tensor = out[0] if isinstance(out, tuple) else out  # some builds also return the softmax statistics
        return first

    return kernel


def _sage() -> Kernel:
    sageattn = import_module("sageattention").sageattn
    return lambda q, k, v: sageattn(q, k, v, tensor_layout="NHD")


@dataclass(frozen=True)
class KernelRow:
    """One optional kernel, fastest first in the table.

    capabilities: CUDA compute capabilities (major) on which it is known to be right. package: what to install.
    """

    name: str
    load: Callable[[], Kernel]
    capabilities: frozenset[int]
    package: str


KERNELS = (
    # Sage 2 is faster than flash on Ampere, Ada and consumer Blackwell (12) and gives noise on Hopper (9).
    KernelRow("sage", _sage, frozenset({8, 12}), "sageattention"),
    KernelRow("flash3", _flash3, frozenset({9}), "flash_attn_interface (FlashAttention 3, from source)"),
    KernelRow("flash2", _flash2, frozenset({8, 9, 10, 12}), "flash-attn"),
)


@dataclass(frozen=True)
class AttentionShape:
    """The steady shape a kernel will meet: query and key tokens, heads, channels a head."""

    queries: int
    keys: int
    heads: int
    head_dim: int


@dataclass(frozen=True)
class KernelChoice:
    """The kernel in use, its name, and why faster ones are not: (name, reason)."""

    name: str
    kernel: Kernel
    rejected: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.name}{''.join(f'; {name} {why}' for name, why in self.rejected)}"


def choose_kernel(
    device: torch.device, dtype: torch.dtype, shape: AttentionShape, wanted: str = "auto"
) -> KernelChoice:
    """The kernel to use. Called once at start-up, never during a show.

    wanted: `auto` takes the fastest that is installed, meant for this device and agrees with SDPA on `shape`, and SDPA
    otherwise; a name insists on that one. Raises UserError when a kernel that was insisted on cannot be had.
    """
    names = [row.name for row in KERNELS]
    if wanted not in ("auto", "sdpa", *names):
        raise UserError(f"unknown attention {wanted!r}; there are: auto, sdpa, {', '.join(names)}")
    # Off CUDA there is nothing to choose from, and nothing that anybody could mend.
    if wanted == "sdpa" or (wanted == "auto" and device.type != "cuda"):
        return KernelChoice("sdpa", sdpa)
    capability = torch.cuda.get_device_capability(device)[0] if device.type == "cuda" else 0
    rejected: list[tuple[str, str]] = []
    for row in KERNELS:
        if wanted not in ("auto", row.name):
            continue
        kernel, why = _try(row, capability, device, dtype, shape)
        if kernel is not None:
            return KernelChoice(row.name, kernel, tuple(rejected))
        if wanted == row.name:
            raise UserError(f"attention {wanted!r} {why}; --attention auto picks one that works")
        rejected.append((row.name, why))
    return KernelChoice("sdpa", sdpa, tuple(rejected))


def _try(
    row: KernelRow, capability: int, device: torch.device, dtype: torch.dtype, shape: AttentionShape
) -> tuple[Kernel | None, str]:
    """The row's kernel, or None and why not."""
    if capability not in row.capabilities:
        known = ", ".join(f"{major}.x" for major in sorted(row.capabilities))
        return None, f"is right on compute capability {known}, this device has {capability}.x"
    if dtype not in HALVES:
        return None, f"computes in fp16 and bf16, not in {str(dtype).removeprefix('torch.')}"
    try:
        kernel = row.load()
    except ImportError:
        return None, f"is not installed: pip install {row.package}"
    try:
        agrees = agrees_with_sdpa(kernel, device, dtype, shape)
    except Exception as error:  # noqa: BLE001 - a build for other cards raises anything; the reason is shown to the user
        return None, f"fails here ({' '.join(str(error).split())[:120] or type(error).__name__})"
    return (kernel, "") if agrees else (None, "disagrees with SDPA on this device")


def agrees_with_sdpa(kernel: Kernel, device: torch.device, dtype: torch.dtype, shape: AttentionShape) -> bool:
    """Whether the kernel equals SDPA on random input of the shape within AGREEMENT."""
    generator = torch.Generator(device).manual_seed(0)
    q, k, v = (
        torch.randn((1, tokens, shape.heads, shape.head_dim), generator=generator, device=device, dtype=dtype)
        for tokens in (shape.queries, shape.keys, shape.keys)
    )
    truth = sdpa(q, k, v).float()
    difference = (kernel(q, k, v).float() - truth).abs().mean() / truth.abs().mean()
    return bool(difference < AGREEMENT)
