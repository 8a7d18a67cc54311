"""The size of a window, and the place of the picture in it."""

from __future__ import annotations

Size = tuple[int, int]


def letterbox(picture: Size, window: Size) -> tuple[int, int, int, int]:
    """The place of the whole picture, centred and in its aspect ratio: left, bottom, right, top in pixels."""
    scale = min(window[0] / picture[0], window[1] / picture[1])
    width, height = max(1, round(picture[0] * scale)), max(1, round(picture[1] * scale))
    left, bottom = (window[0] - width) // 2, (window[1] - height) // 2
    return left, bottom, left + width, bottom + height


def opening_size(picture: Size, screen: Size) -> Size:
    """The picture times the largest whole number that leaves a third of the screen free; at least the picture."""
    factor = max(1, min(2 * screen[0] // (3 * picture[0]), 2 * screen[1] // (3 * picture[1])))
    return picture[0] * factor, picture[1] * factor
