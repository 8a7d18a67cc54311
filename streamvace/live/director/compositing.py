"""What the stage does to a finished chunk: the untouched source is pasted back, and it gets its alpha. Pure.

The model never reproduces what it is told to keep bit for bit: the autoencoder alone loses detail. Here kept pixels
are those of the source, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.control.parameters import Snapshot
from streamvace.live.director.layout import Layout
from streamvace.records.chunk import Chunk, Pixels


@dataclass(frozen=True)
class Finish:
    """How one chunk is finished; its planes have the chunk's own frames.

    kept: uint8 `[F, H, W, 3]`, pasted where the mask keeps, or None. mask: uint8 `[F, H, W]`, 255 = generated.
    feather: pixels over which generated fades into kept, counted inwards from the mask's edge. alpha: uint8
    `[F, H, W]`, or None: opaque. alpha_is_mask: alpha is the mask with its feather instead.
    """

    kept: Pixels | None = None
    mask: Pixels | None = None
    feather: float = 0.0
    alpha: Pixels | None = None
    alpha_is_mask: bool = False

    @classmethod
    def of(cls, snapshot: Snapshot, layout: Layout) -> Finish:
        """What the parameters ask for."""
        alpha = snapshot.text("/streamvace/output_alpha")
        composite = snapshot.flag("/streamvace/composite")
        return cls(
            kept=layout.kept if composite else None,
            mask=layout.mask,
            feather=snapshot.number("/streamvace/composite_feather") if composite else 0.0,
            alpha=layout.alpha if alpha == "source" else None,
            alpha_is_mask=alpha == "mask",
        )


def finish(chunk: Chunk, how: Finish) -> Chunk:
    """The chunk as it goes out."""
    if how.mask is None or (how.kept is None and not how.alpha_is_mask):
        return chunk if how.alpha is None else replace(chunk, alpha=how.alpha)
    shares = _shares(how.mask, how.feather)
    frames, alpha = chunk.frames, how.alpha
    if how.kept is not None:
        frames = np.empty_like(chunk.frames)
        for generated, kept, share, pasted in zip(chunk.frames, how.kept, shares, frames, strict=True):
            cv2.blendLinear(generated, kept, share, 1 - share, dst=pasted)  # shares of 0 and 1 are exact
    if how.alpha_is_mask:
        alpha = np.stack([np.rint(share * np.float32(255)).astype(np.uint8) for share in shares])
    return replace(chunk, frames=frames, alpha=alpha)


def share_of_generated(mask: Pixels, feather: float) -> NDArray[np.float32]:
    """How much of the generated picture shows: float32 `[H, W]`, 0..1.

    mask: uint8 `[H, W]`, 255 = generate; soft values are a share by themselves. feather: pixels that the share takes
    from 0 at the edge of what is kept to 1; it fades inwards only, so whatever the mask keeps is kept whole.
    """
    share = mask.astype(np.float32) / np.float32(255)
    if feather <= 0 or not mask.any() or mask.all():
        return share
    distance = cv2.distanceTransform((mask > 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    faded: NDArray[np.float32] = np.asarray(distance, np.float32) / np.float32(feather + 1)
    np.minimum(share, faded, out=share)
    return share


def _shares(masks: Pixels, feather: float) -> list[NDArray[np.float32]]:
    """One a frame; of a mask that stands still, one for all."""
    shares: list[NDArray[np.float32]] = []
    for index, mask in enumerate(masks):
        same = index > 0 and np.array_equal(mask, masks[index - 1])
        shares.append(shares[-1] if same else share_of_generated(mask, feather))
    return shares
