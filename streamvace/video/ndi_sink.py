"""The output as an NDI sender on the network."""

from __future__ import annotations

import threading
from xml.sax.saxutils import quoteattr

from streamvace.errors import UserError
from streamvace.video.frame import Frame
from streamvace.video.mailbox import Mailbox
from streamvace.video.ndi_runtime import (
    close_at_exit,
    forget_own_sender,
    load_ndi,
    remember_own_sender,
)
from streamvace.video.rate import exact_rate


def frame_metadata(frame: Frame) -> str:
    """The line of XML that travels with the picture: which frame it is and when its newest control was captured."""
    return f'<streamvace frame="{frame.sequence}" captured_ns="{frame.captured_ns}" source={quoteattr(frame.source)}/>'


class NdiSink:
    """Sends RGBA frames. Compressing takes milliseconds, so it happens on a thread of its own and only while somebody
    receives; `publish` leaves the frame and returns."""

    def __init__(self, name: str, rate: float) -> None:
        """name: as receivers see it, `MACHINE (name)`; rate: frames a second of the output clock.

        Raises UserError without the NDI package, or when the name is taken on this machine.
        """
        self._ndi = load_ndi()
        settings = self._ndi.SendCreate()
        settings.ndi_name = name
        # The presenter keeps time. A clocked sender would block to keep its own.
        settings.clock_video = settings.clock_audio = False
        self._sender = self._ndi.send_create(settings)
        if self._sender is None:
            raise UserError(f"NDI name {name!r} is taken on this machine; choose another, such as ndi:{name}-2")
        self.full_name: str = self._ndi.send_get_source_name(self._sender).ndi_name
        self.name = f"ndi:{self.full_name}"
        self.sent = 0
        self.skipped = 0
        """Frames not compressed because nobody received."""
        self._rate = exact_rate(rate)
        self._slot: Mailbox[Frame] = Mailbox()
        remember_own_sender(self.full_name)
        close_at_exit(self)
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames replaced by a newer one before they were sent."""
        return self._slot.dropped

    def publish(self, frame: Frame) -> None:
        self._slot.put(frame)

    def receivers(self) -> int:
        """How many receive now."""
        return int(self._ndi.send_get_no_connections(self._sender, 0)) if self._thread.is_alive() else 0

    def close(self) -> None:
        self._slot.close()
        self._thread.join()

    def _run(self) -> None:
        while (frame := self._slot.wait()) is not None:
            if self._ndi.send_get_no_connections(self._sender, 0) == 0:
                self.skipped += 1
                continue
            self._send(frame)
        forget_own_sender(self.full_name)
        self._ndi.send_destroy(self._sender)

    def _send(self, frame: Frame) -> None:
        picture = self._ndi.VideoFrameV2()
        picture.data = frame.pixels
        picture.FourCC = self._ndi.FOURCC_VIDEO_TYPE_RGBA
        picture.line_stride_in_bytes = frame.pixels.shape[1] * 4
        # NDI chooses how much to compress by the declared rate, so it must be the true one.
        picture.frame_rate_N, picture.frame_rate_D = self._rate.numerator, self._rate.denominator
        picture.metadata = frame_metadata(frame)
        self._ndi.send_send_video_v2(self._sender, picture)
        self.sent += 1
