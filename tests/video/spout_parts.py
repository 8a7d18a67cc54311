"""What the Spout tests share: a sink and a source on a fake machine, and pictures for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from streamvace.video.frame import Frame
from streamvace.video.shared_texture import TextureOptions
from streamvace.video.spout_sink import SpoutSink
from streamvace.video.spout_source import SpoutSource
from tests.video.fake_spout import World
from tests.video.helpers import Turnstile

SIZE = (8, 6)
PLAIN = TextureOptions()


def frame(pixels: NDArray[np.uint8], sequence: int = 0) -> Frame:
    return Frame(pixels, 0, "test", sequence)


def grey(value: int, width: int = 8, height: int = 6) -> NDArray[np.uint8]:
    return np.full((height, width, 4), value, np.uint8)


def shows(world: World, name: str, picture: NDArray[np.uint8]) -> bool:
    return np.array_equal(world.shared[name].texture, picture)


@contextmanager
def sink(world: World, name: str = "out", options: TextureOptions = PLAIN) -> Iterator[SpoutSink]:
    opened = SpoutSink(name, options, SIZE, world.module)
    try:
        yield opened
    finally:
        world.free.set()
        opened.close()


@contextmanager
def source(
    world: World, name: str = "cam", options: TextureOptions = PLAIN, size: tuple[int, int] = SIZE
) -> Iterator[tuple[SpoutSource, Turnstile]]:
    """A source and the turnstile at which its thread stops after every look."""
    turnstile = Turnstile()
    opened = SpoutSource(name, options, size, world.module, turnstile)
    turnstile.arrive()
    try:
        yield opened, turnstile
    finally:
        opened._stop.set()
        turnstile.open()
        opened.close()


def next_picture(opened: SpoutSource, turnstile: Turnstile, looks: int = 4) -> NDArray[np.uint8]:
    """The picture that the source gives within so many looks."""
    for _ in range(looks):
        got = opened.poll()
        if got is not None:
            return got.pixels
        turnstile.turn()
    raise AssertionError(f"no picture within {looks} looks")
