"""The output as an NDI sender on the network."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from streamvace.records.frame import Frame
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError
from streamvace.video.core.alpha import to_premultiplied
from streamvace.video.core.mailbox import Mailbox
from streamvace.video.core.rate import exact_rate
from streamvace.video.ndi.runtime import (
    close_at_exit,
    forget_own_sender,
    load_ndi,
    remember_own_sender,
)


@dataclass(frozen=True, slots=True)
class NdiOutput:
    """How a sender behaves. Named in the address: `ndi:NAME?failover=BACKUP`."""

    failover: str = ""
    """Name of the sender that receivers change to by themselves when this one ends: `MACHINE (name)`, or the name alone
    for one on this machine."""

    premultiplied: bool = False
    """Receivers expect colours multiplied by alpha, against NDI's custom."""


def frame_metadata(frame: Frame, now: int) -> str:
    """The line of XML that travels with the picture; now: on the clock `now_ns`.

    frame: number of the picture on the output. captured_ns: when its newest control was captured, on this machine's
    monotonic clock; latency_ms: how long ago that is, absent where no control shaped the picture. chunk, seed and
    generation (resets so far): what made it, absent on the slate before the first chunk.
    """
    facts: dict[str, object] = {"frame": frame.sequence, "captured_ns": frame.captured_ns}
    if frame.captured_ns:
        facts["latency_ms"] = f"{(now - frame.captured_ns) / 1e6:.1f}"
    if frame.made is not None:
        facts.update(chunk=frame.made.chunk, seed=frame.made.seed, generation=frame.made.generation)
    facts["source"] = frame.source
    return f"<streamvace {' '.join(f'{name}={quoteattr(str(fact))}' for name, fact in facts.items())}/>"


class NdiSink:
    """Sends RGBA frames. Compressing takes milliseconds, so it happens on a thread of its own and only while somebody
    receives; `publish` leaves the frame and returns."""

    def __init__(self, name: str, rate: float, options: NdiOutput | None = None) -> None:
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
        self._options = options or NdiOutput()
        if self._options.failover:
            self._fail_over_to(self._options.failover)
        self.sent = 0
        self.skipped = 0
        """Frames not compressed because nobody received."""
        self._rate = exact_rate(rate)
        self._slot: Mailbox[tuple[Frame, int]] = Mailbox()
        remember_own_sender(self.full_name)
        close_at_exit(self)
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames replaced by a newer one before they were sent."""
        return self._slot.dropped

    def set_rate(self, rate: float) -> None:
        self._rate = exact_rate(rate)

    def publish(self, frame: Frame) -> None:
        self._slot.put((frame, time.time_ns()))

    def receivers(self) -> int:
        """How many receive now."""
        return int(self._ndi.send_get_no_connections(self._sender, 0)) if self._thread.is_alive() else 0

    def close(self) -> None:
        self._slot.close()
        self._thread.join()

    def _run(self) -> None:
        while (item := self._slot.wait()) is not None:
            if self._ndi.send_get_no_connections(self._sender, 0) == 0:
                self.skipped += 1
                continue
            self._send(*item)
        forget_own_sender(self.full_name)
        self._ndi.send_destroy(self._sender)

    def _fail_over_to(self, name: str) -> None:
        backup = self._ndi.Source()
        machine = self.full_name.partition(" (")[0]
        backup.ndi_name = name if " (" in name else f"{machine} ({name})"
        self._ndi.send_set_failover(self._sender, backup)

    def _send(self, frame: Frame, published_ns: int) -> None:
        """published_ns: on the wall clock, since 1970."""
        picture = self._ndi.VideoFrameV2()
        picture.data = to_premultiplied(frame.pixels) if self._options.premultiplied else frame.pixels
        picture.FourCC = self._ndi.FOURCC_VIDEO_TYPE_RGBA
        picture.line_stride_in_bytes = frame.pixels.shape[1] * 4
        # NDI chooses how much to compress by the declared rate, so it must be the true one.
        picture.frame_rate_N, picture.frame_rate_D = self._rate.numerator, self._rate.denominator
        picture.timecode = published_ns // 100
        picture.metadata = frame_metadata(frame, now_ns())
        self._ndi.send_send_video_v2(self._sender, picture)
        self.sent += 1
