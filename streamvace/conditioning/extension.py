"""Extension: given pictures for a chunk's first or last frame (VACE's first-frame and last-frame layouts).

VACE was trained with one picture on one pixel frame of an otherwise grey clip, so an anchor occupies exactly one frame
here. The published streaming adaptation repeats it over four frames. In the first chunk these do not fit the codec's
groups, and most of a last frame is lost.
"""

from __future__ import annotations

import torch
from torch import Tensor

from streamvace.conditioning.pixels import to_pixels
from streamvace.records.chunk import Pixels


def place_anchors(
    first_frame: Pixels | None, last_frame: Pixels | None, frames: int, device: torch.device, dtype: torch.dtype
) -> dict[int, Tensor]:
    """Pictures uint8 `[H, W, 3]` -> `[1, 3, H, W]` in -1..1, by their index in a chunk of `frames` pixel frames."""
    places = {0: first_frame, frames - 1: last_frame}
    return {
        place: to_pixels(picture[None], device, dtype)[:, :, 0]
        for place, picture in places.items()
        if picture is not None
    }
