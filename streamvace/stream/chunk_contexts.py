"""VACE contexts from the pictures of a ChunkInput."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from streamvace.conditioning.context import encode_context, second_context
from streamvace.conditioning.extension import place_anchors
from streamvace.conditioning.pixels import Canvas, to_mask, to_pixels
from streamvace.model.autoencoder.base import Autoencoder
from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.stream.stream_state import StreamState

ChunkContexts = Callable[[ChunkInput, StreamState, Autoencoder, Canvas, int], list[Tensor]]
"""See `chunk_contexts`."""


def chunk_contexts(
    given: ChunkInput, state: StreamState, codec: Autoencoder, canvas: Canvas, pixels: int
) -> list[Tensor]:
    """The chunk's VACE contexts `[1, vace_in_dim, f, h, w]`: one for the control, one for a second control.

    pixels: the chunk's pixel frames. Advances the encoder streams of `state`.
    Without control the context is mid grey and everything is generated, as in VACE. In `paper` mode, references alone
    get an empty context.
    """
    first = state.position == 0
    mask = given.mask
    control = given.control
    if control is None and mask is not None:
        control = _own_output(state.last_frames, pixels, canvas)
    if mask is not None and mask.min() > 127:
        mask = None
    anchors = place_anchors(given.first_frame, given.last_frame, pixels, canvas.device, canvas.dtype)
    packed = None if mask is None else to_mask(mask, canvas.device, canvas.dtype)
    if control is None:
        shape = (1, 3, pixels, canvas.height, canvas.width)
        followed = torch.zeros(shape, device=canvas.device, dtype=canvas.dtype)
    else:
        followed = to_pixels(control, canvas.device, canvas.dtype)
    context, streams = encode_context(codec, state.context, followed, packed, first, anchors)
    contexts = [context]
    if given.second_control is None:
        streams = replace(streams, second=None)
    else:
        other = to_pixels(given.second_control, canvas.device, canvas.dtype)
        beside, streams = second_context(codec, streams, context, other, packed, first, anchors)
        contexts.append(beside)
    # Grey in place of a control must not become the past of a later control.
    state.context = replace(streams, reactive=None) if control is None else streams
    nothing = control is None and given.second_control is None and not anchors
    return [context[:, :, :0]] if nothing and given.reference_mode == "paper" else contexts


def _own_output(last: Pixels | None, count: int, canvas: Canvas) -> Pixels:
    """The stream's last frames as control, `[count, H, W, 3]`; mid grey at the start of a stream."""
    if last is None:
        return np.full((count, canvas.height, canvas.width, 3), 128, np.uint8)
    return last[np.clip(np.arange(len(last) - count, len(last)), 0, None)]
