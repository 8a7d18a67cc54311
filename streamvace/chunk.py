"""What goes into and comes out of one step of a stream. No torch here: the stage process reads this too."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class ChunkInput:
    """Everything that shapes one chunk, sampled at the chunk's start.

    prompt: text; unknown words come back as a note.
    seed: base seed; the chunk's noise is drawn from `seed + start frame`, so the same inputs give the same frames.
    context_scale: 0..2, the strength of the hints.
    control: uint8 `[F, H, W, 3]` control texture, F = `Generator.frames_wanted()`, or None for no control.
    mask: uint8 `[F, H, W]`, 255 = generate, 0 = keep the control picture's pixels, or None for everything generated.
        A mask without control regenerates that region of the stream's own last output.
    source: uint8 `[F, H, W, 3]` video to repaint (video to video), or None: start from pure noise.
    noise_scale: 0..1, how much of the source is repainted; None: more when it is still, less when it moves.
    lora_strength: 0..2, multiplied with the strength of each of the user's LoRAs.
    lora_region: `everywhere`, `mask` (where the mask generates) or `outside` of it; `side` LoRAs only. Without a mask
        everything is generated.
    reset: hard cut: every state is cleared before this chunk.
    generation, captured_ns, snapshot_version: carried through to the Chunk untouched.
    """

    prompt: str
    seed: int = 42
    context_scale: float = 1.0
    control: Pixels | None = None
    mask: Pixels | None = None
    source: Pixels | None = None
    noise_scale: float | None = None
    lora_strength: float = 1.0
    lora_region: str = "everywhere"
    reset: bool = False
    generation: int = 0
    captured_ns: int = 0
    snapshot_version: int = 0


@dataclass(frozen=True)
class Chunk:
    """One chunk of finished frames and what shaped it.

    frames: uint8 `[F, H, W, 3]`, sRGB.
    index: chunk number since the last reset.
    generation, captured_ns, snapshot_version: the ChunkInput's own.
    seconds: time spent a stage (`text`, `encode`, `context`, `denoise`, `cache`, `decode`) and `total`.
    notes: one-line remarks for the user (an unknown word in the prompt, say).
    """

    frames: Pixels
    index: int
    generation: int
    captured_ns: int
    snapshot_version: int
    seconds: dict[str, float]
    notes: tuple[str, ...] = field(default=())
