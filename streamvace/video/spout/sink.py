"""The output as a Spout sender: a texture that other programs on this Windows machine receive."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streamvace.records.frame import Frame
from streamvace.video.core.alpha import to_premultiplied
from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.core.threaded import ThreadedSink
from streamvace.video.spout.api import (
    GL_RGBA,
    Receiver,
    Sender,
    SpoutModule,
    driver_fix,
    load_spout,
    opengl,
    own_senders,
)

log = logging.getLogger(__name__)


class SpoutSink(ThreadedSink):
    """Sends RGBA frames. One thread owns the sender and its OpenGL context.

    One sender lives from opening to closing, whatever the size of the frames: receivers keep their connection, and
    drivers leak when senders come and go. It starts with a black picture, so that receivers can be set up before the
    first frame and a sender that does not work fails when it is opened.
    """

    def __init__(
        self,
        name: str,
        options: TextureOptions,
        size: tuple[int, int],
        load: Callable[[str], SpoutModule] = load_spout,
    ) -> None:
        """name: as receivers should see it; size: (width, height) of the first picture, frames may change it.

        Raises UserError on systems other than Windows, without the package, or when nothing can be sent.
        """
        super().__init__(f"spout:{name}")
        self.real_name = name
        """What Spout calls the sender: it adds `_1` to a name that is taken."""
        self._spout = load(name)
        self._size = size
        self._options = options
        self._open_on_thread(driver_fix(name))
        if self.real_name != name:
            log.warning("Spout name %r is taken: receivers find this output as %r", name, self.real_name)

    def _run(self) -> None:
        self._sender = self._spout.SpoutSender()
        with opengl(self._sender, self._sender.releaseSender):
            self._register(self._sender)
            self._opened.set()
            self._serve()
            own_senders.discard(self.real_name)

    def _register(self, sender: Sender) -> None:
        """Send a black picture and read back the name under which Spout lists us."""
        lister = self._spout.SpoutReceiver()  # only a receiver can list senders; this one receives nothing
        before = set(lister.getSenderList())
        sender.setSenderName(self.real_name)
        black = np.zeros((self._size[1], self._size[0], 4), np.uint8)
        black[..., 3] = 255
        self._send_image(black)
        self.real_name = _registered(self.real_name, before, lister)
        self.name = f"spout:{self.real_name}"
        own_senders.add(self.real_name)

    def _send(self, frame: Frame, published_ns: int) -> None:
        self._send_image(to_premultiplied(frame.pixels) if self._options.premultiplied else frame.pixels)
        self._sender.setFrameSync(self.real_name)  # for receivers that wait for a signal instead of polling

    def _send_image(self, pixels: NDArray[np.uint8]) -> None:
        height, width = pixels.shape[:2]
        # DirectX textures begin at the top left as our rows do, so upright is not inverted.
        if not self._sender.sendImage(pixels, width, height, GL_RGBA, self._options.flipped, 0):
            raise RuntimeError(f"{width}x{height} was not taken")


def _registered(wanted: str, before: set[str], lister: Receiver) -> str:
    """The name of our sender: `wanted`, or `wanted` with a number, whichever is new in the list."""
    ours = re.compile(re.escape(wanted) + r"(_\d+)?")
    new = sorted(name for name in lister.getSenderList() if name not in before and ours.fullmatch(name))
    # None is new when a program crashed under this name: Spout then reuses its entry.
    return wanted if wanted in new or not new else new[0]
