"""The output as a Spout sender: a texture that other programs on this Windows machine take."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable

import numpy as np

from streamvace.records.frame import Frame, check_pixels
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError
from streamvace.video.core.alpha import to_premultiplied
from streamvace.video.core.mailbox import Mailbox
from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.spout.api import (
    GL_RGBA,
    NO_ANSWER,
    NO_CONTEXT,
    Receiver,
    Sender,
    SpoutModule,
    load_spout,
    own_senders,
)

log = logging.getLogger(__name__)


class SpoutSink:
    """Sends RGBA frames. One thread owns the sender and its OpenGL context; `publish` leaves the frame and returns.

    There is one sender from opening to closing, whatever happens to the picture's size: programs that receive keep
    their connection, and drivers leak when senders come and go. It starts with a black picture, so that receivers
    can be set up before the first frame, and so that a sender that does not work is refused when it is opened.
    """

    OPEN_SECONDS = 10.0
    CLOSE_SECONDS = 5.0

    def __init__(
        self,
        name: str,
        options: TextureOptions,
        size: tuple[int, int],
        load: Callable[[str], SpoutModule] = load_spout,
    ) -> None:
        """name: as receivers are to see it; size: (width, height) of the first picture, frames may change it.

        Raises UserError elsewhere than on Windows, without the package, or when nothing can be sent.
        """
        self._spout = load(name)
        self.real_name = name
        """What Spout calls the sender: a name that is taken gets `_1` added."""
        self.sent = 0
        self.refused = 0
        """Frames that Spout did not take."""
        self.last_fault = ""
        self._wanted = name
        self._size = size
        self._options = options
        self._refusal = ""
        self._opened = threading.Event()
        self._slot: Mailbox[Frame] = Mailbox()
        self._thread = threading.Thread(target=self._run, name=f"spout:{name}", daemon=True)
        self._thread.start()
        if not self._opened.wait(self.OPEN_SECONDS):
            self._refusal = NO_ANSWER.format(self.OPEN_SECONDS)
        if self._refusal:
            self.close()
            raise UserError(self._refusal)
        self.name = f"spout:{self.real_name}"
        if self.real_name != name:
            log.warning("Spout name %r is taken: receivers find this output as %r", name, self.real_name)

    @property
    def dropped(self) -> int:
        """Frames replaced by a newer one before they were sent."""
        return self._slot.dropped

    def publish(self, frame: Frame) -> None:
        check_pixels(frame.pixels)
        self._slot.put(frame)

    def close(self) -> None:
        self._slot.close()
        # A driver can hang for good; the thread is a daemon, so the process can still end.
        self._thread.join(self.CLOSE_SECONDS)

    def _run(self) -> None:
        try:
            sender = self._spout.SpoutSender()
            if not sender.createOpenGL():
                self._refusal = NO_CONTEXT
                return
            try:
                self._serve(sender)
            finally:
                sender.releaseSender()
                sender.closeOpenGL()
        except Exception as error:  # noqa: BLE001 - the last line of the thread: told by the opener or the log
            self._refusal = f"Spout failed ({_line(error)}); use ndi:NAME instead"
            self._note(f"stopped: {_line(error)}")
        finally:
            self._opened.set()

    def _serve(self, sender: Sender) -> None:
        # The list of senders is a question that only a receiver answers; it receives nothing.
        lister = self._spout.SpoutReceiver()
        before = set(lister.getSenderList())
        sender.setSenderName(self._wanted)
        black = np.zeros((self._size[1], self._size[0], 4), np.uint8)
        black[..., 3] = 255
        if not self._send(sender, Frame(black, now_ns(), "black", 0)):
            self._refusal = f"Spout does not take a picture ({self.last_fault}); use ndi:{self._wanted} instead"
            return
        self.sent = 0
        self.real_name = _registered(self._wanted, before, lister)
        own_senders.add(self.real_name)
        self._opened.set()
        while (frame := self._slot.wait()) is not None:
            if self._send(sender, frame):
                # For receivers that wait for a signal instead of looking again and again.
                sender.setFrameSync(self.real_name)
        own_senders.discard(self.real_name)

    def _send(self, sender: Sender, frame: Frame) -> bool:
        """Whether Spout took it. Never raises: one bad frame must not end the output."""
        try:
            pixels = to_premultiplied(frame.pixels) if self._options.premultiplied else frame.pixels
            height, width = pixels.shape[:2]
            # DirectX textures begin at the top left as our rows do, so upright is not inverted.
            taken = sender.sendImage(pixels, width, height, GL_RGBA, self._options.flipped, 0)
        except Exception as error:  # noqa: BLE001 - counted and shown
            taken = False
            self._note(_line(error))
        else:
            if not taken:
                self._note(f"{width}x{height} was not taken")
        self.sent += taken
        self.refused += not taken
        return taken

    def _note(self, fault: str) -> None:
        """Log a fault once, not once a frame."""
        if fault != self.last_fault:
            self.last_fault = fault
            log.warning("output spout:%s: %s", self.real_name, fault)


def _registered(wanted: str, before: set[str], lister: Receiver) -> str:
    """The name under which our sender is in the list now: the new one that is the wanted one, or that with a number."""
    ours = re.compile(re.escape(wanted) + r"(_\d+)?")
    new = sorted(name for name in lister.getSenderList() if name not in before and ours.fullmatch(name))
    # None is new when a program died under this name and Spout gave us its place.
    return wanted if wanted in new or not new else new[0]


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
