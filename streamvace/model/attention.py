"""Scaled dot-product attention behind one function, and the choice of a faster kernel.

Some kernels produce noise on hardware they were not written for (SageAttention on Hopper). So a kernel is chosen by
compute capability, and only if it agrees with SDPA on random input.
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
"""Largest mean absolute difference from SDPA, relative to its mean magnitude. Sage's int8 keys give about 0.02, a
broken kernel more than 0.5."""

HALVES = (torch.float16, torch.bfloat16)
"""The dtypes of the optional kernels."""


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
    """One optional kernel.

    capabilities: major CUDA compute capabilities on which it is known to be correct. package: what to install.
    """

    name: str
    load: Callable[[], Kernel]
    capabilities: frozenset[int]
    package: str


# Fastest first.
KERNELS = (
    # Sage 2 is faster than flash on Ampere, Ada and consumer Blackwell (12) and gives noise on Hopper (9).
    KernelRow("sage", _sage, frozenset({8, 12}), "sageattention"),
    KernelRow("flash3", _flash3, frozenset({9}), "flash_attn_interface (FlashAttention 3, from source)"),
    KernelRow("flash2", _flash2, frozenset({8, 9, 10, 12}), "flash-attn"),
)


@dataclass(frozen=True)
class AttentionShape:
    """The steady shape of a stream: query and key tokens, heads, channels per head."""

    queries: int
    keys: int
    heads: int
    head_dim: int


@dataclass(frozen=True)
class KernelChoice:
    """The kernel in use, its name, and the faster ones that were rejected as (name, reason)."""

    name: str
    kernel: Kernel
    rejected: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """One line for the log."""
        return f"{self.name}{''.join(f'; {name} {why}' for name, why in self.rejected)}"


def choose_kernel(
    device: torch.device, dtype: torch.dtype, shape: AttentionShape, wanted: str = "auto"
) -> KernelChoice:
    """The kernel to use. Called once at start-up, never during a show.

    wanted: `auto` takes the fastest kernel that is installed, supports this device and agrees with SDPA on `shape`,
    else SDPA; a name requires that kernel. Raises UserError if the required kernel is unknown or cannot be used.
    """
    names = [row.name for row in KERNELS]
    if wanted not in ("auto", "sdpa", *names):
        raise UserError(f"unknown attention {wanted!r}; there are: auto, sdpa, {', '.join(names)}")
    # Without CUDA there is no choice, and no reason worth reporting.
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
        return None, f"supports compute capability {known}, this device has {capability}.x"
    if dtype not in HALVES:
        return None, f"computes in fp16 and bf16, not in {str(dtype).removeprefix('torch.')}"
    try:
        kernel = row.load()
    except ImportError:
        return None, f"is not installed: pip install {row.package}"
    try:
        agrees = agrees_with_sdpa(kernel, device, dtype, shape)
    except Exception as error:  # noqa: BLE001 - a build for other cards may raise anything; the user sees the reason
        return None, f"fails here ({' '.join(str(error).split())[:120] or type(error).__name__})"
    return (kernel, "") if agrees else (None, "disagrees with SDPA on this device")


def agrees_with_sdpa(kernel: Kernel, device: torch.device, dtype: torch.dtype, shape: AttentionShape) -> bool:
    """Whether the kernel agrees with SDPA within AGREEMENT on random input of this shape."""
    generator = torch.Generator(device).manual_seed(0)
    q, k, v = (
        torch.randn((1, tokens, shape.heads, shape.head_dim), generator=generator, device=device, dtype=dtype)
        for tokens in (shape.queries, shape.keys, shape.keys)
    )
    truth = sdpa(q, k, v).float()
    difference = (kernel(q, k, v).float() - truth).abs().mean() / truth.abs().mean()
    return bool(difference < AGREEMENT)
