"""syphon-python 0.2 as its source reads, and the other programs on the Mac.

Stricter than the real one: the run loop may be run on the main thread only, a client belongs to the thread that made
it, and nothing may be used after it was stopped.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvace.video.syphon.api import METAL_BGRA, METAL_RGBA, Syphon

BGRA = [2, 1, 0, 3]


@dataclass
class FakeTexture:
    pixels: NDArray[np.uint8]
    """`[H, W, 4]` in the order of the format; what its rows mean is a matter between the programs."""
    format: int = METAL_RGBA

    def width(self) -> int:
        return int(self.pixels.shape[1])

    def height(self) -> int:
        return int(self.pixels.shape[0])

    def pixelFormat(self) -> int:
        return self.format


@dataclass
class Description:
    uuid: str
    name: str
    app_name: str


@dataclass
class Published:
    """One server as the whole machine sees it."""

    description: Description
    surface: FakeTexture | None = None
    """BGRA, bottom row first: what OpenGL programs, and so all others, take for upright."""
    frame: int = 0


@dataclass
class Mac:
    published: dict[str, Published] = field(default_factory=dict)
    """By uuid."""
    announced: list[Description] = field(default_factory=list)
    """What the directory knows: as of the last time the run loop ran."""
    metal: bool = True
    made: list[str] = field(default_factory=list)
    pools: int = 0
    """Autorelease pools that are open now."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def load(self, name: str = "") -> Syphon:
        parts: dict[str, Any] = {
            "server": lambda name: FakeServer(self, name),
            "client": lambda description: FakeClient(self, description),
            "directory": lambda: FakeDirectory(self),
            "new_texture": new_texture,
            "upload": upload,
            "download": download,
            "pool": self.pool,
        }
        return Syphon(**parts)

    @contextmanager
    def pool(self) -> Iterator[None]:
        self.pools += 1
        try:
            yield
        finally:
            self.pools -= 1

    def start(self, name: str, app_name: str = "Other") -> str:
        """Another program starts a server; its uuid."""
        uuid = f"uuid-{next(self.numbers)}"
        self.published[uuid] = Published(Description(uuid, name, app_name))
        return uuid

    def send(self, uuid: str, rgba: NDArray[np.uint8], pixel_format: int = METAL_BGRA) -> None:
        """Another program publishes a picture, upright."""
        rows = rgba[::-1]
        surface = FakeTexture((rows[..., BGRA] if pixel_format == METAL_BGRA else rows).copy(), pixel_format)
        self.published[uuid].surface = surface
        self.published[uuid].frame += 1

    def stop(self, uuid: str) -> None:
        del self.published[uuid]

    def on_screen(self, name: str) -> NDArray[np.uint8]:
        """What another program shows of the server of that name, RGBA, top row first."""
        for published in self.published.values():
            if published.description.name == name and published.surface is not None:
                return published.surface.pixels[::-1][..., BGRA]
        raise KeyError(name)


class FakeDirectory:
    def __init__(self, mac: Mac) -> None:
        self.mac = mac
        self.run_loop_interval = 1.0

    def update_run_loop(self) -> None:
        assert threading.current_thread() is threading.main_thread(), "run loop of another thread"
        assert self.run_loop_interval < 0.01, "the main thread would stand still"
        self.mac.announced = [published.description for published in self.mac.published.values()]

    @property
    def servers(self) -> list[Description]:
        self.update_run_loop()
        return list(self.mac.announced)


class FakeServer:
    def __init__(self, mac: Mac, name: str) -> None:
        if not mac.metal:
            raise RuntimeError("No Metal device is available")
        self.mac = mac
        self.device = "metal"
        self.uuid = mac.start(name, "streamvace")
        self.server_description = mac.published[self.uuid].description
        mac.made.append(f"server {name}")

    def publish_frame_texture(self, texture: FakeTexture, *, is_flipped: bool = False) -> None:
        assert self.mac.pools > 0, "what Objective-C hands out here is never freed"
        assert texture.format == METAL_RGBA
        rows = texture.pixels[::-1] if is_flipped else texture.pixels
        published = self.mac.published[self.uuid]
        published.surface = FakeTexture(rows[..., BGRA].copy(), METAL_BGRA)
        published.frame += 1

    def stop(self) -> None:
        self.mac.stop(self.uuid)
        self.mac.made.append("server stopped")


class FakeClient:
    def __init__(self, mac: Mac, description: Description) -> None:
        if description.uuid not in mac.published:
            raise RuntimeError("Syphon could not create the client")
        self.mac, self.uuid = mac, description.uuid
        self.thread = threading.get_ident()
        self.seen = 0
        mac.made.append(f"client {description.name}")

    def _published(self) -> Published | None:
        assert threading.get_ident() == self.thread, "a client on a thread that did not make it"
        assert self.seen >= 0, "used after it was stopped"
        return self.mac.published.get(self.uuid)

    @property
    def is_valid(self) -> bool:
        return self._published() is not None

    @property
    def has_new_frame(self) -> bool:
        published = self._published()
        return published is not None and published.frame > self.seen

    @property
    def new_frame_image(self) -> FakeTexture | None:
        published = self._published()
        if published is None:
            return None
        self.seen = published.frame
        return published.surface

    def stop(self) -> None:
        self._published()
        self.seen = -1
        self.mac.made.append("client stopped")


def new_texture(device: object, width: int, height: int) -> FakeTexture:
    assert device == "metal"
    return FakeTexture(np.zeros((height, width, 4), np.uint8))


def upload(image: NDArray[np.uint8], texture: FakeTexture) -> None:
    assert image.dtype == np.uint8
    # The real one reads beyond the end of what is too small.
    assert image.shape == texture.pixels.shape
    texture.pixels[:] = image


def download(texture: FakeTexture) -> NDArray[np.uint8]:
    if texture.format not in (METAL_RGBA, METAL_BGRA):
        raise Exception("Not correct pixel format")
    picture = texture.pixels.copy()
    picture.flags.writeable = False  # as the real one: it is made of bytes
    return picture
