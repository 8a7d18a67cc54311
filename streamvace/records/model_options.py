"""How a pipeline is put on this machine. No torch here: the stage process carries these to the worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

LoraMode = Literal["auto", "merged", "side"]
OFFLOADS = ("none", "context")
PROMPT_MODES = ("wait", "beside")
COMPILES = ("off", "blocks")


@dataclass(frozen=True)
class LoraChoice:
    """One LoRA file of the user's.

    strength: its own, any finite number; the show's `lora_strength` is multiplied with it.
    mode: `merged` into the weights (free at run time, changes over a few chunks), a `side` path (costs a little,
        changes at once, can be limited to a region), or `auto`: merged, but `side` where the weights have 8 bits.
    """

    path: Path
    strength: float = 1.0
    mode: LoraMode = "auto"


LORA_MODES: tuple[LoraMode, ...] = get_args(LoraMode)


@dataclass(frozen=True)
class ModelOptions:
    """Names as the user writes them; they are checked where they are used.

    device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`. threads: CPU threads, None leaves it to torch.
    precision: `auto` (bf16 on a GPU, fp32 on a processor), `fp32`, `bf16`, `fp16`, or 8-bit blocks: `int8`, `fp8`.
    attention: `auto`, `sdpa`, or the name of a kernel to insist on. codec: id of the autoencoder, None: the default.
    loras: the user's own, added to the base network. offload: what waits in main memory while nothing needs it: `none`,
    or `context`, the context branch while there is no control. prompts: a new text is encoded while the step waits
    (`wait`: the same inputs give the same frames) or `beside` it, and the old prompt stays until then.
    compile: `off`, or `blocks`: the transformer's blocks through torch.compile, a longer start for faster chunks.
    """

    device: str = "auto"
    threads: int | None = None
    precision: str = "auto"
    attention: str = "auto"
    codec: str | None = None
    loras: tuple[LoraChoice, ...] = ()
    offload: str = "none"
    prompts: str = "wait"
    compile: str = "off"
