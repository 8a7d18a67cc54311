"""A test card: which way is up, which colour is which, what happens to alpha, and that it moves."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.system.clock import Clock, ShowClock
from streamvace.video.core.rate import ticks
from streamvace.video.core.threaded import ThreadedSource

CORNERS: tuple[tuple[str, tuple[int, int, int]], ...] = (
    ("red", (255, 0, 0)),
    ("green", (0, 255, 0)),
    ("blue", (0, 0, 255)),
    ("yellow", (255, 255, 0)),
)
"""Top left, top right, bottom left, bottom right."""

_GROUND, _LINES, _RAMP = 64, 150, (200, 120, 40)
_TURN_S = 2.0
"""Seconds for one turn of the hand."""


def card(size: tuple[int, int], seconds: float = 0.0) -> NDArray[np.uint8]:
    """The card after `seconds`, uint8 `[height, width, 4]`, straight alpha. size: (width, height).

    A circle, which shows a wrong aspect ratio, with a hand that turns clockwise; a bar of one colour whose alpha rises
    from 0 at the left to 255 at the right. Everything else is opaque.
    """
    width, height = size
    picture = np.full((height, width, 4), (_GROUND, _GROUND, _GROUND, 255), np.uint8)
    middle, radius = (width // 2, height // 2), min(width, height) // 3
    grey = (_LINES, _LINES, _LINES, 255)
    cv2.circle(picture, middle, radius, grey, max(1, radius // 20), cv2.LINE_AA)
    turned = 2 * np.pi * seconds / _TURN_S
    tip = (round(middle[0] + radius * np.sin(turned)), round(middle[1] - radius * np.cos(turned)))
    cv2.line(picture, middle, tip, (255, 255, 255, 255), max(1, radius // 12), cv2.LINE_AA)
    wide, high = max(1, width // 6), max(1, height // 6)
    places = ((0, 0), (0, width - wide), (height - high, 0), (height - high, width - wide))
    for (name, colour), (top, left) in zip(CORNERS, places, strict=True):
        picture[top : top + high, left : left + wide, :3] = colour
        _write(picture, name, left, top, wide, high)
    bar = slice(height - high // 2, height), slice(wide, width - wide)
    picture[bar] = (*_RAMP, 255)
    picture[(*bar, 3)] = np.linspace(0, 255, width - 2 * wide)[None, :]
    return picture


class CardSource(ThreadedSource):
    """The card in motion, at a steady rate."""

    def __init__(self, size: tuple[int, int], rate: float = 30.0, clock: Clock | None = None) -> None:
        """size: (width, height); rate: frames a second."""
        super().__init__("card")
        self._size = size
        self._rate = rate
        self._clock: Clock = clock or ShowClock()
        self._thread.start()

    def _run(self) -> None:
        opened_ns = self._clock.now()
        for due_ns in ticks(self._clock, self._rate, self._stop):
            self._offer(card(self._size, (due_ns - opened_ns) / 1e9), due_ns)


def _write(picture: NDArray[np.uint8], text: str, left: int, top: int, wide: int, high: int) -> None:
    """The colour's name in black, if there is room for it: letters tell a mirrored picture from a rotated one."""
    scale = wide / 140
    if scale < 0.3:
        return
    at = (left + wide // 12, top + high // 2)
    font, thick = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(2 * scale))
    cv2.putText(picture, text, at, font, scale, (0, 0, 0, 255), thick, cv2.LINE_AA)
