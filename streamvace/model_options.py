"""How a pipeline is put on this machine. No torch here: the stage process carries these to the worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelOptions:
    """Names as the user writes them; they are checked where they are used.

    device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`. threads: CPU threads, None leaves it to torch.
    precision: `auto` (bf16 on a GPU, fp32 on a processor), `fp32`, `bf16`, `fp16`, or 8-bit blocks: `int8`, `fp8`.
    attention: `auto`, `sdpa`, or the name of a kernel to insist on. codec: id of the autoencoder, None: the default.
    """

    device: str = "auto"
    threads: int | None = None
    precision: str = "auto"
    attention: str = "auto"
    codec: str | None = None
