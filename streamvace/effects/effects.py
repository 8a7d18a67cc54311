"""The effects in their order, for the output of a show and for a render.

A look that changes nothing returns the picture itself, enlarged to the size of the output. Buffers inside are allocated
once; each result is a new array, because outputs keep the pictures they were given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.effects.colour import Colour
from streamvace.effects.look import Look
from streamvace.effects.screens import NONE, Screen
from streamvace.effects.trail import Trail
from streamvace.effects.zoom import zoomed
from streamvace.video.core.enlarge import Enlarger
from streamvace.video.core.resize import fit_cover

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """What was made last, and of what."""

    picture: Pixels
    control: Pixels | None
    look: Look
    done: Pixels


class Effects:
    """One picture after the other. For one thread."""

    def __init__(self, upscale: int = 1) -> None:
        """upscale: factor from the pictures to the output."""
        self.enlarge = Enlarger(upscale)
        """Brings any other picture to the size of the output."""
        self._screen = Screen()
        self._colour = Colour()
        self._trail = Trail()
        self._history = 0
        self._made: _Made | None = None
        self._control: Pixels | None = None
        self._fitted: Pixels | None = None

    def __call__(
        self,
        picture: Pixels,
        look: Look,
        control: Callable[[], Pixels | None],
        *,
        elapsed_s: float = 0.0,
        history: int = 0,
    ) -> Pixels:
        """uint8 `[H, W, 4]`: the control picture is mixed in, then colour, zoom, trail, then the screen at the size of
        the output.

        control: the control picture of this picture, uint8 `[h, w, 4]` of any size, or None without one; called only if
        it is needed. elapsed_s: since the call before. history: number of the picture's history; a trail does not cross
        from one to the next.
        """
        if not look.trail or history != self._history:
            self._trail.forget()
        self._history = history
        still = self._still(picture, look, control() if look.control else None)
        done = self.enlarge(self._trail(still, look.trail, elapsed_s) if look.trail else still)
        return done if look.screen == NONE else self._screen(done, look.screen, look.screen_cells, look.screen_mix)

    def _still(self, picture: Pixels, look: Look, control: Pixels | None) -> Pixels:
        """All before the trail. A picture that comes again with the same look is made once."""
        made = self._made
        if made is not None and made.picture is picture and made.control is control and made.look == look:
            return made.done
        done = picture if control is None else self._mixed(picture, control, look.control)
        if (look.brightness, look.saturation, look.hue) != (1.0, 1.0, 0.0):
            done = self._colour(done, look)
        if look.zoom != 1.0:
            done = zoomed(done, look.zoom)
        self._made = _Made(picture, control, look, done)
        return done

    def _mixed(self, picture: Pixels, control: Pixels, share: float) -> Pixels:
        """The picture with a share of the control; its alpha stays."""
        height, width = picture.shape[:2]
        if self._control is not control or self._fitted is None or self._fitted.shape != picture.shape:
            self._control, self._fitted = control, fit_cover(control, (width, height))
        mixed = np.asarray(cv2.addWeighted(picture, 1 - share, self._fitted, share, 0), np.uint8)
        cv2.mixChannels([picture], [mixed], [3, 3])
        return mixed
