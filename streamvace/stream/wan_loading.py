"""Loads the published pipelines' networks: checks the memory first, then loads straight to the device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch

from streamvace.model.checkpoint import load_module
from streamvace.model.lora import merge_lora, read_lora
from streamvace.model.memory_needed import Run, bytes_needed, bytes_of_passes, bytes_of_pictures
from streamvace.model.prompt_cache import PromptCache
from streamvace.model.quantize import Precision
from streamvace.model.stored import StoredTensors
from streamvace.model.umt5 import UMT5TextEncoder
from streamvace.model.wan_checkpoint import load_context, load_wan
from streamvace.models.check import CODECS, codec_names
from streamvace.models.manifest import models_folder, pipelines
from streamvace.stream.stream_state import Networks
from streamvace.system.errors import UserError


def load_wan_networks(
    run: Run,
    files: Mapping[str, Path],
    device: torch.device,
    beside: torch.device,
    precision: Precision,
    offload: str = "none",
) -> Networks:
    """The networks of a pipeline, its LoRA merged. Transformer and context branch may still be in main memory.

    files: by kind, from `models.manifest.installed`. device: of the transformer. beside: of everything else. precision:
    to which the blocks will be quantised, for the memory check. offload: `context` keeps the context branch in main
    memory, so it is not counted.
    Raises UserError with both figures when a device has too little free memory, and as the loaders do.
    """
    spec, dtype, host = run.spec, run.dtype, torch.device("cpu")
    waits = "context" if offload == "context" and beside.type != "cpu" else ""
    counted = {kind: each for kind, each in files.items() if kind != waits}
    for place, asked, what in asked_memory(run, counted, device, beside, precision):
        check_memory(place, asked, what)
    # 8-bit weights reach the device block by block, quantised on the way; see `model.placing`.
    arrival, context = (host, host) if precision.config is not None else (device, host if waits else beside)
    wan = load_wan(spec.size, files["transformer"], arrival, dtype)
    if "lora" in files:
        alpha = pipelines()[spec.name].needed()["lora"].alpha
        merge_lora(wan, read_lora(files["lora"], wan, alpha), device=device)
    return Networks(
        wan=wan,
        branch=load_context(spec.size, files["context"], context, dtype),
        codec=load_module(  # type: ignore[arg-type]  # the table's codecs are Autoencoders
            CODECS[run.codec], files["codec"], beside, dtype, codec_names
        ),
        text=UMT5TextEncoder(
            files["text"],
            files["tokenizer"],
            PromptCache(models_folder() / "prompts"),
            beside,
            torch.bfloat16,
            rest="cpu",
        ),
    )


def asked_memory(
    run: Run, files: Mapping[str, Path], device: torch.device, beside: torch.device, precision: Precision
) -> list[tuple[torch.device, int, str]]:
    """For each device: the bytes that the run takes of it, and what takes them. files: whose weights it holds."""
    what = f"{run.spec.name} at {run.size[0]}x{run.size[1]}"
    with_codec = f"with the codec {run.codec}"
    if run.controls:
        with_codec += f" and {run.controls / 1e9:.1f} GB for control networks"
    if beside == device:
        asked = bytes_needed(weight_bytes(files, run.dtype, precision), run)
        return [(device, asked, f"{what} {with_codec}")]
    wan = {kind: path for kind, path in files.items() if kind == "transformer"}
    rest = {kind: path for kind, path in files.items() if kind != "transformer"}
    passes, others = (weight_bytes(each, run.dtype, precision) for each in (wan, rest))
    return [
        (device, bytes_of_passes(passes, run), f"{what} without its context branch"),
        (beside, bytes_of_pictures(others, run), f"the context branch of {what} {with_codec}"),
    ]


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
