"""Scaled dot-product attention behind one function, and the choice of a faster kernel.

Some kernels produce noise on hardware they were not written for (SageAttention on Hopper). So a kernel is chosen by
compute capability, and only if it agrees with SDPA on keys like those of a trained network and leaves its input alone:
keys and values are views of the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import torch
import torch.nn.functional as F
from torch import Tensor

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import pip_command

Kernel = Callable[[Tensor, Tensor, Tensor], Tensor]

OUTLIERS, COMMON = 8.0, 3.0
"""Keys of trained networks have a mean that all tokens share, many times their spread in some channels (SageAttention,
section 4.2). The trial's keys have a mean of COMMON deviations, in every 32nd channel OUTLIERS times as much. Without
smoothing, 8-bit keys are off by 0.095 on it."""

HALVES = (torch.float16, torch.bfloat16)
"""The dtypes of the optional kernels."""


def sdpa(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """PyTorch's attention. q `[B, N, heads, D]`, k and v `[B, M, heads, D]` -> `[B, N, heads, D]`.

    mask: bool `[N, M]`, True = attend, or None.
    """
    out = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=mask)
    return out.transpose(1, 2)


BACKENDS = ("FLASH_ATTENTION", "CUDNN_ATTENTION", "EFFICIENT_ATTENTION", "MATH")
"""PyTorch's own kernels on CUDA, in the order in which they are tried: flash is the fastest in 16 bits, but some builds
for Windows lack it; cuDNN's needs Ampere; efficient takes every dtype and a mask; math writes all scores to memory."""


def sdpa_backend(device: torch.device, dtype: torch.dtype, head_dim: int) -> str:
    """The kernel that `sdpa` runs without a mask: `flash`, `cudnn`, `efficient` or `math`; empty without CUDA."""
    if device.type != "cuda":
        return ""
    q = torch.empty((1, 1, 64, head_dim), device=device, dtype=dtype)
    given = torch.backends.cuda.SDPAParams(q, q, q, None, 0.0, False, False)
    usable = {
        "flash": torch.backends.cuda.can_use_flash_attention,
        "cudnn": torch.backends.cuda.can_use_cudnn_attention,
        "efficient": torch.backends.cuda.can_use_efficient_attention,
    }
    return next((name for name, can_use in usable.items() if can_use(given)), "math")


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


def _sage2() -> Kernel:
    library = import_module("sageattention")
    if not hasattr(library, SAGE2_ONLY):
        raise ImportError("SageAttention 1")
    return lambda q, k, v: library.sageattn(q, k, v, tensor_layout="NHD")


def _sage1() -> Kernel:
    library = import_module("sageattention")
    if hasattr(library, SAGE2_ONLY):
        raise ImportError("SageAttention 2")
    return MeanFreeKeys(library.sageattn)


SAGE2_ONLY = "sageattn_qk_int8_pv_fp16_cuda"
"""A function that SageAttention 2 has and 1 has not; both are called `sageattention`."""


class MeanFreeKeys:
    """SageAttention 1 on a copy of the keys without their mean.

    Its own smoothing subtracts the mean in place (1.0.6: sageattention/core.py, `k -= km`), so every call would change
    the cache. The mean does not change the result: it adds the same to all scores of a query.
    """

    def __init__(self, sageattn: Callable[..., Tensor]) -> None:
        self._attend = sageattn
        self._copies: dict[tuple[torch.Size, torch.dtype, torch.device], Tensor] = {}

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        # One per shape, and none is ever freed: a captured pass writes to it.
        kind = (k.shape, k.dtype, k.device)
        if kind not in self._copies:
            self._copies[kind] = torch.empty(k.shape, dtype=k.dtype, device=k.device)
        keys = self._copies[kind]
        torch.sub(k, k.mean(dim=1, keepdim=True), out=keys)
        return self._attend(q, keys, v, tensor_layout="NHD", smooth_k=False)


@dataclass(frozen=True)
class KernelRow:
    """One optional kernel.

    capabilities: major CUDA compute capabilities on which it is known to be correct. package: pip's words for it.
    limit: largest mean absolute difference from SDPA on the trial, relative to its mean magnitude; twice what the
    kernel's published arithmetic gives there. Rounding to bf16 gives 0.0014.
    """

    name: str
    load: Callable[[], Kernel]
    capabilities: frozenset[int]
    package: str
    limit: float


FROM_SOURCE = "--no-build-isolation git+https://github.com/"
"""Kernels without wheels; their builds import the installed torch."""

# Fastest first.
KERNELS = (
    # Sage 2 is faster than flash on Ampere, Ada and consumer Blackwell (12) and gives noise on Hopper (9). 8-bit keys
    # and fp8 values: 0.039.
    KernelRow("sage", _sage2, frozenset({8, 12}), FROM_SOURCE + "thu-ml/SageAttention", 0.08),
    # Black pictures are reported for its Triton kernels on 12. 8-bit keys, fp16 values: 0.013.
    KernelRow("sage1", _sage1, frozenset({8}), "sageattention", 0.03),
    KernelRow("flash3", _flash3, frozenset({9}), FROM_SOURCE + "Dao-AILab/flash-attention#subdirectory=hopper", 0.01),
    KernelRow("flash2", _flash2, frozenset({8, 9, 10, 12}), "flash-attn", 0.01),
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
    """The kernel in use, its name, and the faster ones that were rejected as (name, reason).

    backend: with `sdpa`, PyTorch's kernel behind it; see `sdpa_backend`.
    """

    name: str
    kernel: Kernel
    rejected: tuple[tuple[str, str], ...] = ()
    backend: str = ""

    def __str__(self) -> str:
        """One line for the log."""
        behind = self.backend and f" ({self.backend})"
        return f"{self.name}{behind}{''.join(f'; {name} {why}' for name, why in self.rejected)}"


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
        return KernelChoice("sdpa", sdpa, backend=sdpa_backend(device, dtype, shape.head_dim))
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
    return KernelChoice("sdpa", sdpa, tuple(rejected), sdpa_backend(device, dtype, shape.head_dim))


def given_up(choice: KernelChoice, fault: str, device: torch.device, dtype: torch.dtype, head_dim: int) -> KernelChoice:
    """SDPA in place of a chosen kernel. fault: what is wrong with it."""
    rejected = (*choice.rejected, (choice.name, fault))
    return KernelChoice("sdpa", sdpa, rejected, sdpa_backend(device, dtype, head_dim))


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
        return None, f"is not installed: {pip_command(*row.package.split())}"
    try:
        fault = fault_of(kernel, device, dtype, shape, row.limit)
    except Exception as error:  # noqa: BLE001 - a build for other cards may raise anything; the user sees the reason
        return None, f"fails here ({' '.join(str(error).split())[:120] or type(error).__name__})"
    return (None, fault) if fault else (kernel, "")


def fault_of(kernel: Kernel, device: torch.device, dtype: torch.dtype, shape: AttentionShape, limit: float) -> str:
    """Why the kernel cannot be used here; empty if it agrees with SDPA within `limit` and does not change its input."""
    generator = torch.Generator(device).manual_seed(0)

    def normal(*sides: int) -> Tensor:
        return torch.randn(sides, generator=generator, device=device)

    heads = (shape.heads, shape.head_dim)
    mean = COMMON * normal(1, 1, *heads)
    mean[..., ::32] *= OUTLIERS
    q, k, v = normal(1, shape.queries, *heads), normal(1, shape.keys, *heads) + mean, normal(1, shape.keys, *heads)
    given = [each.to(dtype) for each in (q, k, v)]
    kept = [each.clone() for each in given]
    result = kernel(*given).float()
    if not all(torch.equal(each, before) for each, before in zip(given, kept, strict=True)):
        return "changes its input"
    truth = sdpa(*kept).float()
    difference = float((result - truth).abs().mean() / truth.abs().mean())
    return "" if difference < limit else f"differs from SDPA by {difference:.2g} on this device, more than {limit:g}"
