"""Loads the published pipelines' networks: checks the memory first, then loads straight to the device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch

from streamvace.model.checkpoint import load_module
from streamvace.model.lora import merge_lora, read_lora
from streamvace.model.memory_needed import bytes_needed
from streamvace.model.prompt_cache import PromptCache
from streamvace.model.quantize import Precision
from streamvace.model.specs import PipelineSpec
from streamvace.model.stored import StoredTensors
from streamvace.model.umt5 import UMT5TextEncoder
from streamvace.model.wan_checkpoint import load_context, load_wan
from streamvace.models.check import CODECS, codec_names
from streamvace.models.manifest import models_folder, pipelines
from streamvace.stream.stream_state import Networks
from streamvace.system.errors import UserError


def load_wan_networks(
    spec: PipelineSpec,
    files: Mapping[str, Path],
    size: tuple[int, int],
    device: torch.device,
    dtype: torch.dtype,
    precision: Precision,
    codec: str | None = None,
    offload: str = "none",
    captured: bool = False,
) -> Networks:
    """The networks of a pipeline, its LoRA merged. Transformer and context branch may still be in main memory.

    files: by kind, from `models.manifest.installed`. size: (width, height) in pixels. dtype: of the loaded weights.
    precision: to which the blocks will be quantised, for the memory check. codec: id of the autoencoder. offload:
    `context` keeps the context branch in main memory, so it is not counted. captured: see `memory_needed`.
    Raises UserError with both figures when the device has too little free memory, and as the loaders do.
    """
    waits = "context" if offload == "context" and device.type != "cpu" else ""
    # 8-bit weights reach the device block by block, quantised on the way; see `model.placing`.
    arrival = device if precision.config is None else torch.device("cpu")
    counted = {kind: each for kind, each in files.items() if kind != waits}
    needed = pipelines()[spec.name].needed(codec)
    variant = needed["codec"].variant
    asked = bytes_needed(weight_bytes(counted, dtype, precision), spec, size, dtype, variant, captured)
    check_memory(device, asked, f"{spec.name} at {size[0]}x{size[1]} with the codec {variant}")
    wan = load_wan(spec.size, files["transformer"], arrival, dtype)
    if "lora" in files:
        merge_lora(wan, read_lora(files["lora"], wan, needed["lora"].alpha), device=device)
    return Networks(
        wan=wan,
        branch=load_context(spec.size, files["context"], torch.device("cpu") if waits else arrival, dtype),
        codec=load_module(  # type: ignore[arg-type]  # the table's codecs are Autoencoders
            CODECS[variant], files["codec"], device, dtype, codec_names
        ),
        text=UMT5TextEncoder(
            files["text"],
            files["tokenizer"],
            PromptCache(models_folder() / "prompts"),
            device,
            torch.bfloat16,
            rest="cpu",
        ),
    )


def weight_bytes(files: Mapping[str, Path], dtype: torch.dtype, precision: Precision) -> int:
    """Bytes of the weights of `files` on the device, at their final precision."""
    weights = 0
    for kind in {"transformer", "context", "codec"} & files.keys():
        with StoredTensors(files[kind]) as stored:
            for name, shape in stored.shapes.items():
                each = precision.weight_bytes if "blocks." in name and len(shape) == 2 else None
                weights += math.prod(shape) * (each or dtype.itemsize)
    return weights


def check_memory(device: torch.device, needed: int, what: str) -> None:
    """Refuse early. Otherwise Windows silently spills into main memory and runs at a tenth of the speed."""
    if device.type != "cuda":
        return
    free, _ = torch.cuda.mem_get_info(device)
    if needed > free:
        raise UserError(
            f"{what} needs {needed / 1e9:.1f} GB, but {free / 1e9:.1f} GB are free on {device}; close other programs "
            "or choose a smaller --size or --precision int8"
        )
