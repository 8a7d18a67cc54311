"""A pipeline's generator to measure: its installed weights, or random ones of their shape, made on the device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from streamvace.model.autoencoder.taehv import TAEHV
from streamvace.model.autoencoder.wan_vae import WanVAE
from streamvace.model.context import ContextBranch
from streamvace.model.quantize import find_precision, native_dtype
from streamvace.model.specs import PipelineSpec, WanSize, pipeline
from streamvace.model.transformer import CausalWan
from streamvace.models.manifest import installed
from streamvace.records.model_options import ModelOptions
from streamvace.stream.generator import Generator
from streamvace.stream.loading import load_generator, resolve_device
from streamvace.stream.stream_state import Networks
from streamvace.system.errors import UserError

RANDOM_CODECS: dict[str | None, type[nn.Module]] = {None: TAEHV, "taehv": TAEHV, "wan-vae": WanVAE}
"""By the id of `--codec`; None is the default of the pipelines."""

SPREAD = 0.02
"""Standard deviation of random weights: pictures are noise, but every number stays finite."""

LORA_RANK = 16


class RandomText:
    """Random embeddings instead of umT5, which runs only when a prompt changes."""

    def __init__(self, size: WanSize) -> None:
        self._shape = (size.text_len, size.text_dim)

    def at_hand(self, prompt: str) -> bool:
        """See TextEncoder."""
        return True

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """See TextEncoder."""
        return torch.randn(len(prompts), *self._shape, generator=torch.Generator().manual_seed(1))

    def unknown_words(self, prompt: str) -> list[str]:
        """See TextEncoder."""
        return []


def make_generator(name: str, size: tuple[int, int], options: ModelOptions) -> tuple[Generator, str]:
    """The generator, and which weights it has: `shipped`, `installed` or `random`."""
    if name == "embedded":
        return load_generator(name, size, options), "shipped"
    try:
        installed(name, options.codec)
    except UserError:
        return load_generator(name, size, options, random_networks(pipeline(name), options)), "random"
    return load_generator(name, size, options), "installed"


def random_networks(spec: PipelineSpec, options: ModelOptions) -> Networks:
    """Networks of the real shape with random weights, without a copy in main memory.

    Raises UserError for a codec that is not in RANDOM_CODECS.
    """
    place = resolve_device(options.device)
    dtype = find_precision(options.precision, place).dtype or native_dtype(place)
    if options.codec not in RANDOM_CODECS:
        known = ", ".join(name for name in RANDOM_CODECS if name)
        raise UserError(f"no random weights for codec {options.codec!r}; there are: {known}")
    with torch.device("meta"):
        wan, branch, codec = CausalWan(spec.size), ContextBranch(spec.size), RANDOM_CODECS[options.codec]()
    for module in (wan, branch, codec):
        fill(module, place, dtype)
    return Networks(wan=wan, branch=branch, codec=codec, text=RandomText(spec.size))  # type: ignore[arg-type]


def fill(module: nn.Module, place: torch.device, dtype: torch.dtype) -> None:
    """Move a network from `meta` to the device, with normal weights and biases, and gains of 1."""
    module.to(dtype).to_empty(device=place).eval().requires_grad_(False)
    draw = torch.Generator(place).manual_seed(0)
    for name, each in module.named_parameters():
        if (each.ndim == 1 and name.endswith("weight")) or "gamma" in name:
            each.fill_(1)
        else:
            each.normal_(0, SPREAD, generator=draw)
    for held in module.buffers():
        held.zero_()


def random_lora(spec: PipelineSpec, path: Path) -> Path:
    """Write a LoRA of rank LORA_RANK over all linear layers of the blocks."""
    with torch.device("meta"):
        wan = CausalWan(spec.size)
    draw = torch.Generator().manual_seed(0)
    tensors: dict[str, Tensor] = {}
    for name, layer in wan.named_modules():
        if isinstance(layer, nn.Linear) and name.startswith("blocks."):
            down = torch.randn(LORA_RANK, layer.in_features, generator=draw)
            up = torch.randn(layer.out_features, LORA_RANK, generator=draw)
            tensors |= {f"{name}.lora_A.weight": SPREAD * down.half(), f"{name}.lora_B.weight": SPREAD * up.half()}
    save_file(tensors, path)
    return path
