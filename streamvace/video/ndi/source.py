"""An NDI sender on the network as a control source."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvace.system.clock import now_ns
from streamvace.video.core.alpha import to_straight
from streamvace.video.core.resize import fit_cover
from streamvace.video.core.threaded import ThreadedSource
from streamvace.video.ndi.runtime import NdiAddress, NdiFinder, close_at_exit, destroy_receiver, load_ndi

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NdiInput:
    """Options of an input, as in `ndi:NAME?ips=10.0.0.5,10.0.0.6` or `ndi:?url=10.0.0.5:5961`."""

    ips: str = ""
    """Hosts to search besides the local network and STREAMVACE_NDI_IPS, separated by commas."""

    url: str = ""
    """Where the sender listens, `ip:port`; no search then. Senders take 5961, 5962, ... as they start."""

    premultiplied: bool = False
    """The sender's colours are multiplied by alpha, unlike those of most NDI senders."""

    def __post_init__(self) -> None:
        host, colon, port = self.url.rpartition(":")
        if self.url and not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
            raise ValueError(f"url takes ip:port, not {self.url!r}; write url=10.0.0.5:5961")


def pixels_of(video: Any) -> NDArray[np.uint8]:
    """The picture of a captured frame of four bytes a pixel, uint8 `[yres, xres, 4]`: a view of a copy.

    Rows begin every `line_stride_in_bytes`, which is more than xres * 4 for many widths. The binding copies yres * xres
    pixels and ignores the padding, which skews the picture and loses its end. While the frame claims to be as wide as
    its stride, it copies everything.
    """
    width: int = video.xres
    video.xres = video.line_stride_in_bytes // 4
    padded: NDArray[np.uint8] = video.data
    video.xres = width
    return padded[:, :width]


class NdiSource(ThreadedSource):
    """Receives the sender of that name. It may start later, stop, and come back on another port.

    A connection proves nothing, only frames do. After SILENT_SECONDS without one the receiver is replaced.
    """

    SILENT_SECONDS = 3.0
    SEARCH_SECONDS = 0.5
    RENEW_SECONDS = 5.0
    """A search without a result starts again after this. Without mDNS the programs of a machine share one port for
    searches: one of them answers each finder, for its own senders only; a new finder may reach another program."""
    CAPTURE_MS = 100

    def __init__(self, name: str, options: NdiInput, size: tuple[int, int]) -> None:
        """name: full or short, "" takes the first found; size: (width, height) of the frames offered.

        Waits for a sender that is not there yet. Raises UserError without the NDI package.
        """
        super().__init__(f"ndi:{name}")
        self._ndi = load_ndi()
        self.connected_to = ""
        """Full name of the sender that is received; "" while searching."""
        self.metadata = ""
        """XML of the newest frame."""
        self.timecode = 0
        """Of the newest frame, in units of 100 ns: usually the sender's wall clock."""
        self.skipped = 0
        """Frames not converted because newer ones were waiting."""
        self.rebuilt = 0
        """How often a silent receiver was replaced."""
        self.renewed = 0
        """How often a search without a result started again."""
        self._wanted = name
        self._size = size
        self._options = options
        close_at_exit(self)
        self._thread.start()

    def _run(self) -> None:
        finder = None if self._options.url else NdiFinder(self._options.ips)
        direct = NdiAddress(self._wanted or self._options.url, self._options.url)
        asked_ns = now_ns()
        while not self._stop.is_set():
            address = direct if finder is None else finder.find(self._wanted)
            if address is None:
                assert finder is not None
                if now_ns() - asked_ns > self.RENEW_SECONDS * 1e9:
                    there = ", ".join(each.full_name for each in finder.addresses()) or "none"
                    self._fault(f"no NDI sender {self._wanted!r} yet (found: {there}); still searching")
                    finder.close()
                    finder, asked_ns = NdiFinder(self._options.ips), now_ns()
                    self.renewed += 1
                finder.wait(self.SEARCH_SECONDS)
                continue
            receiver = self._connect(address)
            before = self.frames
            self._receive(receiver)
            self.connected_to, asked_ns = "", now_ns()
            destroy_receiver(receiver)
            if not self._stop.is_set():
                self.rebuilt += 1
                if self.frames > before:
                    log.warning("source %s: no frame for %.0f s; connecting again", self.name, self.SILENT_SECONDS)
        if finder is not None:
            finder.close()

    def _connect(self, address: NdiAddress) -> Any:
        settings = self._ndi.RecvCreateV3()
        settings.color_format = self._ndi.RECV_COLOR_FORMAT_RGBX_RGBA
        settings.bandwidth = self._ndi.RECV_BANDWIDTH_HIGHEST
        settings.allow_video_fields = False
        receiver = self._ndi.recv_create_v3(settings)
        sender = self._ndi.Source()
        sender.ndi_name, sender.url_address = address.full_name, address.url
        self._ndi.recv_connect(receiver, sender)
        self.connected_to = address.full_name
        return receiver

    def _receive(self, receiver: Any) -> None:
        """Until closed or silent. Everything captured is given back to the library, used or not."""
        ndi = self._ndi
        heard_ns = now_ns()
        while not self._stop.is_set() and now_ns() - heard_ns < self.SILENT_SECONDS * 1e9:
            kind, video, audio, metadata = ndi.recv_capture_v2(receiver, self.CAPTURE_MS)
            if kind == ndi.FRAME_TYPE_VIDEO:
                heard_ns = now_ns()
                if ndi.recv_get_queue(receiver).video_frames == 0:
                    self._take(video, heard_ns)
                else:  # newer ones are waiting; converting this one would delay them
                    self.skipped += 1
                ndi.recv_free_video_v2(receiver, video)
            elif kind == ndi.FRAME_TYPE_AUDIO:
                ndi.recv_free_audio_v2(receiver, audio)
            elif kind == ndi.FRAME_TYPE_METADATA:
                ndi.recv_free_metadata(receiver, metadata)

    def _take(self, video: Any, captured_ns: int) -> None:
        if 0 in (video.xres, video.yres):
            self._fault(f"ignored a frame of {video.xres}x{video.yres}")
            return
        self.sender_size = (video.xres, video.yres)
        pixels = fit_cover(pixels_of(video), self._size)
        if video.FourCC == self._ndi.FOURCC_VIDEO_TYPE_RGBX:
            pixels[..., 3] = 255
        elif self._options.premultiplied:
            pixels = to_straight(pixels)
        self.metadata = video.metadata or ""
        self.timecode = int(video.timecode)
        self._offer(pixels, captured_ns)
