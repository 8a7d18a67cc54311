"""Interlaced films as full frames, at the film's own rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av


def deinterlaced(frames: Iterator[Any]) -> Iterator[Any]:
    """av.VideoFrames in order, their times unchanged; progressive ones as they are.

    The filter is made for the first interlaced frame, so that other films do not pay for it. It needs its neighbours:
    a frame comes out after the next one went in.
    """
    bwdif: Any = None
    made_for: tuple[int, int, str] | None = None
    for frame in frames:
        shape = (frame.width, frame.height, frame.format.name)
        if bwdif is not None and shape != made_for:
            yield from _pulled(bwdif, None)
            bwdif = None
        if bwdif is None and frame.interlaced_frame:
            bwdif, made_for = _bwdif(frame), shape
        if bwdif is None:
            yield frame
        else:
            yield from _pulled(bwdif, frame)
    if bwdif is not None:
        yield from _pulled(bwdif, None)


def _bwdif(frame: Any) -> Any:
    """A graph that turns interlaced frames of this size and format into one frame each."""
    graph = av.filter.Graph()
    graph.link_nodes(
        graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base),
        graph.add("bwdif", mode="send_frame", deint="interlaced"),
        graph.add("buffersink"),
    )
    graph.configure()
    return graph


def _pulled(graph: Any, frame: Any | None) -> Iterator[Any]:
    """Every frame that is ready after `frame`, or after the end if that is None."""
    graph.vpush(frame)
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return
