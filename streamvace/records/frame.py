"""One video frame, and the protocols of sources and sinks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Made:
    """The origin of a generated picture.

    chunk: number of its chunk since the last reset. seed: of that chunk. generation: number of resets before it.
    """

    chunk: int
    seed: int
    generation: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    pixels: uint8 `[H, W, 4]`, 0..255, RGBA, straight alpha, sRGB, top-left origin, C-contiguous; never written after
        creation.
    captured_ns: capture time in nanoseconds on the clock `now_ns`.
    source: name of the source.
    sequence: frame number of that source.
    made: None for a picture that was not generated.
    """

    pixels: NDArray[np.uint8]
    captured_ns: int
    source: str
    sequence: int
    made: Made | None = None


def check_pixels(pixels: NDArray[np.uint8]) -> None:
    """Raise ValueError unless `pixels` is uint8 `[H, W, 4]`, not empty and C-contiguous.

    Libraries take the raw bytes of any array: floats would be shown as noise, and a view would shear the picture.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 4 or 0 in pixels.shape:
        raise ValueError(f"a frame of {pixels.dtype} {list(pixels.shape)}; frames are uint8 [H, W, 4] and not empty")
    if not pixels.flags.c_contiguous:
        raise ValueError("a frame whose rows do not follow each other in memory; use numpy.ascontiguousarray")


class Source(Protocol):
    """Delivers frames. Owned by one thread."""

    name: str

    def poll(self) -> Frame | None:
        """The newest frame not returned before, or None. Never blocks; frames in between are skipped."""

    def close(self) -> None:
        """Release everything. Idempotent."""


class Sink(Protocol):
    """Takes finished frames. Owned by one thread; called once per tick of the output clock."""

    name: str

    def publish(self, frame: Frame) -> None:
        """Show or send the frame. Must return within a tick: a slow consumer drops frames and counts them."""

    def close(self) -> None:
        """Release everything. Idempotent."""


@runtime_checkable
class Paced(Protocol):
    """A sink whose output declares a frame rate or depends on it."""

    def set_rate(self, rate: float) -> None:
        """From now on `rate` frames come per second. Called on the publishing thread; must not block."""
