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
    """After a picture. Unless its user switches frame counting on, every look finds a new picture."""
    SYNC_MS = 10
    SETTLE_NS = 200_000_000
    """After connecting, an empty picture is taken for a buffer that is not filled yet, this long at most. Two frames of
    a slow sender (10 fps) fit."""
    REFUSED_NS = 1_000_000_000
    """A sender that is listed and cannot be received for this long is reported. Replacing a texture takes less."""

    def __init__(
        self,
        name: str,
        options: TextureOptions,
        size: tuple[int, int],
        load: Callable[[str], SpoutModule] = load_spout,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], int] = now_ns,
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
        self._clock = clock
        self._buffer: NDArray[np.uint8] | None = None
        self._reads = 0
        """Pictures read into this buffer."""
        self._settled = False
        """Whether a picture was offered from this buffer."""
        self._settle_until = 0
        self._refused_since: int | None = None
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
        """Ask for a picture; whether there was a new one."""
        read = self._read(receiver)
        if read and self._reads == 1:
            # Spout copies into one of two buffers and hands over the other, so the first read is empty or old.
            read = self._read(receiver)
        if self._buffer is None or not self._reads:
            return False
        overdue = self._clock() >= self._settle_until
        if read and (self._settled or overdue or self._buffer.any()):
            self._settled = True
            bgra, opaque = self._gl_format == GL_BGRA, self.sender_format == DXGI_BGRX
            self._take(self._buffer, now_ns(), bgra=bgra, opaque=opaque)
            return True
        if self._reads == 1 and overdue:
            self._fault_once(f"sender {self.connected_to} sent one picture; Spout hands it over with the next one")
        return False

    def _read(self, receiver: Receiver) -> bool:
        """Ask Spout once; whether it wrote into the buffer."""
        try:
            received = receiver.receiveImage(self._buffer, self._gl_format, self._options.flipped, 0)
        except BufferError:
            # The sender has grown since the buffer was made. The call ended before it set isUpdated.
            self._adapt(receiver)
            return False
        if not received or not receiver.isConnected():
            self._lost(receiver)
            return False
        self._refused_since = None
        size = (receiver.getSenderHeight(), receiver.getSenderWidth())
        if receiver.isUpdated() or self._buffer is None or self._buffer.shape[:2] != size:
            # First contact, another size or another sender: this call brought no picture.
            self._adapt(receiver)
            return False
        # isFrameNew is also true without a sender; it counts only together with the result above.
        if not receiver.isFrameNew():
            return False
        self._reads += 1
        return True

    def _adapt(self, receiver: Receiver) -> None:
        """Fit the buffer and the channel order to the sender as it is now."""
        self.connected_to = self._target
        width, height = receiver.getSenderWidth(), receiver.getSenderHeight()
        self.sender_format = receiver.getSenderFormat()
        # The sender's own order: some drivers do not convert and would swap red and blue.
        self._gl_format = GL_BGRA if self.sender_format in (DXGI_BGRA, DXGI_BGRX) else GL_RGBA
        self._buffer = np.zeros((height, width, 4), np.uint8) if width and height else None
        self._reads, self._settled, self._settle_until = 0, False, self._clock() + self.SETTLE_NS

    def _lost(self, receiver: Receiver) -> None:
        if self.connected_to:
            self.losses += 1
            self._fault_once(f"sender {self.connected_to} is gone; waiting for it")
        self._report_refusal(receiver)
        self.connected_to = ""
        self._buffer = None
        self._target = self._wanted

    def _report_refusal(self, receiver: Receiver) -> None:
        """Say it when the sender is there and Spout cannot open its texture, which otherwise looks like no sender."""
        if self._target not in receiver.getSenderList():
            self._refused_since = None
            return
        now = self._clock()
        self._refused_since = now if self._refused_since is None else self._refused_since
        if now - self._refused_since >= self.REFUSED_NS:
            self._fault_once(
                f"sender {self._target} is there and its texture cannot be opened: send 8-bit RGBA, and run both "
                "programs on the same graphics adapter"
            )

    def _choose(self, receiver: Receiver) -> bool:
        """Pick a sender that is not our own, the active one first; whether there is one."""
        senders, active = receiver.getSenderList(), receiver.getActiveSender()
        others = [name for name in sorted(senders, key=lambda name: name != active) if name not in own_senders]
        if others:
            self._target = others[0]
            receiver.setReceiverName(self._target)
        return bool(others)
