"""Keeps a picture off the screen that the model lost: one colour, all black most often, from one chunk to the next.

The rule. A chunk is refused when all of this holds:
- every one of its frames is flat: no colour channel spans more than FLAT levels of 255;
- the frame on show before it was lively: a channel spanned LIVELY levels or more. A fade to black passes, since it
  gets there over frames; so does a show that was black already;
- nothing asked for it: the prompt is the one of the chunk before, there was no reset, and no picture that shapes the
  chunk (control, source, first and last frame) is flat itself in any of its frames;
- it is not the second try. The stream is reset after a refusal, and what a clean state makes of the same inputs is what
  they ask for: it is shown, black or not, and the guard is silent until a lively frame was shown again.

A dark picture with one lamp in it is not flat. What is not finite never gets here: the generator raises.
"""

from __future__ import annotations

import numpy as np

from streamvace.records.chunk import Chunk, ChunkInput, Pixels, PromptMix

FLAT = 12
"""Levels: what a decoder's own noise makes of a latent without content, and less than a star in a night sky."""

LIVELY = 48
"""Levels: well above FLAT, so that a picture on its way to black is neither."""

_SHAPING = ("control", "source", "second_control", "first_frame", "last_frame")


class ChunkGuard:
    """Judges the chunks of one stream, in order. Owned by the worker's one thread."""

    def __init__(self) -> None:
        self._prompt: str | PromptMix | None = None
        self._lively = False
        self._second_try = False

    def refusal(self, inputs: ChunkInput, chunk: Chunk) -> str:
        """Why this chunk must not be shown, on one line, or nothing. After a refusal the stream must be reset."""
        second_try, self._second_try = self._second_try, False
        on_probation = self._lively and not (second_try or inputs.reset) and inputs.prompt == self._prompt
        if on_probation and all(_span(frame) <= FLAT for frame in chunk.frames) and not _asked_for(inputs):
            self._second_try = True
            level = round(float(chunk.frames.mean()))
            return f"a flat picture (level {level} of 255) that neither prompt nor input asked for; made anew"
        self._prompt = inputs.prompt
        self._lively = _span(chunk.frames[-1]) >= LIVELY
        return ""


def _asked_for(inputs: ChunkInput) -> bool:
    """A picture that shapes the chunk is flat itself."""
    shaping = (getattr(inputs, name) for name in _SHAPING)
    pictures = (frames.reshape(-1, *frames.shape[-3:]) for frames in shaping if frames is not None)
    return any(_span(frame) <= FLAT for frames in pictures for frame in frames)


def _span(frame: Pixels) -> int:
    """Levels between the darkest and the brightest value of the channel that spans most; frame: `[H, W, 3]`."""
    # Rows first: that way it runs along memory, a millisecond for 832x480.
    high, low = frame.max(axis=0).max(axis=0), frame.min(axis=0).min(axis=0)
    return int(np.max(high.astype(np.int16) - low))
