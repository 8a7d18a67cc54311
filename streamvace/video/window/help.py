"""The help of a window: its keys, drawn over the picture."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import pyglet

_MARGIN = 24
"""Pixels around the text, and to the edge of the window."""

_WIDEST, _SMALLEST, _LARGEST = 0.02, 9, 28
"""Font size: a share of the window's width, and its limits in points."""

_FAMILIES = ("Segoe UI", "Tahoma", "Arial", "DejaVu Sans") if sys.platform == "win32" else None
"""The first that is there. On Windows pyglet asks only for Segoe UI by itself, which a slimmed system may not have."""


class WindowHelp:
    """A dark panel with two columns. Belongs to the thread and the OpenGL context of the window."""

    def __init__(self, window: Any) -> None:
        """window: a pyglet window whose context is current."""
        self._window = window
        self._shown: tuple[object, ...] = ()
        self._parts: list[Any] = []
        self._batch = pyglet.graphics.Batch()

    def draw(self, lines: Sequence[tuple[str, str]]) -> None:
        """lines: (key, what it does), top first."""
        width, height = self._window.get_size()
        wanted = (tuple(lines), width, height)
        if wanted != self._shown:
            self._shown = wanted
            self._lay_out(lines, width, height)
        self._batch.draw()

    def _lay_out(self, lines: Sequence[tuple[str, str]], width: int, height: int) -> None:
        for part in self._parts:
            part.delete()
        points = max(_SMALLEST, min(_LARGEST, round(width * _WIDEST)))
        step = points * 2
        column = points * 8
        panel_height = step * len(lines) + 2 * _MARGIN
        top = (height + panel_height) // 2 - _MARGIN
        panel = pyglet.shapes.Rectangle(
            _MARGIN,
            (height - panel_height) // 2,
            width - 2 * _MARGIN,
            panel_height,
            color=(0, 0, 0, 190),
            batch=self._batch,
            group=pyglet.graphics.Group(order=0),
        )
        self._parts = [panel]
        words = pyglet.graphics.Group(order=1)
        for row, (key, what) in enumerate(lines):
            for left, text, colour in ((0, key, (255, 210, 80, 255)), (column, what, (255, 255, 255, 255))):
                self._parts.append(
                    pyglet.text.Label(
                        text,
                        font_name=_FAMILIES,
                        font_size=points,
                        x=2 * _MARGIN + left,
                        y=top - step * row,
                        anchor_y="top",
                        color=colour,
                        batch=self._batch,
                        group=words,
                    )
                )
