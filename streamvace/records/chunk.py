"""What goes into and comes out of one step of a stream. No torch here: the stage process reads this too."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

MAX_REFERENCES = 8
"""References of one chunk. Each is one more frame of the context branch's attention, as long as the chunk's own."""

REFERENCE_MODES = ("auto", "joint", "memory", "paper")
"""How references reach the picture; see `ChunkInput.reference_mode`."""

Blend = Literal["linear", "slerp"]
BLENDS: tuple[Blend, ...] = get_args(Blend)


@dataclass(frozen=True)
class PromptMix:
    """Several prompts at once: their text embeddings are blended before the network's text projection sees them.

    parts: (text, weight), at least one; weights are finite and not negative, one above zero, and only their ratios
        count. The same text may come twice.
    blend: `linear` adds the embeddings and keeps their mean length; `slerp` turns each token's vector from one prompt
        to the next along the sphere, in the order of the parts.
    Raises ValueError for weights or a blend that mean nothing.
    """

    parts: tuple[tuple[str, float], ...]
    blend: Blend = "linear"

    def __post_init__(self) -> None:
        if self.blend not in BLENDS:
            raise ValueError(f"blend {self.blend!r}; there are: {', '.join(BLENDS)}")
        weights = [weight for _, weight in self.parts]
        if not all(weight >= 0 for weight in weights) or not 0 < sum(weights) < math.inf:
            raise ValueError(f"prompt weights {weights}: finite ones from 0 up, and one above 0")

    @classmethod
    def of(cls, prompt: str | PromptMix) -> PromptMix:
        """The one form of a prompt: parts of weight 0 left out, the same texts added up, weights with the sum 1.

        Two prompts of the same form are the same picture, so nothing is computed anew between them.
        """
        if isinstance(prompt, str):
            return cls(((prompt, 1.0),))
        total = sum(weight for _, weight in prompt.parts)
        shares: dict[str, float] = {}
        for text, weight in prompt.parts:
            if weight:
                shares[text] = shares.get(text, 0.0) + weight / total
        # One text alone is itself, however it is blended.
        return cls(tuple(shares.items()), prompt.blend if len(shares) > 1 else "linear")

    @property
    def texts(self) -> tuple[str, ...]:
        """The parts' texts, in order."""
        return tuple(text for text, _ in self.parts)

    def distance(self, other: PromptMix) -> float:
        """Share of the words that changed, 0..1: 0.1 when a tenth of the weight went to others. Both made by `of`."""
        ours, theirs = dict(self.parts), dict(other.parts)
        return sum(abs(ours.get(text, 0.0) - theirs.get(text, 0.0)) for text in ours | theirs) / 2


@dataclass(frozen=True)
class Trace:
    """When one chunk went where, in ns on the show's clock (`video.frame.now_ns`, one for both processes); 0: never.

    captured_ns: of the control frame that each picture of the chunk follows, oldest first; empty without control.
    received_ns: when the newest parameter change arrived that this chunk is the first to show.
    sampled_ns: the director took parameters and control frames.
    started_ns, ended_ns, decoded_ns: the worker began the step, its networks were through, its pictures lay in memory.
    """

    captured_ns: tuple[int, ...] = ()
    received_ns: int = 0
    sampled_ns: int = 0
    started_ns: int = 0
    ended_ns: int = 0
    decoded_ns: int = 0


@dataclass(frozen=True)
class ChunkInput:
    """Everything that shapes one chunk, sampled at the chunk's start.

    prompt: text, or a mix of texts; unknown words come back as a note.
    seed: base seed; the chunk's noise is drawn from `seed + start frame`, so the same inputs give the same frames.
    context_scale: 0..2, the strength of the hints.
    control: uint8 `[F, H, W, 3]` control texture, F = `Generator.frames_wanted()`, or None for no control.
    mask: uint8 `[F, H, W]`, 255 = generate, 0 = keep the control picture's pixels, or None for everything generated.
        A mask without control regenerates that region of the stream's own last output.
    source: uint8 `[F, H, W, 3]` video to repaint (video to video), or None: start from pure noise.
    references: uint8 `[N, H, W, 3]`, 1 <= N <= MAX_REFERENCES, pictures of what should appear, each fitted on white
        (`conditioning.references.fit_on_white`), or None. Their order matters little; each is encoded alone.
    reference_mode: `joint` (the context branch sees [references | chunk], as VACE was trained), `memory` (the base
        attention sees them as well), `auto` (`joint` where the branch learned references, else `memory`) or `paper`
        (as arXiv 2602.14381 published it: they take the place of the chunk's first control latents).
    first_frame, last_frame: uint8 `[H, W, 3]`, the picture that the chunk's first or last frame should be, or None.
        With a mask they only fill what the mask generates. One chunk is a cue, every chunk a standing anchor.
    scale_map: uint8 `[F, H, W]`, multiplied with context_scale place by place, 128 = 1, 255 = 2, or None: 1.
    block_scales: 0..2, one factor a context block on top of context_scale; empty: all 1.
    second_control: uint8 `[F, H, W, 3]`, another control texture whose hints are blended in, or None. Without a control
        beside it, it is blended with none. Under a mask the kept pixels stay those of `control`.
    second_weight: 0..1, the second control's share of the hints.
    denoise_steps: how many of the pipeline's denoising steps are done, the first and the last among them; 0, or more
        than it has: all. Fewer are faster and rougher.
    hint_reuse: the hints are made anew every so many denoising steps; 1: every step.
    hint_threshold: 0..1, once the picture changed less than this from one step to the next (RMS of its latents,
        relative) its hints are kept to the chunk's end; 0: never. The first two steps always make theirs.
    history_hints: the pass that writes finished frames to the history sees the hints too.
    noise_scale: 0..1, how much of the source is repainted; None: more when it is still, less when it moves.
    lora_strength: 0..2, multiplied with the strength of each of the user's LoRAs.
    lora_region: `everywhere`, `mask` (where the mask generates) or `outside` of it; `side` LoRAs only. Without a mask
        everything is generated.
    past_bias: 0 < b <= 1, attention weight of past frames other than the stream's first (Krea Realtime); 1: as trained.
    reset: hard cut: every state is cleared before this chunk.
    generation, captured_ns, snapshot_version: carried through to the Chunk untouched.
    trace: what the stage knows of the chunk's times; the worker adds its own and puts it into the Chunk.
    """

    prompt: str | PromptMix
    seed: int = 42
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
    reset: bool = False
    generation: int = 0
    captured_ns: int = 0
    snapshot_version: int = 0
    trace: Trace = field(default=Trace())


@dataclass(frozen=True)
class Chunk:
    """One chunk of finished frames and what shaped it.

    frames: uint8 `[F, H, W, 3]`, sRGB.
    alpha: uint8 `[F, H, W]`, straight, or None: opaque. The stage's to give; the worker leaves it alone.
    index: chunk number since the last reset.
    seed, generation, captured_ns, snapshot_version: the ChunkInput's own.
    seconds: time spent a stage (`text`, `encode`, `context`, `denoise`, `cache`, `decode`) and `total`.
    notes: one-line remarks for the user (an unknown word in the prompt, say).
    trace: when it went where.
    prompt: the one that ruled it: an older one than the ChunkInput's while a new one is being encoded.
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
