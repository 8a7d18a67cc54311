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


@dataclass(frozen=True)
class Run:
    """What decides the memory that a run takes beside its weights.

    size: (width, height) in pixels. codec: a key of CODEC_BYTES. captured: passes become CUDA graphs, whose pool gives
    nothing back. processes: of a group, one card each, which divide heads and tokens. controls: bytes that another
    process takes of the card of the pictures, for the networks of a show's controls.
    """

    spec: PipelineSpec
    size: tuple[int, int]
    dtype: torch.dtype
    codec: str
    captured: bool = False
    processes: int = 1
    controls: int = 0


def bytes_needed(weights: float, run: Run) -> int:
    """Bytes of device memory of a run, of each card of a group. The text encoder rests in main memory and is not
    counted. weights: their bytes at the final precision."""
    taken = weights + _kept_by_passes(run) + _kept_by_pictures(run)
    largest = _pass(run, _longest(run.spec)) + 2 * _hints(run)
    taken += max(largest, _again(run))
    if _captures(run):
        taken += largest
    return _with_gaps(taken) + run.controls


def bytes_of_passes(weights: float, run: Run) -> int:
    """Bytes of the card of the base network, when a second card has everything else. weights: of that network."""
    largest = _pass(run, max(run.spec.chunk, run.spec.first_chunk))
    taken = weights + _kept_by_passes(run) + _hints(run) + max(largest, _again(run))
    if _captures(run):
        taken += largest
    return _with_gaps(taken)


def bytes_of_pictures(weights: float, run: Run) -> int:
    """Bytes of the second card. weights: of context branch and autoencoder."""
    return _with_gaps(weights + _kept_by_pictures(run) + _pass(run, _longest(run.spec))) + run.controls


def cache_bytes(run: Run) -> int:
    """Bytes of the K/V cache: of this process's heads."""
    spec = run.spec
    copies = 3 if spec.cache.positions == "window" else 2  # K, V, and rotated K where K is stored unrotated
    rows = copies * spec.size.num_layers * (spec.cache.window + spec.cache.bank) * _tokens(run)
    return rows * spec.size.dim * run.dtype.itemsize // run.processes


def _kept_by_passes(run: Run) -> int:
    """The K/V cache, the base network's K and V of the prompt, and those of a reference."""
    layers = run.spec.size.num_layers
    of_text = 2 * layers * run.spec.size.text_len
    of_reference = 3 * layers * _tokens(run) // run.processes  # K, rotated K, and V
    return cache_bytes(run) + (of_text + of_reference) * run.spec.size.dim * run.dtype.itemsize


def _kept_by_pictures(run: Run) -> int:
    """The context branch's K and V of the prompt, both controls with the reference, embedded, and hints; and what the
    autoencoder takes on a CUDA stream of its own, whose memory is not there for the networks."""
    spec = run.spec
    rows = 2 * len(spec.size.vace_layers) * spec.size.text_len + 2 * _longest(spec) * _tokens(run)
    codec = CODEC_BYTES[run.codec].many if spec.chunk > 1 else CODEC_BYTES[run.codec].one
    taken = rows * spec.size.dim + codec * run.size[0] * run.size[1] // 2
    return taken * run.dtype.itemsize + _hints(run)


def _hints(run: Run) -> int:
    """The hints of a pass."""
    spec = run.spec
    return len(spec.size.vace_layers) * spec.chunk * _tokens(run) * spec.size.dim * run.dtype.itemsize


def _pass(run: Run, frames: int) -> int:
    """A block's activations in a pass over this many latent frames."""
    return frames * (10 * run.spec.size.dim + 2 * run.spec.size.ffn_dim) * _tokens(run) * run.dtype.itemsize


def _again(run: Run) -> int:
    """A prompt switch may recompute the whole window in one pass."""
    return _pass(run, run.spec.cache.window) if run.spec.on_prompt_switch == "recache" else 0


def _captures(run: Run) -> bool:
    """An adaptive sink's passes are never captured."""
    return run.captured and run.spec.cache.sink_refresh is None


def _with_gaps(taken: float) -> int:
    return int(taken * (1 + ALLOCATOR_SHARE))


def _longest(spec: PipelineSpec) -> int:
    """Latent frames of the longest pass: a chunk with its reference, or the stream's first chunk."""
    return max(spec.chunk + 1, spec.first_chunk)


def _tokens(run: Run) -> int:
    """Tokens of a latent frame."""
    return (run.size[0] // CELL) * (run.size[1] // CELL)
