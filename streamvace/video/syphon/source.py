"""A Syphon server, the texture of another program on this Mac, as a control source."""

from __future__ import annotations

import time
from collections.abc import Callable

from streamvace.system.clock import now_ns
from streamvace.video.core.shared_texture import TextureOptions, TextureSource
from streamvace.video.syphon.api import METAL_BGRA, Client, ServerList, Syphon, load_syphon, servers


class SyphonSource(TextureSource):
    """Receives the server of that name.

    One thread makes, asks and stops the client. Servers are found only while the main thread calls `syphon.api.pump`.
    """

    def __init__(
        self,
        name: str,
        options: TextureOptions,
        size: tuple[int, int],
        load: Callable[[str], Syphon] = load_syphon,
        directory: ServerList = servers,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """name: of the server or of its application; "" takes the first that is not our own. size: (width, height) of
        the frames offered. Waits for a server that is not there yet.

        Raises UserError on systems other than macOS and without the package.
        """
        super().__init__("syphon", name, options, size, pause)
        self._syphon = load(name)
        self._directory = directory
        directory.use(self._syphon)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            server = self._directory.find(self._wanted)
            if server is not None:
                try:
                    client = self._syphon.client(server)
                except Exception as error:  # noqa: BLE001 - the server has just gone; the directory learns it soon
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
                    self._look(client)
                self._pause(self.LOOK_SECONDS)
        except Exception as error:  # noqa: BLE001 - counted and logged; the next search connects again
            self._fault_once(f"{type(error).__name__}: {error}")
        finally:
            client.stop()
        if not self._stop.is_set() and self.frames > before:
            self.losses += 1
        self.connected_to = ""

    def _look(self, client: Client) -> None:
        texture = client.new_frame_image if client.has_new_frame else None
        if texture is None:
            return
        captured_ns = now_ns()
        picture = self._syphon.download(texture)
        # As in OpenGL, a shared surface begins with its bottom row.
        upright = picture if self._options.flipped else picture[::-1]
        self._take(upright, captured_ns, bgra=texture.pixelFormat() == METAL_BGRA)
