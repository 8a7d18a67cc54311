"""Refuses chunks in which the model lost the picture: from one chunk to the next, one flat colour, usually black.

A chunk is refused if all of this holds:
- every one of its frames is flat: no colour channel spans more than FLAT levels of 255;
- the frame shown before it was lively: a channel spanned LIVELY levels or more. So a gradual fade to black passes, and
  so does a show that is black already;
- nothing asked for it: the prompt is that of the chunk before, there was no reset, and no picture that shapes the chunk
  (control, source, first and last frame) is flat in any of its frames;
- it is not the second try. The stream is reset after a refusal. What a clean state makes of the same inputs is shown,
  flat or not, and nothing is refused until a lively frame was shown again.

A dark picture with one lamp in it is not flat. Values that are not finite never get here: the generator raises.
"""

from __future__ import annotations

import numpy as np

from streamvace.records.chunk import Chunk, ChunkInput, Pixels, PromptMix

FLAT = 12
"""Levels: the decoder's noise on an empty latent, and less than a star in a night sky."""

LIVELY = 48
"""Levels: well above FLAT, so that a picture fading to black is neither."""

_SHAPING = ("control", "source", "second_control", "first_frame", "last_frame")


class ChunkGuard:
    """Judges the chunks of one stream, in order. Owned by the worker's main thread."""

    def __init__(self) -> None:
        self._prompt: str | PromptMix | None = None
        self._lively = False
        self._second_try = False

    def refusal(self, inputs: ChunkInput, chunk: Chunk) -> str:
        """Why this chunk must not be shown, on one line; empty: show it. After a refusal the stream must be reset."""
        second_try, self._second_try = self._second_try, False
        on_probation = self._lively and not (second_try or inputs.begins) and inputs.prompt == self._prompt
        if on_probation and all(_span(frame) <= FLAT for frame in chunk.frames) and not _asked_for(inputs):
            self._second_try = True
            level = round(float(chunk.frames.mean()))
            return f"a flat picture (level {level} of 255) that neither prompt nor input asked for; the stream is reset"
        self._prompt = inputs.prompt
        self._lively = _span(chunk.frames[-1]) >= LIVELY
        return ""


def _asked_for(inputs: ChunkInput) -> bool:
    """Whether a picture that shapes the chunk is flat itself."""
    shaping = (getattr(inputs, name) for name in _SHAPING)
    pictures = (frames.reshape(-1, *frames.shape[-3:]) for frames in shaping if frames is not None)
    return any(_span(frame) <= FLAT for frames in pictures for frame in frames)


def _span(frame: Pixels) -> int:
    """The largest range of a channel, in levels 0..255; frame: uint8 `[H, W, 3]`."""
    # Rows first, along memory: 1 ms at 832x480.
    high, low = frame.max(axis=0).max(axis=0), frame.min(axis=0).min(axis=0)
    return int(np.max(high.astype(np.int16) - low))
