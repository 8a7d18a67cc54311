"""Replays a streaming golden in closed loop: `Generator.step` on the golden's networks, text, contexts and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from streamvace.model.autoencoder.base import CodecState
from streamvace.model.cache import KVCache
from streamvace.model.noise import draw_noise
from streamvace.parity.networks import clean_latents, golden_network, golden_spec, placed
from streamvace.parity.report import LOOP_TOLERANCE, Report, Sidecar, Tensors
from streamvace.records.chunk import ChunkInput
from streamvace.stream.generator import Generator
from streamvace.stream.stream_state import Networks


class LinearCodec:
    """The recordings' substitute codec: one matrix each way, over means of 4 frames and 8x8 pixels.

    source: latents that replace the result of `encode`, or None.
    """

    latent_channels, temporal_stride, spatial_stride = 16, 4, 8

    def __init__(self, encoder: Tensor, decoder: Tensor) -> None:
        """encoder: `[16, 3]`. decoder: `[3, 16]`."""
        self._encoder, self._decoder = encoder, decoder
        self.source: Tensor | None = None

    def encode(self, pixels: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """See Autoencoder.encode."""
        if self.source is not None:
            return self.source, []
        if state is None:
            pixels = torch.cat((pixels[:, :, :1].expand(-1, -1, 3, -1, -1), pixels), dim=2)
        # In float32: this codec is no part of the comparison, and processors have no 16-bit pooling.
        means = F.avg_pool3d(pixels.float(), (4, 8, 8))
        return torch.einsum("zc,bcthw->bzthw", self._encoder.float(), means).to(pixels.dtype), []

    def blank_state(self, pixels: Tensor) -> CodecState:
        """See Autoencoder.blank_state."""
        return []

    def decode(self, latents: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """See Autoencoder.decode."""
        small = torch.einsum("cz,bzthw->bcthw", self._decoder, latents)
        pixels = small.repeat_interleave(4, 2).repeat_interleave(8, 3).repeat_interleave(8, 4)
        return pixels if state is not None else pixels[:, :, 3:], []


class RecordedText:
    """A text encoder that takes the names of recorded embeddings as prompts."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors

    def at_hand(self, prompt: str) -> bool:
        """See TextEncoder.at_hand."""
        return True

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """See TextEncoder.encode."""
        return torch.cat([self._tensors[prompt] for prompt in prompts])

    def unknown_words(self, prompt: str) -> list[str]:
        """See TextEncoder.unknown_words."""
        return []


class GoldenStream:
    """A generator with the networks of a golden; it gets the golden's inputs chunk by chunk."""

    def __init__(self, meta: Sidecar, tensors: Tensors) -> None:
        self._meta, self._tensors = meta, tensors
        self.wan, branch = golden_network(meta, tensors)
        place = placed(tensors)
        decoder = tensors.get("fakevae.dec", torch.eye(3, 16, device=place.device, dtype=place.dtype))
        self._codec = LinearCodec(tensors.get("fakevae.enc", decoder.T), decoder)
        networks = Networks(self.wan, branch, self._codec, RecordedText(tensors))
        self.generator = Generator(
            golden_spec(meta),
            networks,
            (meta["width"], meta["height"]),
            place.device,
            place.dtype,
            contexts=self._contexts,
        )
        self._context: str | None = None
        self._end = 0

    def step(self, chunk: dict[str, Any], calls: Sequence[dict[str, Any]]) -> None:
        """Generate one recorded chunk. chunk: its entry in the sidecar. calls: all of its passes."""
        generator, start = self.generator, chunk["start_frame"]
        first = next(call for call in calls if call["phase"] == "denoise")
        if start == 0 and any(e["event"] == "initialize_kv_cache" for call in calls for e in call["events_before"]):
            generator.reset()
        elif start != self._end:
            # In video to video, Reward Forcing's counter steps back by a frame after the first chunk.
            generator.state.position += start - self._end
        self._end = start + len(first["t"])
        self._context = first["vace_context"]
        size = (generator.frames_wanted(), self._meta["height"], self._meta["width"], 3)
        black, strength = np.zeros(size, np.uint8), first["t"][0]
        moved = strength < generator.spec.steps[0]
        if moved:
            # Video to video over pure noise: mixing noise with the same noise does not change it.
            shape = (1, 16, len(first["t"]), self._meta["height"] // 8, self._meta["width"] // 8)
            noise = draw_noise(shape, torch.Generator().manual_seed(chunk["rng_seed"]), torch.float32)
            self._codec.source = noise.to(generator.device, generator.dtype)
        generator.step(
            ChunkInput(
                first["context"],
                seed=chunk["rng_seed"] - start,
                noise_rule="sum",  # the recordings' own
                context_scale=first["vace_context_scale"],
                control=None if self._context is None else black,
                source=black if moved else None,
                noise_scale=(strength + generator.spec.source_step_offset) / 1000,
                past_bias=first["kv_cache_attention_bias"],
            )
        )

    def _contexts(self, *_: object) -> list[Tensor]:
        """The recorded context instead of one encoded from pictures."""
        assert self._context is not None
        return [self._tensors[self._context].unsqueeze(0)]


def close_loop(report: Report, meta: Sidecar, tensors: Tensors) -> KVCache:
    """Compare the input and the clean latents of every pass with the recorded ones.

    Returns the cache at the end of the stream.
    """
    stream = GoldenStream(meta, tensors)
    calls = groupby(meta["calls"], key=lambda call: call["chunk"])
    for chunk, (_, group) in zip(meta["chunks"], calls, strict=True):
        stream.step(chunk, list(group))
    count = torch.tensor(len(stream.wan.passes))
    report.compare("number of passes", count, torch.tensor(len(meta["calls"])), LOOP_TOLERANCE)
    for index, (call, (x, flow)) in enumerate(zip(meta["calls"], stream.wan.passes, strict=False)):
        key = f"call{index:03d}"
        if f"{key}.x" in tensors:
            report.compare("closed loop x", x, tensors[f"{key}.x"], LOOP_TOLERANCE)
        x0 = clean_latents(meta, call, flow, x).transpose(1, 2)
        report.compare("closed loop x0", x0, tensors[f"{key}.x0"], LOOP_TOLERANCE)
    report.calls = len(meta["calls"])
    return stream.generator.state.cache
