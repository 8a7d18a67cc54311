"""What Spout and Syphon share: the options of an address, the system they need, and a source of textures."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.video.core.alpha import to_straight
from streamvace.video.core.resize import fit_cover
from streamvace.video.core.threaded import ThreadedSource


@dataclass(frozen=True, slots=True)
class TextureOptions:
    """How the other program's textures differ from ours. In an address: `spout:NAME?premultiplied&flipped`."""

    premultiplied: bool = False
    """Its colours are multiplied by alpha; ours are straight."""

    flipped: bool = False
    """Its rows are upside down by the convention of its own system."""


def require_system(needed: str, what: str, name: str) -> None:
    """Raise UserError unless `sys.platform` is `needed`. name: of the texture that was asked for."""
    here = sys.platform  # through a variable: a type checker would take the rest for unreachable on its own system
    if here != needed:
        words = {"win32": "Windows", "darwin": "macOS"}
        raise UserError(
            f"{what} exists only on {words[needed]} and this is {words.get(here, platform.system())}; "
            f"use ndi:{name or 'NAME'}, NDI works everywhere"
        )


class TextureSource(ThreadedSource):
    """Receives the texture that another program shares on this machine.

    That program may start later, stop, come back and change its size. A subclass finds it and reads its texture.
    """

    SEARCH_SECONDS = 0.1
    """Between two searches for a program that is not there."""
    LOOK_SECONDS = 0.002
    """Between two looks for a new picture."""

    def __init__(
        self, scheme: str, wanted: str, options: TextureOptions, size: tuple[int, int], pause: Callable[[float], None]
    ) -> None:
        """wanted: name of the other program's texture, or "" for any. size: (width, height) of the frames offered."""
        super().__init__(f"{scheme}:{wanted}")
        self.connected_to = ""
        """Name of the sender that is received; "" while there is none."""
        self.losses = 0
        """How often the sender went away."""
        self._wanted = wanted
        self._options = options
        self._size = size
        # Not Event.wait: Windows wakes that only on its 15.6 ms timer.
        self._pause = pause
        self._failing = ""

    def _take(self, picture: NDArray[np.uint8], captured_ns: int, *, bgra: bool, opaque: bool = False) -> None:
        """Offer a copy of the picture, uint8 `[H, W, 4]`, top row first. opaque: its fourth channel holds no alpha."""
        if bgra:
            pixels = np.asarray(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_BGRA2RGBA), dtype=np.uint8)
        else:
            pixels = picture.copy()
        if opaque:
            pixels[..., 3] = 255
        if self._options.premultiplied:
            pixels = to_straight(pixels)
        self._failing = ""
        self.sender_size = (pixels.shape[1], pixels.shape[0])
        self._offer(fit_cover(pixels, self._size), captured_ns)

    def _fault_once(self, what: str) -> None:
        """Count a fault once until the next picture, not at every look."""
        if what != self._failing:
            self._failing = what
            self._fault(what)
