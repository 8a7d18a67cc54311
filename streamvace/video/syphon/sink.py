"""The output as a Syphon server: a texture that other programs on this Mac receive."""

from __future__ import annotations

from collections.abc import Callable

from streamvace.records.frame import Frame
from streamvace.system.errors import UserError
from streamvace.video.core.alpha import to_premultiplied
from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.core.threaded import ThreadedSink
from streamvace.video.syphon.api import ServerList, Syphon, Texture, load_syphon, servers


class SyphonSink(ThreadedSink):
    """Publishes RGBA frames with one server, from opening to closing, whatever the size of the frames.

    Programs that start later find it only while the main thread calls `syphon.api.pump`.
    """

    def __init__(
        self,
        name: str,
        options: TextureOptions,
        load: Callable[[str], Syphon] = load_syphon,
        directory: ServerList = servers,
    ) -> None:
        """name: as receivers see it; two servers may have the same name.

        Raises UserError on systems other than macOS, without the package, or without a Metal device.
        """
        super().__init__(f"syphon:{name}")
        self._syphon = load(name)
        self._options = options
        self._directory = directory
        self._textures: list[Texture] = []
        directory.use(self._syphon)
        try:
            self._server = self._syphon.server(name)
        except RuntimeError as error:
            raise UserError(f"no Syphon output on this machine ({error}); use ndi:{name} instead") from error
        self._uuid = self._server.server_description.uuid
        directory.own.add(self._uuid)
        self._thread.start()

    def _run(self) -> None:
        self._serve()
        self._directory.own.discard(self._uuid)
        self._server.stop()

    def _send(self, frame: Frame, published_ns: int) -> None:
        pixels = to_premultiplied(frame.pixels) if self._options.premultiplied else frame.pixels
        with self._syphon.pool():
            texture = self._next_texture(pixels.shape[1], pixels.shape[0])
            self._syphon.upload(pixels, texture)
            # As in OpenGL, a shared surface begins with its bottom row and our frames with the top row: upright is
            # flipped.
            self._server.publish_frame_texture(texture, is_flipped=not self._options.flipped)

    def _next_texture(self, width: int, height: int) -> Texture:
        """One of two in turn: the graphics card may still read the previous one."""
        if not self._textures or (self._textures[0].width(), self._textures[0].height()) != (width, height):
            self._textures = [self._syphon.new_texture(self._server.device, width, height) for _ in range(2)]
        self._textures.reverse()
        return self._textures[0]
