"""Finishes a chunk on the stage: pastes the untouched source back and sets the alpha. Pure.

The model does not reproduce kept pixels exactly, because the autoencoder loses detail. Here they are copied from the
source bit for bit.
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
    """How one chunk of F frames is finished.

    kept: uint8 `[F, H, W, 3]`, pasted where the mask keeps, or None.
    mask: uint8 `[F, H, W]`, 255 = generated, or None: everything is generated.
    feather: pixels over which the generated picture fades into the kept one, inwards from the mask's edge.
    alpha: uint8 `[F, H, W]`, 255 = opaque, or None: opaque.
    alpha_is_mask: alpha is the mask with its feather instead.
    """

    kept: Pixels | None = None
    mask: Pixels | None = None
    feather: float = 0.0
    alpha: Pixels | None = None
    alpha_is_mask: bool = False

    @classmethod
    def of(cls, snapshot: Snapshot, layout: Layout) -> Finish:
        """The finish that the parameters ask for."""
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
    """The chunk with its frames composited and its alpha set."""
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
    """The weight of the generated picture: float32 `[H, W]`, 0..1.

    mask: uint8 `[H, W]`, 255 = generate; values in between are weights themselves. feather: distance in pixels over
    which the weight rises from 0 at the edge of the kept region to 1. It fades inwards only: kept pixels stay exact.
    """
    share = mask.astype(np.float32) / np.float32(255)
    if feather <= 0 or not mask.any() or mask.all():
        return share
    distance = cv2.distanceTransform((mask > 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    faded: NDArray[np.float32] = np.asarray(distance, np.float32) / np.float32(feather + 1)
    np.minimum(share, faded, out=share)
    return share


def _shares(masks: Pixels, feather: float) -> list[NDArray[np.float32]]:
    """One per frame, computed once for equal masks in a row."""
    shares: list[NDArray[np.float32]] = []
    for index, mask in enumerate(masks):
        same = index > 0 and np.array_equal(mask, masks[index - 1])
        shares.append(shares[-1] if same else share_of_generated(mask, feather))
    return shares
