"""Pictures in and out of a stream, beside the passes of its networks: encoding and decoding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from streamvace.conditioning.context import ContextState
from streamvace.conditioning.pixels import Canvas, packed, to_pixels, unpacked
from streamvace.model.autoencoder.base import Autoencoder
from streamvace.model.autoencoder.stats import denormalised
from streamvace.model.specs import PipelineSpec
from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.stream.chunk_contexts import ChunkContexts
from streamvace.stream.lane import Lane, OnHost
from streamvace.stream.link import Link
from streamvace.stream.seams import ease_chunk_
from streamvace.stream.stage_clock import StageClock
from streamvace.stream.stream_state import StreamState


class Encoded(NamedTuple):
    """A chunk's VACE contexts, none without control, and the latents of its source `[1, C, f, h, w]`, where the passes
    are."""

    contexts: Sequence[Tensor]
    source: Tensor | None


class Shown(NamedTuple):
    """The pixels `[1, 3, F, H, W]` of a chunk, and the download of its frames."""

    pixels: Tensor
    frames: OnHost


class PictureWork:
    """Encodes a chunk's pictures and decodes its latents. It holds no state of the stream."""

    def __init__(
        self,
        spec: PipelineSpec,
        codec: Autoencoder,
        canvas: Canvas,
        contexts: ChunkContexts,
        lane: Lane,
        link: Link,
        clock: StageClock,
    ) -> None:
        """contexts: makes the VACE contexts of a chunk's pictures. lane: where the work runs. link: from
        the passes to there. clock: measures it."""
        self._spec, self._codec, self._canvas = spec, codec, canvas
        self._contexts, self._lane, self._link, self._clock = contexts, lane, link, clock

    def encode(self, given: ChunkInput, state: StreamState, heard: bool, pixels: int) -> Encoded:
        """Encode the chunk's pictures, while passes of the chunk before may still run.

        heard: control applies. pixels: the chunk's pixel frames. Advances the encoder streams of `state`.
        """
        contexts: Sequence[Tensor] = ()
        with self._lane.ahead():
            self._clock.start()
            state.references.take(self._codec, given.references, self._canvas)
            if heard:
                contexts = self._contexts(given, state, self._codec, self._canvas, pixels)
            else:
                # The encoder streams end here and start again when control returns.
                state.context = ContextState()
            source = None if given.source is None else self._encode_source(given.source, state)
            self._clock.mark("encode")
        self._lane.hand_over(*contexts, source, state.references.latents, state.anchor)
        if state.anchor is not None:
            state.anchor = self._link.back(state.anchor)
        return Encoded(contexts, None if source is None else self._link.back(source))

    def _encode_source(self, frames: Pixels, state: StreamState) -> Tensor:
        pixels = to_pixels(frames, self._canvas.device, self._canvas.dtype)
        encoder = state.source
        if encoder is None and state.position:
            encoder = self._codec.blank_state(pixels)
        latents, state.source = self._codec.encode(pixels, encoder)
        return denormalised(latents) if self._spec.raw_source else latents

    def show(self, x0: Tensor, state: StreamState) -> Shown:
        """Start decoding clean latents, beside the pass that writes them to the history."""
        spec, codec = self._spec, self._codec
        with self._lane.behind():
            self._clock.start()
            x0 = self._link.there(x0)
            if state.decoder is None and state.chunks:
                # A cut within the stream: the decoder blends each frame with the last, so it gets the first twice.
                _, state.decoder = codec.decode(x0[:, :, :1], None)
            pixels, state.decoder = codec.decode(x0, state.decoder)
            if spec.ease_seams:
                before = None if state.last_pixels is None else state.last_pixels[:, :, -1]
                ease_chunk_(pixels, before, spec.ease_seams, spec.ease_latents)
            frames = self._lane.download(packed(pixels))
            if spec.history == "recompute" and state.chunks:
                # The picture just before the newest latents, encoded alone, looks like the start of a clip.
                oldest = -1 - codec.temporal_stride * (spec.chunk - 1)
                state.anchor, _ = codec.encode(pixels[:, :, oldest].unsqueeze(2), None)
            self._clock.mark("decode")
        return Shown(pixels, frames)

    def wait(self, shown: Shown, state: StreamState) -> Pixels:
        """The frames `[F, H, W, 3]`. Raises FloatingPointError when they are not finite."""
        state.last_frames = unpacked(shown.frames(), shown.pixels)
        state.last_pixels = shown.pixels
        return state.last_frames
