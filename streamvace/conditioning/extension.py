"""Extension: pictures that a chunk's first or last frame is to be (VACE's first-frame and last-frame layouts).

VACE learned them as one picture on one pixel frame of an otherwise grey clip. So an anchor stands on exactly that frame
here, in every chunk: the published streaming adaptation repeats it over four frames, which in the first chunk no longer
fit the codec's groups (most of a last frame is lost there).
"""

from __future__ import annotations

import torch
from torch import Tensor

from streamvace.conditioning.pixels import to_pixels
from streamvace.records.chunk import Pixels


def place_anchors(
    first_frame: Pixels | None, last_frame: Pixels | None, frames: int, device: torch.device, dtype: torch.dtype
) -> dict[int, Tensor]:
    """Pictures uint8 `[H, W, 3]` -> `[1, 3, H, W]` in -1..1 by their place in a chunk of `frames` pixel frames."""
    places = {0: first_frame, frames - 1: last_frame}
    return {
        place: to_pixels(picture[None], device, dtype)[:, :, 0]
        for place, picture in places.items()
        if picture is not None
    }
