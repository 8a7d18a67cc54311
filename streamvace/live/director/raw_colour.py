"""Notices a coloured picture that is used as control without a control kind.

The models follow depth, edges and brightness. A coloured picture is none of these: its colours reach the result,
whatever the prompt says.
"""

from __future__ import annotations

from streamvace.conditioning.signals import RAW
from streamvace.control.parameters import Snapshot
from streamvace.live.director.layout import Layout
from streamvace.records.chunk import Pixels

REMARK = (
    "a coloured picture is used as control as it is; depth, edges and gray follow shapes (set /streamvace/control_kind)"
)

COLOURED, GREY = 20.0, 10.0
"""Mean chroma, 0..255, from which on a picture counts as coloured, and up to which as grey. Films of people and animals
have 23 to 104. A grey film has 0 after compression, and 10 to 20 with 5 % too much red and 10 % too little blue."""

_FRAMES, _PIXELS = 4, 8
"""One of so many frames, and of pixels in each direction, is measured: exact enough for a mean, and free."""


def mean_chroma(pictures: Pixels, mask: Pixels | None = None) -> float:
    """Mean difference between the strongest and the weakest channel, 0..255.

    pictures: uint8 `[F, H, W, 3]`. mask: uint8 `[F, H, W]`; only its generated region is measured, as the kept one must
    be coloured. 0 if nothing is generated.
    """
    part = pictures[::_FRAMES, ::_PIXELS, ::_PIXELS]
    chroma = part.max(axis=-1) - part.min(axis=-1)
    if mask is not None:
        chroma = chroma[mask[::_FRAMES, ::_PIXELS, ::_PIXELS] > 127]
    return float(chroma.mean()) if chroma.size else 0.0


class RawColour:
    """Says it once, and again only after a change of the input or a grey picture."""

    def __init__(self) -> None:
        self._input: object = None
        self._said = False

    def remark(self, snapshot: Snapshot, layout: Layout, source: object = None) -> str:
        """A line for the user, or an empty string. source: the input; any object, compared by identity."""
        control = layout.control if snapshot.text("/streamvace/control_kind") == RAW else None
        if control is None or source is not self._input:
            self._input, self._said = source, False
        if control is None:
            return ""
        chroma = mean_chroma(control, layout.mask)
        if chroma <= GREY:
            self._said = False
        if self._said or chroma < COLOURED:
            return ""
        self._said = True
        return REMARK
