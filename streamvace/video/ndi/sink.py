"""The output as an NDI sender on the network."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from streamvace.records.frame import Frame
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError
from streamvace.video.core.alpha import to_premultiplied
from streamvace.video.core.rate import exact_rate
from streamvace.video.core.threaded import ThreadedSink
from streamvace.video.ndi.runtime import close_at_exit, load_ndi, own_senders


@dataclass(frozen=True, slots=True)
class NdiOutput:
    """Options of an output, as in `ndi:NAME?failover=BACKUP`."""

    failover: str = ""
    """The sender that receivers switch to by themselves when this one ends: `MACHINE (name)`, or the name alone for one
    on this machine."""

    premultiplied: bool = False
    """Receivers expect colours multiplied by alpha, unlike most NDI receivers."""


def frame_metadata(frame: Frame, now: int) -> str:
    """The line of XML that travels with the picture. now: on the clock `now_ns`.

    frame: number of the picture on the output. captured_ns: when its newest control picture was captured, on this
    machine's monotonic clock; latency_ms: its age, absent if no control picture was used. chunk, seed and generation
    (resets so far): absent on the slate before the first chunk.
    """
    facts: dict[str, object] = {"frame": frame.sequence, "captured_ns": frame.captured_ns}
    if frame.captured_ns:
        facts["latency_ms"] = f"{(now - frame.captured_ns) / 1e6:.1f}"
    if frame.made is not None:
        facts.update(chunk=frame.made.chunk, seed=frame.made.seed, generation=frame.made.generation)
    facts["source"] = frame.source
    return f"<streamvace {' '.join(f'{name}={quoteattr(str(fact))}' for name, fact in facts.items())}/>"


class NdiSink(ThreadedSink):
    """Sends RGBA frames. The thread compresses them, which takes milliseconds, only while somebody receives."""

    CLOSE_SECONDS = None  # the library aborts the process if it is unloaded while a sender is in use

    def __init__(self, name: str, rate: float, options: NdiOutput | None = None) -> None:
        """name: receivers see it as `MACHINE (name)`; rate: frames a second of the output clock.

        Raises UserError without the NDI package, or when the name is taken on this machine.
        """
        self._ndi = load_ndi()
        settings = self._ndi.SendCreate()
        settings.ndi_name = name
        # The presenter keeps time. A clocked sender would block.
        settings.clock_video = settings.clock_audio = False
        self._sender = self._ndi.send_create(settings)
        if self._sender is None:
            raise UserError(f"NDI name {name!r} is taken on this machine; choose another, such as ndi:{name}-2")
        self.full_name: str = self._ndi.send_get_source_name(self._sender).ndi_name
        super().__init__(f"ndi:{self.full_name}")
        self._options = options or NdiOutput()
        if self._options.failover:
            self._fail_over_to(self._options.failover)
        self._rate = exact_rate(rate)
        own_senders.add(self.full_name)
        close_at_exit(self)
        self._thread.start()

    def set_rate(self, rate: float) -> None:
        self._rate = exact_rate(rate)

    def _run(self) -> None:
        self._serve()
        own_senders.discard(self.full_name)
        self._ndi.send_destroy(self._sender)

    def _received(self) -> bool:
        return bool(self._ndi.send_get_no_connections(self._sender, 0))

    def _fail_over_to(self, name: str) -> None:
        backup = self._ndi.Source()
        machine = self.full_name.partition(" (")[0]
        backup.ndi_name = name if " (" in name else f"{machine} ({name})"
        self._ndi.send_set_failover(self._sender, backup)

    def _send(self, frame: Frame, published_ns: int) -> None:
        picture = self._ndi.VideoFrameV2()
        picture.data = to_premultiplied(frame.pixels) if self._options.premultiplied else frame.pixels
        picture.FourCC = self._ndi.FOURCC_VIDEO_TYPE_RGBA
        picture.line_stride_in_bytes = frame.pixels.shape[1] * 4
        # NDI chooses the compression by the declared rate, so it must be the true one.
        picture.frame_rate_N, picture.frame_rate_D = self._rate.numerator, self._rate.denominator
        picture.timecode = published_ns // 100
        picture.metadata = frame_metadata(frame, now_ns())
        self._ndi.send_send_video_v2(self._sender, picture)
