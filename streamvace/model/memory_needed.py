"""How much memory of a card a run takes, known before anything is loaded.

Counted on tensors without values while every chunk of the warm-up runs (tests/gpu_rehearsal); the formulas follow those
counts within 5 %. What a show can need beside the warm-up comes on top: more than one reference, side LoRAs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from streamvace.model.specs import PipelineSpec

CELL = 16
"""Pixels of a token's side: eight per latent, two latents per token."""

ALLOCATOR_SHARE = 0.05
"""Gaps that PyTorch's allocator leaves, and the libraries' workspaces, as a share of all."""


@dataclass(frozen=True)
class CodecBytes:
    """Bytes per pixel of the picture, in 16 bits, that an autoencoder takes at the height of a chunk.

    Past frames that its layers keep, in the streams of control, source and decoder, and the activations of the largest
    layer. many: chunks of three latent frames. one: chunks of one, where the stream's first two are the
    most at once.
    """

    many: int
    one: int


CODEC_BYTES = {
    "taehv": CodecBytes(4250, 2760),
    "taehv-raw": CodecBytes(4250, 2760),
    "wan": CodecBytes(27350, 22520),
    "wan-light": CodecBytes(6960, 5680),
}
"""By the variant of the autoencoder."""


def bytes_needed(
    weights: float, spec: PipelineSpec, size: tuple[int, int], dtype: torch.dtype, codec: str, captured: bool
) -> int:
    """Bytes of device memory of a run. The text encoder rests in main memory and is not counted.

    weights: their bytes at the final precision. size: (width, height) in pixels. codec: a key of CODEC_BYTES. captured:
    passes become CUDA graphs, whose pool gives nothing back.
    """
    taken = weights + cache_bytes(spec, size, dtype) + working_bytes(spec, size, dtype, codec)
    if captured and spec.cache.sink_refresh is None:  # an adaptive sink's passes are never captured
        taken += pass_bytes(spec, size, dtype)
    return int(taken * (1 + ALLOCATOR_SHARE))


def cache_bytes(spec: PipelineSpec, size: tuple[int, int], dtype: torch.dtype) -> int:
    """Bytes of the K/V cache."""
    copies = 3 if spec.cache.positions == "window" else 2  # K, V, and rotated K where K is stored unrotated
    frames = spec.cache.window + spec.cache.bank
    return copies * spec.size.num_layers * frames * _tokens(size) * spec.size.dim * dtype.itemsize


def working_bytes(spec: PipelineSpec, size: tuple[int, int], dtype: torch.dtype, codec: str) -> int:
    """Bytes that the warm-up takes beside weights and K/V cache, with what the stream keeps of it.

    Networks and autoencoder run on two CUDA streams, and what one has freed is not there for the other: both count.
    """
    layers, blocks, tokens = spec.size.num_layers, len(spec.size.vace_layers), _tokens(size)
    rows = 2 * (layers + blocks) * spec.size.text_len  # the prompt's K and V
    rows += 3 * layers * tokens  # a reference's K, rotated K, and V
    rows += 2 * _longest(spec) * tokens  # both controls with the reference, embedded
    rows += blocks * spec.chunk * tokens  # hints
    codec_bytes = CODEC_BYTES[codec].many if spec.chunk > 1 else CODEC_BYTES[codec].one
    kept = (rows * spec.size.dim + codec_bytes * size[0] * size[1] // 2) * dtype.itemsize
    # A prompt switch may recompute the whole window in one pass.
    again = _activations(spec, spec.cache.window) * tokens * dtype.itemsize if spec.on_prompt_switch == "recache" else 0
    return kept + max(pass_bytes(spec, size, dtype), again)


def pass_bytes(spec: PipelineSpec, size: tuple[int, int], dtype: torch.dtype) -> int:
    """Bytes of the largest pass of a chunk: a block's activations with a reference, and the hints of both controls."""
    hints = 2 * len(spec.size.vace_layers) * spec.chunk * spec.size.dim
    return (_activations(spec, _longest(spec)) + hints) * _tokens(size) * dtype.itemsize


def _longest(spec: PipelineSpec) -> int:
    """Latent frames of the longest pass: a chunk with its reference, or the stream's first chunk."""
    return max(spec.chunk + 1, spec.first_chunk)


def _activations(spec: PipelineSpec, frames: int) -> int:
    """Numbers that a block holds at once, for each token of a latent frame."""
    return frames * (10 * spec.size.dim + 2 * spec.size.ffn_dim)


def _tokens(size: tuple[int, int]) -> int:
    """Tokens of a latent frame."""
    return (size[0] // CELL) * (size[1] // CELL)
