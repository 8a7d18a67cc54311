"""A Spout sender, that is another program's texture on this Windows machine, as a control source."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError
from streamvace.video.core.alpha import to_straight
from streamvace.video.core.resize import fit_cover
from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.core.threaded import ThreadedSource
from streamvace.video.spout.api import (
    DXGI_BGRA,
    DXGI_BGRX,
    GL_BGRA,
    GL_RGBA,
    NO_ANSWER,
    NO_CONTEXT,
    Receiver,
    SpoutModule,
    load_spout,
    own_senders,
)


class SpoutSource(ThreadedSource):
    """Receives from the sender of that name, whenever it is there. It may start late, stop, come back and change size.

    One thread owns the receiver and its OpenGL context, from opening to closing.
    """

    OPEN_SECONDS = 10.0
    SEARCH_SECONDS = 0.1
    """Between two looks for a sender that is not there."""
    LOOK_SECONDS = 0.002
    """Between two looks for a new picture at a sender that gives no signal."""
    REST_SECONDS = 0.008
    """After a picture: without frame counting, which users can switch off, every look would find a new one."""
    SYNC_MS = 10

    def __init__(
        self,
        name: str,
        options: TextureOptions,
        size: tuple[int, int],
        load: Callable[[str], SpoutModule] = load_spout,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """name: of the sender, "" takes the active one, or another when that is our own; size: (width, height) of the
        frames given. Raises UserError elsewhere than on Windows, without the package, or without OpenGL. A sender
        that is not there yet is waited for."""
        super().__init__(f"spout:{name}")
        self._spout = load(name)
        self.connected_to = ""
        """Name of the sender that we listen to; "" while there is none."""
        self.sender_format = 0
        """DirectX number of its texture format."""
        self.losses = 0
        """How often the sender went away."""
        self._wanted = name
        self._target = name
        self._size = size
        self._options = options
        # Not Event.wait: Windows wakes that only on its 15.6 ms timer.
        self._pause = pause
        self._buffer: NDArray[np.uint8] | None = None
        self._gl_format = GL_RGBA
        self._told = ""
        self._refusal = ""
        self._opened = threading.Event()
        self._thread.start()
        if not self._opened.wait(self.OPEN_SECONDS):
            self._refusal = NO_ANSWER.format(self.OPEN_SECONDS)
        if self._refusal:
            self.close()
            raise UserError(self._refusal)

    def _run(self) -> None:
        try:
            receiver = self._spout.SpoutReceiver()
            if not receiver.createOpenGL():
                self._refusal = NO_CONTEXT
                return
            try:
                if self._wanted:
                    receiver.setReceiverName(self._wanted)
                self._opened.set()
                self._receive(receiver)
            finally:
                receiver.releaseReceiver()
                receiver.closeOpenGL()
        except Exception as error:
            if not self._opened.is_set():
                self._refusal = f"Spout failed ({error}); use ndi:NAME instead"
            raise
        finally:
            self._opened.set()

    def _receive(self, receiver: Receiver) -> None:
        """Until closed. Whatever the sender does, the same receiver goes on."""
        silent_signal = False
        while not self._stop.is_set():
            if not self._target and not self._choose(receiver):
                self._pause(self.SEARCH_SECONDS)
                continue
            try:
                took = self._look(receiver)
            except Exception as error:  # noqa: BLE001 - counted and shown; the sender may be well again next time
                self._fault_once(f"{type(error).__name__}: {error}")
                took = False
            if not self.connected_to:
                self._pause(self.SEARCH_SECONDS)
                continue
            signalled = receiver.waitFrameSync(self.connected_to, self.SYNC_MS)
            # A signal that comes without a picture twice running is none: without this the loop would spin on it.
            if not signalled or (silent_signal and not took):
                self._pause(self.REST_SECONDS if took else self.LOOK_SECONDS)
            silent_signal = signalled and not took

    def _look(self, receiver: Receiver) -> bool:
        """Ask once for a picture; whether there was a new one."""
        try:
            received = receiver.receiveImage(self._buffer, self._gl_format, self._options.flipped, 0)
        except BufferError:
            # Grown since the buffer was made. isUpdated says nothing of it: the call ended before it looked.
            self._adapt(receiver)
            return False
        if not received or not receiver.isConnected():
            self._lost()
            return False
        there = (receiver.getSenderHeight(), receiver.getSenderWidth())
        if receiver.isUpdated() or self._buffer is None or self._buffer.shape[:2] != there:
            # First contact, another size or another sender: what this call brought is not a picture.
            self._adapt(receiver)
            return False
        # isFrameNew alone is true without a sender as well; only together with the result does it mean a picture.
        if not receiver.isFrameNew():
            return False
        self._take(self._buffer)
        return True

    def _adapt(self, receiver: Receiver) -> None:
        """Fit the buffer and the channel order to the sender as it is now."""
        self.connected_to = self._target
        self._told = ""
        width, height = receiver.getSenderWidth(), receiver.getSenderHeight()
        self.sender_size = (width, height)
        self.sender_format = receiver.getSenderFormat()
        # In its own order: some drivers do not reorder and hand out red for blue.
        self._gl_format = GL_BGRA if self.sender_format in (*DXGI_BGRA, *DXGI_BGRX) else GL_RGBA
        self._buffer = np.zeros((height, width, 4), np.uint8) if width and height else None

    def _take(self, buffer: NDArray[np.uint8]) -> None:
        captured_ns = now_ns()
        # Always a copy: the buffer is written again.
        if self._gl_format == GL_BGRA:
            pixels = np.asarray(cv2.cvtColor(buffer, cv2.COLOR_BGRA2RGBA), dtype=np.uint8)
        else:
            pixels = buffer.copy()
        if self.sender_format in DXGI_BGRX:
            pixels[..., 3] = 255
        if self._options.premultiplied:
            pixels = to_straight(pixels)
        self._offer(fit_cover(pixels, self._size), captured_ns)

    def _lost(self) -> None:
        if self.connected_to:
            self.losses += 1
            self._fault_once(f"sender {self.connected_to} is gone; waiting for it")
        self.connected_to = ""
        self._buffer = None
        self._target = self._wanted

    def _choose(self, receiver: Receiver) -> bool:
        """Pick a sender that is not our own, the active one first."""
        there = receiver.getSenderList()
        active = receiver.getActiveSender()
        choice = [name for name in sorted(there, key=lambda name: name != active) if name not in own_senders]
        if choice:
            self._target = choice[0]
            receiver.setReceiverName(self._target)
        return bool(choice)

    def _fault_once(self, what: str) -> None:
        """Count and log a fault, but not the same one at every look."""
        if what != self._told:
            self._told = what
            self._fault(what)
