"""Loads the published pipelines' networks: checks the memory first, then loads straight to the device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch

from streamvace.model.checkpoint import load_module
from streamvace.model.lora import merge_lora, read_lora
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

WORKING_BYTES = {"taehv": 4960, "taehv-raw": 4960, "wan": 25400, "wan-light": 7100}
"""Working memory of a steady chunk with control in 16 bits, in bytes per pixel of the picture, by the codec's variant:
activations of the passes and of the codec, which run on two streams and share no memory, and the past frames that its
layers keep. Counted on tensors without values (tests/gpu_rehearsal). Inputs beside the control take more. The text
encoder stays in main memory and is not counted."""

ALLOCATOR_SHARE = 0.05
"""Gaps that PyTorch's allocator leaves, and the libraries' workspaces, as a share of all."""


def load_wan_networks(
    spec: PipelineSpec,
    files: Mapping[str, Path],
    size: tuple[int, int],
    device: torch.device,
    dtype: torch.dtype,
    precision: Precision,
    codec: str | None = None,
    offload: str = "none",
) -> Networks:
    """The networks of a pipeline, its LoRA merged.

    files: by kind, from `models.manifest.installed`. size: (width, height) in pixels. dtype: of the loaded weights.
    precision: to which the blocks will be quantised, for the memory check. codec: id of the autoencoder. offload:
    `context` keeps the context branch in main memory, so it is not counted.
    Raises UserError with both figures when the device has too little free memory, and as the loaders do.
    """
    waits = "context" if offload == "context" and device.type != "cpu" else ""
    counted = {kind: each for kind, each in files.items() if kind != waits}
    needed = pipelines()[spec.name].needed(codec)
    variant = needed["codec"].variant
    asked = bytes_needed(spec, counted, size, dtype, precision, variant)
    check_memory(device, asked, f"{spec.name} at {size[0]}x{size[1]} with the codec {variant}")
    wan = load_wan(spec.size, files["transformer"], device, dtype)
    if "lora" in files:
        merge_lora(wan, read_lora(files["lora"], wan, needed["lora"].alpha))
    return Networks(
        wan=wan,
        branch=load_context(spec.size, files["context"], torch.device("cpu") if waits else device, dtype),
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


def bytes_needed(
    spec: PipelineSpec,
    files: Mapping[str, Path],
    size: tuple[int, int],
    dtype: torch.dtype,
    precision: Precision,
    codec: str,
) -> int:
    """Bytes of device memory of a run: weights of `files` at their final precision, K/V cache and working memory.

    codec: the variant of the autoencoder, a key of WORKING_BYTES.
    """
    weights = 0
    for kind in {"transformer", "context", "codec"} & files.keys():
        with StoredTensors(files[kind]) as stored:
            for name, shape in stored.shapes.items():
                each = precision.weight_bytes if "blocks." in name and len(shape) == 2 else None
                weights += math.prod(shape) * (each or dtype.itemsize)
    tokens = (size[0] // 16) * (size[1] // 16)
    copies = 3 if spec.cache.positions == "window" else 2  # K, V, and rotated K where K is stored unrotated
    frames = spec.cache.window + spec.cache.bank
    cache = copies * spec.size.num_layers * frames * tokens * spec.size.dim * dtype.itemsize
    return int((weights + cache + working_bytes(spec, size, dtype, codec)) * (1 + ALLOCATOR_SHARE))


def working_bytes(spec: PipelineSpec, size: tuple[int, int], dtype: torch.dtype, codec: str) -> int:
    """Bytes that a chunk with control takes beside weights and K/V cache, with what the stream keeps of it."""
    blocks = len(spec.size.vace_layers)
    tokens = (size[0] // 16) * (size[1] // 16)
    text = 2 * (spec.size.num_layers + blocks) * spec.size.text_len
    hints = 2 * blocks * max(spec.chunk, spec.first_chunk) * tokens
    rows = (text + hints) * spec.size.dim * dtype.itemsize
    return rows + WORKING_BYTES[codec] * size[0] * size[1] * dtype.itemsize // 2


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
