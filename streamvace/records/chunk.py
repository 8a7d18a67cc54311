"""Input and output of one step of a stream. Does not import torch: the stage process imports this too."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

MAX_REFERENCES = 8
"""References of one chunk. Each adds one latent frame to the context branch's attention."""

REFERENCE_MODES = ("auto", "joint", "memory", "paper")
"""How references reach the picture; see `ChunkInput.reference_mode`."""

CUTS = ("", "soft", "hard")
"""What a cut does to the history; see `ChunkInput.cut`."""

NOISE_RULES = ("hash", "sum")
"""How noise follows from the seed; see `ChunkInput.noise_rule`. The rows are in `model/noise.py`."""

Blend = Literal["linear", "slerp"]
BLENDS: tuple[Blend, ...] = get_args(Blend)


@dataclass(frozen=True)
class PromptMix:
    """Several prompts at once: their text embeddings are blended before the network's text projection.

    parts: (text, weight), at least one. Weights are finite, at least 0, one above 0; only their ratios count. A text
        may occur twice.
    blend: `linear` adds the embeddings and keeps their mean length; `slerp` rotates each token's vector from one prompt
        to the next along the sphere, in the order of the parts.
    Raises ValueError for invalid weights or an unknown blend.
    """

    parts: tuple[tuple[str, float], ...]
    blend: Blend = "linear"

    def __post_init__(self) -> None:
        if self.blend not in BLENDS:
            raise ValueError(f"blend {self.blend!r}; there are: {', '.join(BLENDS)}")
        weights = [weight for _, weight in self.parts]
        if not all(weight >= 0 for weight in weights) or not 0 < sum(weights) < math.inf:
            raise ValueError(f"prompt weights {weights}: all must be finite and at least 0, one above 0")

    @classmethod
    def of(cls, prompt: str | PromptMix) -> PromptMix:
        """The canonical form of a prompt: without parts of weight 0, equal texts merged, weights with the sum 1.

        Two prompts with the same form give the same embedding, so nothing is recomputed between them.
        """
        if isinstance(prompt, str):
            return cls(((prompt, 1.0),))
        total = sum(weight for _, weight in prompt.parts)
        shares: dict[str, float] = {}
        for text, weight in prompt.parts:
            if weight:
                shares[text] = shares.get(text, 0.0) + weight / total
        # For a single text the blend makes no difference.
        return cls(tuple(shares.items()), prompt.blend if len(shares) > 1 else "linear")

    @property
    def texts(self) -> tuple[str, ...]:
        """The parts' texts, in order."""
        return tuple(text for text, _ in self.parts)

    def distance(self, other: PromptMix) -> float:
        """Share of the weight that moved to other texts, 0..1. Both mixes must be canonical; see `of`."""
        ours, theirs = dict(self.parts), dict(other.parts)
        return sum(abs(ours.get(text, 0.0) - theirs.get(text, 0.0)) for text in ours | theirs) / 2


@dataclass(frozen=True)
class Trace:
    """The times of one chunk, in nanoseconds on the clock `now_ns` (one clock for both processes); 0: not reached.

    captured_ns: capture time of the control frame that each frame of the chunk follows, oldest first; empty without
        control.
    received_ns: arrival of the newest parameter change that this chunk is the first to show.
    sampled_ns: the director sampled parameters and control frames.
    started_ns, ended_ns, decoded_ns: the worker started the step, the networks finished, the frames were in memory.
    """

    captured_ns: tuple[int, ...] = ()
    received_ns: int = 0
    sampled_ns: int = 0
    started_ns: int = 0
    ended_ns: int = 0
    decoded_ns: int = 0


@dataclass(frozen=True)
class ChunkInput:
    """Everything that shapes one chunk, sampled at its start. F: frames of the chunk, H, W: the show's size.

    Pixels are sRGB, 0..255. Every array of F frames has F = `Generator.frames_wanted()`.

    Text and noise
        prompt: a text or a mix of texts; unknown words come back as a note.
        seed: the chunk's noise is drawn from it and the start frame, so the same inputs give the same frames.
        noise_rule: `hash`: seeds share no noise; `sum`: noise of `seed + start frame`, as in the original programs and
            in shows logged by earlier versions, where neighbouring seeds are one stream.
        denoise_steps: number of the pipeline's denoising steps to run, always including the first and the last; 0, or
            more than there are: all. Fewer are faster and coarser.

    Control
        control: uint8 `[F, H, W, 3]`, the control texture; None: no control.
        context_scale: 0..2, strength of the hints.
        scale_map: uint8 `[F, H, W]`, multiplied with context_scale per pixel, 128 = 1, 255 = 2; None: 1.
        block_scales: one factor 0..2 per context block, on top of context_scale; empty: all 1.
        second_control: uint8 `[F, H, W, 3]`, a second control texture whose hints are blended in; None: none. Without a
            first control it is blended with the hints of no control. Under a mask, kept pixels are those of `control`.
        second_weight: 0..1, the second control's share of the hints.
        hint_reuse: the hints are computed every N denoising steps; 1: every step.
        hint_threshold: 0..1; once the latents change by less than this between two steps (relative RMS), the hints are
            kept until the end of the chunk; 0: never. The first two steps always compute them.
        history_hints: whether the pass that writes finished frames to the cache also uses the hints.

    Mask and source
        mask: uint8 `[F, H, W]`, 255 = generate, 0 = keep the control's pixels; None: everything is generated. A mask
            without control regenerates its region of the stream's own last output.
        source: uint8 `[F, H, W, 3]`, video to repaint (video to video); None: start from pure noise.
        noise_scale: 0..1, how much of the source is repainted; None: more on still pictures, less on moving ones.

    Pictures
        references: uint8 `[N, H, W, 3]`, 1 <= N <= MAX_REFERENCES, pictures of what should appear, each fitted on white
            (`conditioning.references.fit_on_white`) and encoded alone; None: none. Their order has little effect.
        reference_mode: `joint` (the context branch sees [references | chunk], as VACE was trained), `memory` (the base
            attention sees them too), `auto` (`joint` if the branch was trained on references, else `memory`) or `paper`
            (as published in arXiv 2602.14381: they replace the chunk's first control latents).
        first_frame, last_frame: uint8 `[H, W, 3]`, the wanted first or last frame of the chunk, or None. With a mask
            they only fill the generated region. One chunk with it is a cue, every chunk a standing anchor.

    Model state
        lora_strength: 0..2, multiplied with the strength of each user LoRA.
        lora_region: `everywhere`, `mask` (the generated region) or `outside` of it; for `side` LoRAs only. Without a
            mask, everything is the generated region.
        past_bias: 0 < b <= 1, attention weight of past frames other than the stream's first (Krea Realtime); 1: as
            trained.
        reset: asked for by the performer: all state is cleared before this chunk.
        cut: one of CUTS: what the chunk follows was cut. `hard`: all state is cleared, too. `soft`: all that came
            before gets half of its attention until the window holds only what came after. Empty: no cut.

    Carried through
        generation, captured_ns, snapshot_version: copied to the Chunk. captured_ns: of the newest frame of the leading
            input; 0 without one.
        trace: the stage's part of the chunk's times; the worker adds its own and puts it into the Chunk.
    """

    prompt: str | PromptMix
    seed: int = 42
    noise_rule: str = "hash"
    context_scale: float = 1.0
    control: Pixels | None = None
    mask: Pixels | None = None
    source: Pixels | None = None
    references: Pixels | None = None
    reference_mode: str = "auto"
    first_frame: Pixels | None = None
    last_frame: Pixels | None = None
    scale_map: Pixels | None = None
    block_scales: tuple[float, ...] = ()
    second_control: Pixels | None = None
    second_weight: float = 0.5
    denoise_steps: int = 0
    hint_reuse: int = 1
    hint_threshold: float = 0.0
    history_hints: bool = False
    noise_scale: float | None = None
    lora_strength: float = 1.0
    lora_region: str = "everywhere"
    past_bias: float = 1.0
    cut: str = ""
    reset: bool = False
    generation: int = 0
    captured_ns: int = 0
    snapshot_version: int = 0
    trace: Trace = field(default=Trace())

    @property
    def begins(self) -> bool:
        """Whether all state is cleared before this chunk."""
        return self.reset or self.cut == "hard"


@dataclass(frozen=True)
class Chunk:
    """One chunk of finished frames and what shaped it.

    frames: uint8 `[F, H, W, 3]`, 0..255, sRGB.
    alpha: uint8 `[F, H, W]`, straight, 255 = opaque; None: opaque. Set by the stage, never by the worker.
    index: chunk number since the last reset, from 0.
    seed, generation, captured_ns, snapshot_version: copied from the ChunkInput.
    seconds: seconds spent per stage (`text`, `encode`, `context`, `denoise`, `cache`, `decode`) and in `total`.
    notes: one-line remarks for the user (an unknown word in the prompt, say).
    trace: the chunk's times.
    prompt: the one that was used: while a new one is being encoded, older than the ChunkInput's.
    precision: the value of `--precision` that computes the same: never `auto`; empty from a generator without one.
    """

    frames: Pixels
    index: int
    generation: int
    captured_ns: int
    snapshot_version: int
    seconds: dict[str, float]
    notes: tuple[str, ...] = field(default=())
    alpha: Pixels | None = None
    trace: Trace = field(default=Trace())
    seed: int = 0
    prompt: str | PromptMix | None = None
    precision: str = ""
