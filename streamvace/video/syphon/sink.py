"""The output as a Syphon server: a texture that other programs on this Mac take."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from streamvace.records.frame import Frame, check_pixels
from streamvace.system.errors import UserError
from streamvace.video.core.alpha import to_premultiplied
from streamvace.video.core.mailbox import Mailbox
from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.syphon.api import ServerList, Syphon, Texture, load_syphon, servers

log = logging.getLogger(__name__)


class SyphonSink:
    """Publishes RGBA frames on a thread of its own; `publish` leaves the frame and returns.

    There is one server from opening to closing, whatever happens to the picture's size. The main thread must call
    `pump`, or programs that start later do not find it.
    """

    CLOSE_SECONDS = 5.0

    def __init__(
        self,
        name: str,
        options: TextureOptions,
        load: Callable[[str], Syphon] = load_syphon,
        directory: ServerList = servers,
    ) -> None:
        """name: as receivers see it; two of the same name may live side by side.

        Raises UserError elsewhere than on macOS, without the package, or without a Metal device.
        """
        self._syphon = load(name)
        self.name = f"syphon:{name}"
        self.sent = 0
        self.refused = 0
        """Frames that Syphon did not take."""
        self.last_fault = ""
        self._options = options
        self._directory = directory
        self._textures: list[Texture] = []
        directory.use(self._syphon)
        try:
            self._server = self._syphon.server(name)
        except RuntimeError as error:
            raise UserError(f"no Syphon output on this machine ({error}); use ndi:{name} instead") from error
        self._uuid = self._server.server_description.uuid
        directory.remember_own(self._uuid)
        self._slot: Mailbox[Frame] = Mailbox()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames replaced by a newer one before they were sent."""
        return self._slot.dropped

    def publish(self, frame: Frame) -> None:
        check_pixels(frame.pixels)
        self._slot.put(frame)

    def pump(self) -> None:
        """Let macOS tell other programs of us. On the main thread, at its own cadence."""
        self._directory.pump()

    def close(self) -> None:
        self._slot.close()
        self._thread.join(self.CLOSE_SECONDS)

    def _run(self) -> None:
        while (frame := self._slot.wait()) is not None:
            try:
                with self._syphon.pool():
                    self._send(frame)
                self.sent += 1
            except Exception as error:  # noqa: BLE001 - counted and shown; one bad frame must not end the output
                self.refused += 1
                self._note(f"{type(error).__name__}: {error}")
        self._directory.forget_own(self._uuid)
        self._server.stop()

    def _send(self, frame: Frame) -> None:
        pixels = to_premultiplied(frame.pixels) if self._options.premultiplied else frame.pixels
        texture = self._next_texture(pixels.shape[1], pixels.shape[0])
        self._syphon.upload(pixels, texture)
        # A shared surface begins with its bottom row, as OpenGL has it, and ours with the top row: upright is flipped.
        self._server.publish_frame_texture(texture, is_flipped=not self._options.flipped)

    def _next_texture(self, width: int, height: int) -> Texture:
        """One of two in turn: the graphics card may still be reading the one before."""
        if not self._textures or (self._textures[0].width(), self._textures[0].height()) != (width, height):
            self._textures = [self._syphon.new_texture(self._server.device, width, height) for _ in range(2)]
        self._textures.reverse()
        return self._textures[0]

    def _note(self, fault: str) -> None:
        """Log a fault once, not once a frame."""
        if fault != self.last_fault:
            self.last_fault = fault
            log.warning("output %s: %s", self.name, fault)
