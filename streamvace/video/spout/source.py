"""A Spout sender, the texture of another program on this Windows machine, as a control source."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streamvace.system.clock import now_ns
from streamvace.video.core.shared_texture import TextureOptions, TextureSource
from streamvace.video.spout.api import (
    DXGI_BGRA,
    DXGI_BGRX,
    GL_BGRA,
    GL_RGBA,
    Receiver,
    SpoutModule,
    driver_fix,
    load_spout,
    opengl,
    own_senders,
)


class SpoutSource(TextureSource):
    """Receives the sender of that name. One thread owns the receiver and its OpenGL context."""

    REST_SECONDS = 0.008
    """After a picture. Users can switch off frame counting, and then every look finds a new picture."""
    SYNC_MS = 10

    def __init__(
        self,
        name: str,
        options: TextureOptions,
        size: tuple[int, int],
        load: Callable[[str], SpoutModule] = load_spout,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """name: of the sender; "" takes the active one, or another if that is our own. size: (width, height) of the
        frames offered. Waits for a sender that is not there yet.

        Raises UserError on systems other than Windows, without the package, or without OpenGL.
        """
        super().__init__("spout", name, options, size, pause)
        self.sender_format = 0
        """DirectX number of the sender's texture format."""
        self._spout = load(name)
        self._target = name
        self._buffer: NDArray[np.uint8] | None = None
        self._gl_format = GL_RGBA
        self._open_on_thread(driver_fix(name))

    def _run(self) -> None:
        receiver = self._spout.SpoutReceiver()
        with opengl(receiver, receiver.releaseReceiver):
            if self._wanted:
                receiver.setReceiverName(self._wanted)
            self._opened.set()
            self._receive(receiver)

    def _receive(self, receiver: Receiver) -> None:
        """Until closed. The same receiver goes on, whatever the sender does."""
        silent_signal = False
        while not self._stop.is_set():
            if not self._target and not self._choose(receiver):
                self._pause(self.SEARCH_SECONDS)
                continue
            try:
                took = self._look(receiver)
            except Exception as error:  # noqa: BLE001 - counted and logged; the next look may succeed
                self._fault_once(f"{type(error).__name__}: {error}")
                took = False
            if not self.connected_to:
                self._pause(self.SEARCH_SECONDS)
                continue
            signalled = receiver.waitFrameSync(self.connected_to, self.SYNC_MS)
            # Two signals in a row without a picture are not honoured: the loop would spin on them.
            if not signalled or (silent_signal and not took):
                self._pause(self.REST_SECONDS if took else self.LOOK_SECONDS)
            silent_signal = signalled and not took

    def _look(self, receiver: Receiver) -> bool:
        """Ask once for a picture; whether there was a new one."""
        try:
            received = receiver.receiveImage(self._buffer, self._gl_format, self._options.flipped, 0)
        except BufferError:
            # The sender has grown since the buffer was made. The call ended before it set isUpdated.
            self._adapt(receiver)
            return False
        if not received or not receiver.isConnected():
            self._lost()
            return False
        size = (receiver.getSenderHeight(), receiver.getSenderWidth())
        if receiver.isUpdated() or self._buffer is None or self._buffer.shape[:2] != size:
            # First contact, another size or another sender: this call brought no picture.
            self._adapt(receiver)
            return False
        # isFrameNew is also true without a sender; it counts only together with the result above.
        if not receiver.isFrameNew():
            return False
        bgra, opaque = self._gl_format == GL_BGRA, self.sender_format in DXGI_BGRX
        self._take(self._buffer, now_ns(), bgra=bgra, opaque=opaque)
        return True

    def _adapt(self, receiver: Receiver) -> None:
        """Fit the buffer and the channel order to the sender as it is now."""
        self.connected_to = self._target
        width, height = receiver.getSenderWidth(), receiver.getSenderHeight()
        self.sender_format = receiver.getSenderFormat()
        # The sender's own order: some drivers do not convert and would swap red and blue.
        self._gl_format = GL_BGRA if self.sender_format in (*DXGI_BGRA, *DXGI_BGRX) else GL_RGBA
        self._buffer = np.zeros((height, width, 4), np.uint8) if width and height else None

    def _lost(self) -> None:
        if self.connected_to:
            self.losses += 1
            self._fault_once(f"sender {self.connected_to} is gone; waiting for it")
        self.connected_to = ""
        self._buffer = None
        self._target = self._wanted

    def _choose(self, receiver: Receiver) -> bool:
        """Pick a sender that is not our own, the active one first; whether there is one."""
        senders, active = receiver.getSenderList(), receiver.getActiveSender()
        others = [name for name in sorted(senders, key=lambda name: name != active) if name not in own_senders]
        if others:
            self._target = others[0]
            receiver.setReceiverName(self._target)
        return bool(others)
