"""What the Spout tests share: a sink and a source on a fake machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
from numpy.typing import NDArray

from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.spout.sink import SpoutSink
from streamvace.video.spout.source import SpoutSource
from tests.video.fake_spout import World
from tests.video.helpers import Turnstile
from tests.video.texture_parts import PLAIN, SIZE, stepped


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


def source(
    world: World, name: str = "cam", options: TextureOptions = PLAIN, size: tuple[int, int] = SIZE
) -> AbstractContextManager[tuple[SpoutSource, Turnstile]]:
    """A source that stops after every look."""
    return stepped(lambda turnstile: SpoutSource(name, options, size, world.module, turnstile, lambda: world.now_ns))
