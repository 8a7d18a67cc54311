"""A Syphon server, that is another program's texture on this Mac, as a control source."""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np

from streamvace.system.clock import now_ns
from streamvace.video.core.alpha import to_straight
from streamvace.video.core.resize import fit_cover
from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.core.threaded import ThreadedSource
from streamvace.video.syphon.api import METAL_BGRA, Client, ServerList, Syphon, Texture, load_syphon, servers


class SyphonSource(ThreadedSource):
    """Receives from the server of that name, whenever it is there. It may start late, stop, come back and change size.

    The client is made, asked and stopped on one thread; only the search is the main thread's, which must call `pump`.
    """

    SEARCH_SECONDS = 0.1
    LOOK_SECONDS = 0.002
    """Between two looks for a new picture."""

    def __init__(
        self,
        name: str,
        options: TextureOptions,
        size: tuple[int, int],
        load: Callable[[str], Syphon] = load_syphon,
        directory: ServerList = servers,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """name: of the server or of its application, "" takes the first that is not our own; size: (width, height) of
        the frames given. Raises UserError elsewhere than on macOS or without the package. A server that is not there
        yet is waited for."""
        super().__init__(f"syphon:{name}")
        self._syphon = load(name)
        self.connected_to = ""
        """Name of the server that we listen to, or of its application; "" while there is none."""
        self.losses = 0
        """How often the server went away."""
        self._wanted = name
        self._options = options
        self._size = size
        self._directory = directory
        self._pause = pause
        self._told = ""
        directory.use(self._syphon)
        self._thread.start()

    def pump(self) -> None:
        """Let macOS tell us of servers. On the main thread, at its own cadence."""
        self._directory.pump()

    def _run(self) -> None:
        while not self._stop.is_set():
            server = self._directory.find(self._wanted)
            if server is not None:
                try:
                    client = self._syphon.client(server)
                except Exception as error:  # noqa: BLE001 - gone in this moment; the main thread will hear of it
                    self._fault_once(f"{type(error).__name__}: {error}")
                else:
                    self.connected_to = server.name or server.app_name
                    self._receive(client)
            self._pause(self.SEARCH_SECONDS)

    def _receive(self, client: Client) -> None:
        """Until closed or until the server is gone."""
        before = self.frames
        try:
            while not self._stop.is_set() and client.is_valid:
                with self._syphon.pool():
                    texture = client.new_frame_image if client.has_new_frame else None
                    if texture is not None:
                        self._take(texture)
                self._pause(self.LOOK_SECONDS)
        except Exception as error:  # noqa: BLE001 - counted and shown, and the connection is made anew
            self._fault_once(f"{type(error).__name__}: {error}")
        finally:
            client.stop()
        if not self._stop.is_set() and self.frames > before:
            self.losses += 1
        self.connected_to = ""

    def _take(self, texture: Texture) -> None:
        captured_ns = now_ns()
        picture = self._syphon.download(texture)
        if not self._options.flipped:
            # A shared surface begins with its bottom row, as OpenGL has it.
            picture = picture[::-1]
        # Either way a copy of our own.
        if texture.pixelFormat() == METAL_BGRA:
            pixels = np.asarray(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_BGRA2RGBA), dtype=np.uint8)
        else:
            pixels = picture.copy()
        if self._options.premultiplied:
            pixels = to_straight(pixels)
        self._told = ""
        self.sender_size = (pixels.shape[1], pixels.shape[0])
        self._offer(fit_cover(pixels, self._size), captured_ns)

    def _fault_once(self, what: str) -> None:
        """Count and log a fault, but not the same one at every look."""
        if what != self._told:
            self._told = what
            self._fault(what)
