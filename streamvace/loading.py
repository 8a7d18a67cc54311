"""From a pipeline's name to a Generator with its weights."""

from __future__ import annotations

from pathlib import Path

import torch

from streamvace.errors import UserError
from streamvace.generator import Generator
from streamvace.model.checkpoint import load_module
from streamvace.model.context import ContextBranch
from streamvace.model.specs import PipelineSpec, pipeline
from streamvace.model.transformer import CausalWan
from streamvace.stream_state import Networks

EMBEDDED_WEIGHTS = Path(__file__).parent / "embedded" / "weights"


def resolve_device(name: str) -> torch.device:
    """`auto`, `cpu`, `cuda`, `cuda:1`, `mps` -> a device. Raises UserError when this torch cannot use it."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"unknown device {name!r}; use auto, cpu, cuda or cuda:N") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError(
            f"device {name!r}, but this torch ({torch.__version__}) sees no CUDA card; see `streamvace doctor`"
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"device {name!r}, but there are {torch.cuda.device_count()} CUDA cards (cuda:0 is the first)")
    return device


def load_generator(
    name: str, size: tuple[int, int] | None = None, device: str = "cpu", threads: int | None = None
) -> Generator:
    """A ready generator. Raises UserError for an unknown pipeline, size or device, or unreadable weights."""
    spec = pipeline(name)
    place = resolve_device(device)
    size = size or spec.default_size
    if threads is not None:
        torch.set_num_threads(threads)
    if name == "embedded":
        return Generator(spec, load_embedded(spec, EMBEDDED_WEIGHTS, place), size, place, torch.float32)
    from streamvace.models.manifest import installed
    from streamvace.wan_loading import load_wan_networks, wan_dtype

    return Generator(spec, load_wan_networks(spec, installed(name), size, place), size, place, wan_dtype(place))


def load_embedded(spec: PipelineSpec, folder: Path, device: torch.device) -> Networks:
    """The embedded model's networks from a folder of weights, in fp32 (its CPU target has no fast 16-bit matmul)."""
    from streamvace.embedded.text import TextEncoder
    from streamvace.model.autoencoder.tiny import TinyAE

    return Networks(
        wan=load_module(lambda: CausalWan(spec.size), folder / "transformer.safetensors", device),
        branch=load_module(lambda: ContextBranch(spec.size), folder / "context.safetensors", device),
        codec=load_module(TinyAE, folder / "codec.safetensors", device),
        text=load_module(TextEncoder, folder / "text.safetensors", device),
    )
