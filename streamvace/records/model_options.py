"""How a pipeline runs on this machine. Does not import torch: the stage process sends these to the worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

LoraMode = Literal["auto", "merged", "side"]
OFFLOADS = ("none", "context")
PROMPT_MODES = ("wait", "beside")
COMPILES = ("off", "blocks", "step")
CUDA_GRAPHS = ("auto", "off")


@dataclass(frozen=True)
class LoraChoice:
    """One LoRA file of the user.

    strength: any finite number, multiplied with the show's `lora_strength`.
    mode: `merged` into the weights (no cost at run time, a change takes a few chunks), a `side` path (small cost,
        changes immediately, can be limited to a region), or `auto`: merged, but `side` with 8-bit weights.
    """

    path: Path
    strength: float = 1.0
    mode: LoraMode = "auto"


LORA_MODES: tuple[LoraMode, ...] = get_args(LoraMode)


@dataclass(frozen=True)
class ModelOptions:
    """Names as the user writes them; each is checked where it is used.

    device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`, or several with commas between, which share every pass. threads:
        CPU threads; None: chosen by the pipeline. context_device: of context branch, autoencoder and text encoder;
        None: `device`.
    precision: `auto` (bf16 on a GPU and on a CPU with fast bf16 products, fp32 on others), `fp32`, `bf16`, `fp16`, or
        8-bit blocks: `int8`, `fp8`.
    attention: `auto`, `sdpa`, or the name of a required kernel. codec: id of the autoencoder; None: the default.
    loras: added to the base network.
    offload: what is kept in main memory while unused: `none`, or `context`, the context branch while there is no
        control.
    prompts: `wait`: the step waits until a new text is encoded (the same inputs give the same frames); `beside`: the
        text is encoded in parallel and the old prompt stays until then.
    compile: `off`; `blocks`: torch.compile for the transformer's blocks, a longer start, faster chunks; or `step`: each
        kind of pass as one graph, a start of minutes.
    latency: `normal`: chunks as the pipeline was trained; `low`: the shortest ones, where the pipeline has them. It
        follows the parameter `/streamvace/latency`.
    for_controls: bytes of a card that the networks of a show's controls can take, in the process of the stage.
    cuda_graphs: `auto`: passes of a steady stream are captured in the warm-up, on CUDA; or `off`.
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
    cuda_graphs: str = "auto"
    latency: str = "normal"
    context_device: str | None = None
    for_controls: int = 0

    @property
    def first_device(self) -> str:
        """The device where pictures are encoded and decoded."""
        return self.context_device or self.device.split(",")[0]
