"""Small random networks with the real structure, for tests above the numerics."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from streamvace.model.autoencoder.base import Autoencoder
from streamvace.model.autoencoder.taehv import TAEHV
from streamvace.model.autoencoder.tiny import TinyAE
from streamvace.model.autoencoder.wan_vae import WanVAE
from streamvace.model.context import ContextBranch
from streamvace.model.lora import Delta, Lora
from streamvace.model.specs import CacheRule, PipelineSpec, WanSize, pipeline
from streamvace.model.transformer import CausalWan
from streamvace.stream.generator import Generator
from streamvace.stream.stream_state import Networks

SMALL = WanSize(
    dim=24,
    ffn_dim=48,
    num_layers=2,
    num_heads=2,
    vace_layers=(0,),
    text_len=6,
    text_dim=8,
    freq_dim=16,
)
SMALL_TINY = replace(SMALL, in_dim=32, out_dim=32, vace_in_dim=128)
"""The embedded model's geometry: 32 latent channels, 16 pixels per latent."""


class WordLengths:
    """A text encoder that embeds the letters of a prompt. Words with a q are unknown to it."""

    def at_hand(self, prompt: str) -> bool:
        """See TextEncoder.at_hand."""
        return True

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """See TextEncoder.encode."""
        rows = torch.zeros(len(prompts), SMALL.text_len, SMALL.text_dim)
        for row, prompt in zip(rows, prompts, strict=True):
            for index, letter in enumerate(prompt.encode()[: SMALL.text_len * SMALL.text_dim]):
                row.view(-1)[index] = letter / 64 - 1.5
        return rows

    def unknown_words(self, prompt: str) -> list[str]:
        """See TextEncoder.unknown_words."""
        return [word for word in prompt.split() if "q" in word]


def encoder_threads() -> list[threading.Thread]:
    """The running threads of all prompt encoders."""
    return [thread for thread in threading.enumerate() if thread.name == "text encoder"]


class SlowEncoder(WordLengths):
    """Has no cached text. Every text waits until the test releases it, at most a minute."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.encoded: list[str] = []
        self._gates: dict[str, threading.Event] = defaultdict(threading.Event)
        self._done: dict[str, threading.Event] = defaultdict(threading.Event)
        self._begun: dict[str, threading.Event] = defaultdict(threading.Event)

    def at_hand(self, prompt: str) -> bool:
        return False

    def encode(self, prompts: Sequence[str]) -> Tensor:
        (prompt,) = prompts
        self.begun.append(prompt)
        self._begun[prompt].set()
        if not self._gates[prompt].wait(60):
            raise TimeoutError(f"{prompt!r} was not released")
        if "broken" in prompt:
            raise RuntimeError("no room:\n12.1 GB needed, 10.4 GB free")
        return super().encode(prompts)

    def unknown_words(self, prompt: str) -> list[str]:
        self.encoded.append(prompt)
        self._done[prompt].set()
        return super().unknown_words(prompt)

    def let(self, prompt: str) -> None:
        """Release a text, now or when it arrives."""
        self._gates[prompt].set()

    def wait_begun(self, prompt: str) -> None:
        """Wait until the encoder works on it."""
        assert self._begun[prompt].wait(60)

    def wait_for(self, prompt: str) -> None:
        """Wait until it is encoded and the encoder's thread has ended."""
        assert self._done[prompt].wait(60)
        self.join()

    def join(self) -> None:
        """Wait until no thread encodes."""
        for thread in encoder_threads():
            thread.join(60)
            assert not thread.is_alive()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Releases all texts at the end, so that no thread outlives its test."""
        try:
            yield
        finally:
            for thread in encoder_threads():
                while thread.is_alive():
                    for gate in list(self._gates.values()):
                        gate.set()
                    thread.join(0.01)


def small_spec(name: str = "longlive", **changes: object) -> PipelineSpec:
    """A pipeline of the table at test size: same rules, small network, small window."""
    fields: dict[str, object] = {"size": SMALL, "cache": CacheRule(window=6, sink=1), "steps": (1000, 500)}
    return replace(pipeline(name), **(fields | changes))  # type: ignore[arg-type]


def small_codec(name: str) -> Autoencoder:
    """`taehv`, `wan-vae` or `tiny`, with few channels and random weights."""
    if name == "wan-vae":
        return WanVAE(width=4).eval().requires_grad_(False)
    if name == "taehv":
        return TAEHV(encoder_width=8, decoder_widths=(16, 8, 8, 8)).eval().requires_grad_(False)
    codec = TinyAE((8, 8, 8)).eval().requires_grad_(False)
    codec.blocks.analysis.normal_(std=0.1)
    codec.blocks.synthesis.normal_(std=0.1)
    return codec


def small_generator(
    spec: PipelineSpec | None = None,
    size: tuple[int, int] = (32, 32),
    prompts: str = "wait",
    codec: str = "taehv",
) -> Generator:
    """A generator with seeded random weights. codec: see `small_codec`; `tiny` needs SMALL_TINY."""
    spec = spec or small_spec()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        networks = Networks(
            wan=CausalWan(spec.size).eval().requires_grad_(False),
            branch=ContextBranch(spec.size).eval().requires_grad_(False),
            codec=small_codec(codec),
            text=WordLengths(),
        )
    return Generator(spec, networks, size, torch.device("cpu"), torch.float32, prompts=prompts)


def small_lora(model: nn.Module, seed: int = 3, names: Sequence[str] | None = None, rank: int = 4) -> Lora:
    """A random LoRA on these linear layers of a model; None means all of them."""
    draw = torch.Generator().manual_seed(seed)
    deltas: dict[str, Delta] = {}
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Linear) and (names is None or name in names):
            down, up = (
                torch.randn(rank, layer.in_features, generator=draw),
                torch.randn(layer.out_features, rank, generator=draw),
            )
            deltas[f"{name}.weight"] = Delta(up * 0.1, down, 0.5)
    return Lora("small.safetensors", deltas)


def save_lora(lora: Lora, path: Path) -> Path:
    """Write a LoRA in PEFT's format, with its scale as alpha over rank."""
    tensors: dict[str, Tensor] = {}
    for name, delta in lora.deltas.items():
        assert delta.down is not None
        module = f"base_model.model.{name.removesuffix('.weight')}"
        tensors[f"{module}.lora_A.weight"], tensors[f"{module}.lora_B.weight"] = delta.down, delta.up
        tensors[f"{module}.alpha"] = torch.tensor(delta.scale * delta.down.shape[0])
    save_file(tensors, path)
    return path
