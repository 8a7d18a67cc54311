"""The networks of a pipeline on a fake card, at any size, without files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _disable_current_modes

from streamvace.model.autoencoder.taehv import TAEHV
from streamvace.model.autoencoder.tiny import TinyAE
from streamvace.model.autoencoder.wan_vae import LIGHT_WIDTH, WanVAE
from streamvace.model.context import ContextBranch
from streamvace.model.joined import join_projections
from streamvace.model.specs import PipelineSpec, WanSize
from streamvace.model.transformer import CausalWan
from streamvace.stream.generator import Generator
from streamvace.stream.stream_state import Networks
from tests.gpu_rehearsal.card import FakeCard

M = TypeVar("M", bound=nn.Module)

CODECS: dict[str, Callable[[], nn.Module]] = {
    "tae": TAEHV,
    "vae": WanVAE,
    "lightvae": lambda: WanVAE(LIGHT_WIDTH),
    "tiny": TinyAE,
}


def shallow(spec: PipelineSpec, main: int, context: int) -> PipelineSpec:
    """The pipeline with only its first `main` blocks and `context` blocks, and a window of at most six frames.

    Every block adds the same number of kernels, so two depths tell the number of any other.
    """
    size = replace(spec.size, num_layers=main, vace_layers=spec.size.vace_layers[:context])
    return replace(spec, size=size, cache=replace(spec.cache, window=min(spec.cache.window, 6)))


class NoText:
    """A text encoder that knows every prompt."""

    def __init__(self, size: WanSize) -> None:
        self._shape = (size.text_len, size.text_dim)

    def at_hand(self, prompt: str) -> bool:
        return True

    def encode(self, prompts: Sequence[str]) -> Tensor:
        return torch.zeros(len(prompts), *self._shape, dtype=torch.bfloat16)

    def unknown_words(self, prompt: str) -> list[str]:
        return []


def on_card(card: FakeCard, build: Callable[[], M], dtype: torch.dtype = torch.bfloat16) -> M:
    """A module with weights on the card."""
    return on_device(card.device, build, dtype)


def on_device(device: torch.device, build: Callable[[], M], dtype: torch.dtype) -> M:
    """A module with weights on a device, within a FakeCard."""
    with _disable_current_modes(), torch.device("meta"):
        module = build()
        shapes = {name: each.shape for name, each in module.state_dict().items()}
    state = {name: torch.empty(shape, device=device, dtype=dtype) for name, shape in shapes.items()}
    with _disable_current_modes():
        module.load_state_dict(state, assign=True)
    return module.eval().requires_grad_(False)


def networks_on(card: FakeCard, spec: PipelineSpec, codec: str, dtype: torch.dtype = torch.bfloat16) -> Networks:
    """codec: a key of CODECS."""
    wan = on_card(card, lambda: CausalWan(spec.size), dtype)
    branch = on_card(card, lambda: ContextBranch(spec.size), dtype)
    join_projections(wan, branch)
    return Networks(
        wan=wan,
        branch=branch,
        codec=on_card(card, CODECS[codec], dtype),  # type: ignore[arg-type]
        text=NoText(spec.size),
    )


def generator_on(
    card: FakeCard, spec: PipelineSpec, size: tuple[int, int], codec: str = "tae", dtype: torch.dtype = torch.bfloat16
) -> Generator:
    """A generator on the card, before its warm-up."""
    return Generator(spec, networks_on(card, spec, codec, dtype), size, card.device, dtype)
