"""The values of `--precision`, and 8-bit weights for the transformer's blocks (torchao).

Only the linear layers of main and context blocks are quantised. They hold 97 % of the weights, and errors in the
embeddings, the head and the timestep path are most visible.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import nn

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command

PER_ROW = (9, 0)
"""The least compute capability with float8 products of one scale per row in every build of PyTorch for Linux. The
Windows builds have none, and of those for Linux not all have them for Ada (8.9)."""

TRIAL_ERROR = 0.1
"""Largest relative error (root mean square) of the trial of an 8-bit product: 0.037 is right for float8 rows, 0.01 for
int8 weights."""


def per_row(device: torch.device) -> bool:
    """Whether float8 scales go by row here; otherwise one scale serves a whole matrix, which is a little less exact."""
    return sys.platform != "win32" and torch.cuda.get_device_capability(device) >= PER_ROW


def _int8(device: torch.device) -> Any:
    return import_module("torchao.quantization").Int8WeightOnlyConfig()


def _fp8(device: torch.device) -> Any:
    library = import_module("torchao.quantization")
    scales = library.PerRow() if per_row(device) else library.PerTensor()
    return library.Float8DynamicActivationFloat8WeightConfig(granularity=scales)


@dataclass(frozen=True)
class Precision:
    """One value of `--precision`.

    dtype: of everything that is not quantised; None: `native_dtype`. config: creates torchao's configuration for blocks
    on a device. capability: the least CUDA compute capability. weight_bytes: bytes per block weight, for memory
    estimates; None: the dtype's.
    """

    dtype: torch.dtype | None = None
    config: Callable[[torch.device], Any] | None = None
    capability: tuple[int, int] | None = None
    weight_bytes: int | None = None


PRECISIONS = {
    "auto": Precision(),
    "fp32": Precision(torch.float32),
    "bf16": Precision(torch.bfloat16),
    "fp16": Precision(torch.float16),
    "int8": Precision(config=_int8, weight_bytes=1),
    # Float8 matrix products need Ada (8.9), Hopper (9.0) or newer.
    "fp8": Precision(config=_fp8, capability=(8, 9), weight_bytes=1),
}


def dtype_name(dtype: torch.dtype) -> str:
    """The value of `--precision` that asks for this dtype; torch's own name for any other."""
    names = {row.dtype: name for name, row in PRECISIONS.items() if row.dtype is not None}
    return names.get(dtype, str(dtype).removeprefix("torch."))


BF16_INSTRUCTIONS = ("amx_bf16", "avx512_bf16")
"""Processor instructions that multiply bf16 faster than fp32, as `torch.cpu.get_capabilities` names them.

Time of a chunk of the embedded model in bf16, as a share of fp32's, on two cores beside busy programs
(benchmarks/precision.py): 0.54 with AMX, 0.67 with AVX512-BF16 alone, 1.9 without either. Arm's bf16 instructions are
not measured, so Arm stays with fp32.
"""


def native_dtype(device: torch.device) -> torch.dtype:
    """bf16 on a GPU, as in the pipelines' distillation, and on a processor with fast bf16 products; fp32 on others."""
    if device.type != "cpu":
        return torch.bfloat16
    # A torch before 2.10 cannot tell: fp32.
    has: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return torch.bfloat16 if any(has.get(name) for name in BF16_INSTRUCTIONS) else torch.float32


def find_precision(name: str, device: torch.device) -> Precision:
    """The precision called `name`. Raises UserError if it is unknown or this device does not support it."""
    if name not in PRECISIONS:
        raise UserError(f"unknown precision {name!r}; there are: {', '.join(PRECISIONS)}")
    row = PRECISIONS[name]
    if row.config is not None and device.type == "mps":
        raise UserError(f"precision {name!r}: torchao has no 8-bit products for Apple's GPU (mps); use bf16")
    if row.capability is not None:
        has = torch.cuda.get_device_capability(device) if device.type == "cuda" else (0, 0)
        if has < row.capability:
            needed, found = ("{}.{}".format(*each) for each in (row.capability, has))
            raise UserError(
                f"precision {name!r} needs a CUDA card of compute capability {needed}, {device} has {found}; try int8"
            )
    return row


def quantise_linears(block: nn.Module, precision: Precision, device: torch.device) -> None:
    """Quantise the linear layers of a block on `device`, in place; plain dtypes change nothing."""
    if precision.config is not None:
        import_module("torchao.quantization").quantize_(block, precision.config(device), filter_fn=_is_linear)


@torch.inference_mode()
def prove_quantised(name: str, precision: Precision, device: torch.device, dtype: torch.dtype) -> None:
    """Compare one 8-bit linear layer with the plain one, before anything is loaded; plain dtypes need no proof.

    Raises UserError with the reason if torchao is missing, has no kernel for this device, or computes wrong.
    """
    if precision.config is None:
        return
    source = torch.Generator().manual_seed(0)
    layer = nn.Sequential(nn.Linear(256, 512, device=device, dtype=dtype)).requires_grad_(False)
    rows = torch.randn(64, 256, generator=source).to(device, dtype)
    plain = layer(rows).float()
    try:
        library = import_module("torchao.quantization")
        library.quantize_(layer, precision.config(device))
        error = float((layer(rows).float() - plain).norm() / plain.norm())
    except ImportError as missing:
        raise UserError(f"precision {name!r} needs torchao ({missing}): {install_command('8bit')}") from None
    except Exception as failure:
        reason = " ".join(str(failure).split())[:160] or type(failure).__name__
        raise UserError(f"precision {name!r} does not work on {device} ({reason}); use {_instead(name)}") from failure
    if not error < TRIAL_ERROR:
        raise UserError(
            f"precision {name!r} is off by {error:.2g} on {device}, more than {TRIAL_ERROR:g}; use {_instead(name)}"
        )


def _instead(name: str) -> str:
    return "int8 or bf16" if name == "fp8" else "bf16"


def _is_linear(module: nn.Module, name: str) -> bool:
    return isinstance(module, nn.Linear)
