"""What passes between video and the rest: one frame, and the two small protocols that make and take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Made:
    """What made a generated picture.

    chunk: its chunk, counted since the last reset. seed: of that chunk. generation: resets of the show before it.
    """

    chunk: int
    seed: int
    generation: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    pixels: uint8 `[H, W, 4]`, RGBA, straight alpha, sRGB, top-left origin, C-contiguous; never written after creation.
    captured_ns: when the picture was captured, on the clock `now_ns`.
    source: the name of what made it.
    sequence: counts up by one per frame of that source.
    made: None for a picture that was not generated.
    """

    pixels: NDArray[np.uint8]
    captured_ns: int
    source: str
    sequence: int
    made: Made | None = None


def check_pixels(pixels: NDArray[np.uint8]) -> None:
    """Raise ValueError for what is not uint8 `[H, W, 4]`, not empty and C-contiguous.

    Libraries take the bytes of any array: floats would be shown as noise, and a view would shear the picture.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 4 or 0 in pixels.shape:
        raise ValueError(f"a frame of {pixels.dtype} {list(pixels.shape)}; frames are uint8 [H, W, 4] and not empty")
    if not pixels.flags.c_contiguous:
        raise ValueError("a frame whose rows do not follow each other in memory; use numpy.ascontiguousarray")


class Source(Protocol):
    """Where control textures come from. Owned by one thread."""

    name: str

    def poll(self) -> Frame | None:
        """The newest frame that was not returned before, or None. Never blocks; frames in between are skipped."""

    def close(self) -> None:
        """Release everything. Idempotent."""


class Sink(Protocol):
    """Where finished frames go. Owned by one thread; called once a tick of the output clock."""

    name: str

    def publish(self, frame: Frame) -> None:
        """Show or send the frame. Must return within a tick: a slow consumer drops and counts, it never stalls."""

    def close(self) -> None:
        """Release everything. Idempotent."""


@runtime_checkable
class Paced(Protocol):
    """A sink whose output says how many frames come a second, or depends on it."""

    def set_rate(self, rate: float) -> None:
        """From now on frames come `rate` a second. On the thread that publishes; must not block."""
