"""The still pictures that a snapshot asks for: references, first and last frame. Live and offline alike. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streamvace.chunk import Pixels
from streamvace.conditioning.references import fit_on_white
from streamvace.live.parameters import Snapshot
from streamvace.live.pictures import Use, Wish
from streamvace.live.reference_list import REFERENCES


@dataclass(frozen=True)
class Stills:
    """What a chunk may be given, fitted to the show's size.

    references: uint8 `[N, H, W, 3]` on white, or None.
    """

    references: Pixels | None = None


def wishes(snapshot: Snapshot) -> tuple[Wish, ...]:
    """Every picture that the next chunks may need."""
    return tuple(Wish(name, "reference") for name in snapshot.texts(REFERENCES))


def stills(snapshot: Snapshot, take: Callable[[Wish], Pixels | None]) -> Stills:
    """What is there of the pictures that a snapshot asks for. take: the fitted picture, or None while it is missing."""
    taken = [picture for name in snapshot.texts(REFERENCES) if (picture := take(Wish(name, "reference"))) is not None]
    return Stills(references=np.stack(taken) if taken else None)


def fit_still(picture: Pixels, use: Use, size: tuple[int, int]) -> Pixels:
    """A loaded picture, uint8 `[h, w, 4]`, as a chunk takes it: uint8 `[H, W, 3]`. size: (width, height)."""
    return fit_on_white(picture, size)
