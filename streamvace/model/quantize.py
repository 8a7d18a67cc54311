"""Numbers of fewer bits: what a `--precision` means, and 8-bit weights for the transformer's blocks (torchao).

Only the linear layers of main and context blocks are quantised: they hold 97 % of the weights, and the embeddings, the
head and the timestep path are what small errors show in first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import nn

from streamvace.system.errors import UserError


def _int8() -> Any:
    return import_module("torchao.quantization").Int8WeightOnlyConfig()


def _fp8() -> Any:
    library = import_module("torchao.quantization")
    return library.Float8DynamicActivationFloat8WeightConfig(granularity=library.PerRow())


@dataclass(frozen=True)
class Precision:
    """One row. dtype: of everything that is not quantised; None takes the device's own (`native_dtype`).

    config: makes torchao's configuration for the blocks. capability: least CUDA compute capability it needs.
    weight_bytes: bytes of one block weight, for memory estimates; None: the dtype's.
    """

    dtype: torch.dtype | None = None
    config: Callable[[], Any] | None = None
    capability: tuple[int, int] | None = None
    weight_bytes: int | None = None


PRECISIONS = {
    "auto": Precision(),
    "fp32": Precision(torch.float32),
    "bf16": Precision(torch.bfloat16),
    "fp16": Precision(torch.float16),
    "int8": Precision(config=_int8, weight_bytes=1),
    # Float8 matrix products exist from Ada (8.9) and Hopper (9.0) on.
    "fp8": Precision(config=_fp8, capability=(8, 9), weight_bytes=1),
}


def native_dtype(device: torch.device) -> torch.dtype:
    """bf16 on a GPU, as the pipelines were distilled; fp32 on a processor, which has no fast 16-bit matmul."""
    return torch.float32 if device.type == "cpu" else torch.bfloat16


def find_precision(name: str, device: torch.device) -> Precision:
    """The row called `name`. Raises UserError for an unknown one, or one this device cannot do."""
    if name not in PRECISIONS:
        raise UserError(f"unknown precision {name!r}; there are: {', '.join(PRECISIONS)}")
    row = PRECISIONS[name]
    if row.capability is not None:
        has = torch.cuda.get_device_capability(device) if device.type == "cuda" else (0, 0)
        if has < row.capability:
            needed, found = ("{}.{}".format(*each) for each in (row.capability, has))
            raise UserError(
                f"precision {name!r} needs a CUDA card of compute capability {needed}, {device} has {found}; try int8"
            )
    return row


def quantise_blocks(module: nn.Module, precision: Precision) -> None:
    """Quantise the linear layers of a CausalWan's or ContextBranch's blocks in place; nothing for plain dtypes.

    After LoRAs are merged: a quantised weight takes no more additions. Raises UserError without torchao.
    """
    if precision.config is None:
        return
    try:
        quantize_ = import_module("torchao.quantization").quantize_
    except ImportError:
        raise UserError("8-bit precision needs torchao: pip install torchao") from None
    quantize_(module, precision.config(), filter_fn=_is_block_linear)


def _is_block_linear(module: nn.Module, name: str) -> bool:
    return isinstance(module, nn.Linear) and name.startswith(("blocks.", "vace_blocks."))
