"""What the Spout and the Syphon tests share: pictures, and a source that stops after every look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from streamvace.records.frame import Frame
from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.core.threaded import ThreadedSource
from tests.video.helpers import Turnstile

SIZE = (8, 6)
PLAIN = TextureOptions()

Opened = TypeVar("Opened", bound=ThreadedSource)


def frame(pixels: NDArray[np.uint8], sequence: int = 0) -> Frame:
    return Frame(pixels, 0, "test", sequence)


def grey(value: int, width: int = 8, height: int = 6) -> NDArray[np.uint8]:
    return np.full((height, width, 4), value, np.uint8)


@contextmanager
def stepped(opener: Callable[[Turnstile], Opened]) -> Iterator[tuple[Opened, Turnstile]]:
    """A source and the turnstile at which its thread stops after every look."""
    turnstile = Turnstile()
    opened = opener(turnstile)
    turnstile.arrive()
    try:
        yield opened, turnstile
    finally:
        opened._stop.set()
        turnstile.open()
        opened.close()


def next_picture(
    opened: ThreadedSource, turnstile: Turnstile, looks: int = 5, before: Callable[[], object] = lambda: None
) -> NDArray[np.uint8]:
    """The picture that the source gives within so many looks. before: what is done before each."""
    for _ in range(looks):
        got = opened.poll()
        if got is not None:
            return got.pixels
        before()
        turnstile.turn()
    raise AssertionError(f"no picture within {looks} looks")
