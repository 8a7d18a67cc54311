"""The still pictures that a snapshot asks for: references, first and last frame. Live and offline. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from streamvace.conditioning.references import fit_on_white
from streamvace.control.parameters import Snapshot
from streamvace.control.reference_list import REFERENCES
from streamvace.control.refusals import Lack
from streamvace.live.inputs.pictures import Use, Wish
from streamvace.records.chunk import Pixels
from streamvace.video.core.alpha import to_premultiplied
from streamvace.video.core.resize import fit_cover

FIRST_FRAME, LAST_FRAME = "/streamvace/first_frame", "/streamvace/last_frame"


@dataclass(frozen=True)
class Stills:
    """The still pictures of a chunk, fitted to the show's size.

    references: uint8 `[N, H, W, 3]` on white, or None. first_frame, last_frame: uint8 `[H, W, 3]`, or None.
    """

    references: Pixels | None = None
    first_frame: Pixels | None = None
    last_frame: Pixels | None = None


def wishes(snapshot: Snapshot) -> tuple[Wish, ...]:
    """Every picture that the next chunks can need."""
    references = [Wish(name, "reference") for name in snapshot.texts(REFERENCES)]
    frames = [wish for address in (FIRST_FRAME, LAST_FRAME) if (wish := _frame(snapshot, address)) is not None]
    return (*references, *frames)


def stills(snapshot: Snapshot, take: Callable[[Wish], Pixels | None], *, anchored: bool) -> Stills:
    """The pictures that a snapshot asks for and that are loaded.

    take: returns the fitted picture, or None while it is missing. anchored: include first and last frame.
    """
    taken = [picture for name in snapshot.texts(REFERENCES) if (picture := take(Wish(name, "reference"))) is not None]
    first, last = (_frame(snapshot, address) if anchored else None for address in (FIRST_FRAME, LAST_FRAME))
    return Stills(
        references=np.stack(taken) if taken else None,
        first_frame=None if first is None else take(first),
        last_frame=None if last is None else take(last),
    )


def fit_still(picture: Pixels, use: Use, size: tuple[int, int]) -> Pixels:
    """A loaded picture, uint8 `[h, w, 4]`, as a chunk takes it: uint8 `[H, W, 3]`. size: (width, height).

    A reference is shown whole on white. A frame fills the picture, over black where it is transparent.
    """
    if use == "reference":
        return fit_on_white(picture, size)
    return np.ascontiguousarray(to_premultiplied(fit_cover(picture, size))[..., :3])


def picture_lacks(snapshot: Snapshot, faults: Mapping[str, str]) -> dict[str, Lack]:
    """The parameters that name a picture which cannot be read, by address. faults: why, by name of the picture."""
    named = {
        REFERENCES: snapshot.texts(REFERENCES),
        **{address: (snapshot.text(address),) for address in (FIRST_FRAME, LAST_FRAME)},
    }
    return {
        address: Lack(missing[0], faults[missing[0]])
        for address, names in named.items()
        if (missing := [name for name in names if name in faults])
    }


def _frame(snapshot: Snapshot, address: str) -> Wish | None:
    name = snapshot.text(address)
    return Wish(name, "frame") if name else None
