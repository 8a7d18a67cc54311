"""The official pipelines' networks from a models folder: memory counted first, then loaded straight to the device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch

from streamvace.errors import UserError
from streamvace.model.checkpoint import load_module
from streamvace.model.lora import merge_lora, read_lora
from streamvace.model.prompt_cache import PromptCache
from streamvace.model.specs import PipelineSpec
from streamvace.model.stored import StoredTensors
from streamvace.model.umt5 import UMT5TextEncoder
from streamvace.model.wan_checkpoint import load_context, load_wan
from streamvace.models.check import CODECS, codec_names
from streamvace.models.manifest import models_folder, pipelines
from streamvace.stream_state import Networks

WORKING_SHARE = 0.15
"""Activations, attention workspace and the allocator's slack, as a share of weights and cache; the text encoder waits
in main memory and is not counted."""


def wan_dtype(device: torch.device) -> torch.dtype:
    """bf16 on a GPU, as the pipelines were distilled; fp32 on a processor, which has no fast 16-bit matmul."""
    return torch.float32 if device.type == "cpu" else torch.bfloat16


def load_wan_networks(
    spec: PipelineSpec,
    files: Mapping[str, Path],
    size: tuple[int, int],
    device: torch.device,
    codec: str | None = None,
) -> Networks:
    """The networks of a pipeline.

    files: by kind, from `models.manifest.installed`. size: (width, height) in pixels. codec: id of the autoencoder.
    Raises UserError when the device has too little free memory (both figures), and as the loaders do.
    """
    dtype = wan_dtype(device)
    check_memory(spec, files, size, device, dtype)
    needed = pipelines()[spec.name].needed(codec)
    wan = load_wan(spec.size, files["transformer"], device, dtype)
    if "lora" in files:
        merge_lora(wan, read_lora(files["lora"], wan, needed["lora"].alpha))
    return Networks(
        wan=wan,
        branch=load_context(spec.size, files["context"], device, dtype),
        codec=load_module(  # type: ignore[arg-type]  # the table's codecs are Autoencoders
            CODECS[needed["codec"].variant], files["codec"], device, dtype, codec_names
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


def bytes_needed(spec: PipelineSpec, files: Mapping[str, Path], size: tuple[int, int], dtype: torch.dtype) -> int:
    """Device memory of a run: weights as they will be held, the K/V cache, and a working share."""
    parameters = 0
    for kind in ("transformer", "context", "codec"):
        with StoredTensors(files[kind]) as stored:
            parameters += sum(math.prod(shape) for shape in stored.shapes.values())
    tokens = (size[0] // 16) * (size[1] // 16)
    copies = 3 if spec.cache.positions == "window" else 2  # K, V, and rotated K where K is stored unrotated
    frames = spec.cache.window + spec.cache.bank
    cache = copies * spec.size.num_layers * frames * tokens * spec.size.dim
    return int((parameters + cache) * dtype.itemsize * (1 + WORKING_SHARE))


def check_memory(
    spec: PipelineSpec, files: Mapping[str, Path], size: tuple[int, int], device: torch.device, dtype: torch.dtype
) -> None:
    """Refuse early. Windows would otherwise spill into main memory and run at a tenth of the speed without a word."""
    if device.type != "cuda":
        return
    needed = bytes_needed(spec, files, size, dtype)
    free, _ = torch.cuda.mem_get_info(device)
    if needed > free:
        raise UserError(
            f"{spec.name} at {size[0]}x{size[1]} needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free on {device}"
            "; close other programs or choose a smaller --size"
        )
