"""Turning and mirroring a decoded picture as its file asks: EXIF, HEIF and film containers alike.

FFmpeg gives all of them as one display matrix. Its angle alone does not tell a mirrored picture from a turned one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from numpy.typing import NDArray

Matrix = tuple[int, int, int, int]
"""(a, b, c, d): a pixel at (x, y) is shown at (a x + c y, b x + d y), up to a shift."""

_AS_STORED: Matrix = (1, 0, 0, 1)


def display_matrix(frame: Any) -> Matrix:
    """The matrix of an av.VideoFrame; the identity if the file gives none."""
    data = _side_data(frame).get(Type.DISPLAYMATRIX)
    if data is None:
        return _AS_STORED
    a, b, _, c, d = np.frombuffer(bytes(data), dtype=np.int32)[:5].tolist()
    return a, b, c, d


def is_turned(matrix: Matrix) -> bool:
    """Whether width and height change places."""
    a, b, c, d = matrix
    return abs(b) + abs(c) > abs(a) + abs(d)


def upright(pixels: NDArray[np.uint8], matrix: Matrix) -> NDArray[np.uint8]:
    """uint8 `[H, W, C]` as it is to be shown, C-contiguous. Other angles are rounded to quarter turns."""
    a, b, c, d = matrix
    if is_turned(matrix):
        pixels, a, d = pixels.swapaxes(0, 1), c, b
    return np.ascontiguousarray(pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def _side_data(frame: Any) -> Mapping[Any, Any]:
    """What is attached to the frame, by type. PyAV (at least to 18) raises ValueError for a frame with a type that it
    has no name for, EXIF for one: a filter removes these."""
    while True:
        try:
            # Not frame.side_data: the frame keeps that, and it refers to the frame. In such a cycle, every frame of a
            # film stays in memory until Python looks for cycles.
            return SideDataContainer(frame)  # type: ignore[call-arg]  # unknown to PyAV's stubs
        except ValueError as unknown:
            frame = _without(frame, kind=str(unknown).split()[0])


def _without(frame: Any, kind: str) -> Any:
    """The frame without its side data of this kind, one of FFmpeg's numbers."""
    graph = av.filter.Graph()
    graph.link_nodes(
        graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base="1/1"),
        graph.add("sidedata", mode="delete", type=kind),
        graph.add("buffersink"),
    )
    graph.configure()
    graph.vpush(frame)
    return graph.vpull()
