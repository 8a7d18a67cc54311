"""The part of syphon-python 0.2 that is used, as types, and the list of servers. macOS only.

Servers announce themselves by notifications, which macOS delivers only to the run loop of the main thread. So the main
thread must call `pump` regularly. Otherwise sources find no server, and programs that start later do not find ours.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command
from streamvace.video.core.shared_texture import require_system

METAL_RGBA = 70
METAL_BGRA = 80
"""Metal's numbers of the two pixel formats that can be read. Syphon's own servers use BGRA."""


class Texture(Protocol):
    """A Metal texture. Its methods are Objective-C's."""

    def width(self) -> int: ...

    def height(self) -> int: ...

    def pixelFormat(self) -> int: ...


class ServerDescription(Protocol):
    """A server before a connection. Names may be empty, and need not be unique."""

    uuid: str
    name: str
    app_name: str


class Server(Protocol):
    @property
    def device(self) -> object: ...

    @property
    def server_description(self) -> ServerDescription: ...

    def publish_frame_texture(self, texture: Texture, *, is_flipped: bool = False) -> None: ...

    def stop(self) -> None: ...


class Client(Protocol):
    @property
    def is_valid(self) -> bool: ...

    @property
    def has_new_frame(self) -> bool: ...

    @property
    def new_frame_image(self) -> Texture | None: ...

    def stop(self) -> None: ...


class Directory(Protocol):
    run_loop_interval: float

    def update_run_loop(self) -> None:
        """Run the calling thread's run loop for `run_loop_interval` seconds."""

    @property
    def servers(self) -> Sequence[ServerDescription]:
        """Reading it runs the run loop first."""


@dataclass(frozen=True)
class Syphon:
    """The functions of the package that are used."""

    server: Callable[[str], Server]
    client: Callable[[ServerDescription], Client]
    directory: Callable[[], Directory]
    new_texture: Callable[[object, int, int], Texture]
    """Device, width, height; RGBA."""
    upload: Callable[[NDArray[np.uint8], Texture], None]
    download: Callable[[Texture], NDArray[np.uint8]]
    pool: Callable[[], AbstractContextManager[object]]
    """Frees what Objective-C returns; a thread without a pool keeps it for ever."""


def load_syphon(name: str = "") -> Syphon:
    """Raises UserError on systems other than macOS and without the package.

    name: of the server the user asked for; it is used in the message.
    """
    require_system("darwin", "Syphon", name)
    try:
        objc = import_module("objc")  # exists on macOS only: type checkers elsewhere do not find it
        import syphon
        from syphon.utils.numpy import copy_image_to_mtl_texture, copy_mtl_texture_to_image
        from syphon.utils.raw import create_mtl_texture
    except ImportError as error:
        raise UserError(f"Syphon is not installed ({error}); run: {install_command('syphon')}") from error
    return Syphon(
        server=syphon.SyphonMetalServer,
        client=syphon.SyphonMetalClient,
        directory=syphon.SyphonServerDirectory,
        new_texture=create_mtl_texture,
        upload=copy_image_to_mtl_texture,
        download=copy_mtl_texture_to_image,
        pool=objc.autorelease_pool,
    )


class ServerList:
    """The servers as the main thread last saw them. Read from any thread."""

    def __init__(self, look_ns: int = 250_000_000) -> None:
        """look_ns: between two readings of the list. The run loop itself runs at every pump."""
        self.known: tuple[ServerDescription, ...] = ()
        self.own: set[str] = set()
        """uuids of our own servers, so that `syphon:` without a name does not receive our own output."""
        self._look_ns = look_ns
        self._looked_ns = now_ns() - look_ns
        self._lock = threading.Lock()
        self._directory: Directory | None = None

    def use(self, syphon: Syphon) -> None:
        """From now on `pump` runs the run loop. From any thread."""
        with self._lock:
            if self._directory is None:
                self._directory = syphon.directory()
                self._directory.run_loop_interval = 0.0  # handles what has arrived and returns

    def pump(self) -> None:
        """Let macOS deliver its notifications. On the main thread; does nothing while Syphon is not in use."""
        if self._directory is None:
            return
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("pump was called on another thread; macOS notifies the main thread only")
        if now_ns() - self._looked_ns < self._look_ns:
            self._directory.update_run_loop()
            return
        self._looked_ns = now_ns()
        self.known = tuple(self._directory.servers)

    def find(self, name: str) -> ServerDescription | None:
        """The server of that name, or of the application of that name; "" is the first that is not our own."""
        known = self.known
        if not name:
            return next((server for server in known if server.uuid not in self.own), None)
        named = [server for server in known if server.name == name]
        return next(iter(named or [server for server in known if server.app_name == name]), None)


servers = ServerList()
"""One for the process, as there is one main run loop."""


def pump() -> None:
    """Call it on the main thread at least 20 times a second while a show runs. See ServerList.pump."""
    servers.pump()
