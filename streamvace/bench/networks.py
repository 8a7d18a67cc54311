"""A pipeline's generator to measure: its installed weights, or random ones of their shape, made on the device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    precision = find_precision(options.precision, place)
    dtype = precision.dtype or native_dtype(place)
    if options.codec not in RANDOM_CODECS:
        known = ", ".join(name for name in RANDOM_CODECS if name)
        raise UserError(f"no random weights for codec {options.codec!r}; there are: {known}")
    with torch.device("meta"):
        wan, branch, codec = CausalWan(spec.size), ContextBranch(spec.size), RANDOM_CODECS[options.codec]()
    if place.type != "cpu" and precision.config is not None:
        wan.blocks = FilledOnArrival(wan.blocks, place, dtype)  # type: ignore[assignment]  # a ModuleList has no element type
        branch.vace_blocks = FilledOnArrival(branch.vace_blocks, place, dtype)  # type: ignore[assignment]  # as above
    for module in (wan, branch, codec):
        for part in module.children():
            if not isinstance(part, FilledOnArrival):
                fill(part, place, dtype)
    return Networks(wan=wan, branch=branch, codec=codec, text=RandomText(spec.size))  # type: ignore[arg-type]


class FilledOnArrival(nn.ModuleList):
    """Blocks without memory; each gets random weights on the device when an iteration first reaches it.

    So `place_blocks` quantises a block before the next one takes memory, as with weights from files. On a processor
    16-bit products are tried before that, and memory is no matter.
    """

    def __init__(self, blocks: Iterable[nn.Module], place: torch.device, dtype: torch.dtype) -> None:
        super().__init__(blocks)
        self._place, self._dtype = place, dtype

    def __iter__(self) -> Iterator[nn.Module]:
        for block in super().__iter__():
            if any(each.is_meta for each in block.parameters()):
                fill(block, self._place, self._dtype)
            yield block


def fill(module: nn.Module, place: torch.device, dtype: torch.dtype) -> None:
    """Put a network from `meta` on the device, with normal weights and biases, and gains of 1."""
    draw = torch.Generator(place).manual_seed(0)
    for owner in module.modules():
        for name, each in owner.named_parameters(recurse=False):
            made = torch.empty(each.shape, device=place, dtype=dtype)
            if (each.ndim == 1 and name == "weight") or name == "gamma":
                made.fill_(1)
            else:
                made.normal_(0, SPREAD, generator=draw)
            setattr(owner, name, nn.Parameter(made, requires_grad=False))
    module.eval()


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
