"""What a rig does to a show for hours: a controller over OSC, a browser, recordings, and an input that breaks."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path

import aiohttp
import av
import numpy as np

from streamvace.osc.codec import encode_message

RATE = 30.0
"""Messages a second of the controller: a fader that is moved."""
VISIT_S = 20.0
"""A browser is closed and opened again after this time: connections that are not freed add up."""
ROUND_S = 60.0
"""In this time there is one recording, one broken input, one change of the input, and every one of `SWITCHES`. The end
of a round finds the show as its beginning did, so that rounds can be compared."""
CLIP = "soak-input.mp4"
FILM = "soak-take.mp4"

SWITCHES: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("/streamvace/prompt", ("glossy red shapes on black background",)),
    ("/streamvace/cue/store", ("soak",)),
    ("/streamvace/prompt", ("matte blue shapes on purple plasma background",)),
    ("/streamvace/control_kind", ("edges",)),
    ("/streamvace/mask_source", ("luma",)),
    ("/streamvace/seed", (7,)),
    ("/streamvace/context_scale/to", (1.5, 2.0, "ease")),
    ("/streamvace/sync", ()),
    ("/streamvace/reset", ()),
    ("/streamvace/mask_source", ("none",)),
    ("/streamvace/control_kind", ("raw",)),
    ("/streamvace/cue/recall", ("soak",)),
    ("/streamvace/no/such/address", (1.0,)),
    ("/streamvace/seed", (float("nan"),)),
)
"""All of these in turn, once a round."""

BROKEN = (b"", b"/streamvace/seed", b"/streamvace/seed\0\0\0\0,i\0\0", b"#bundle\0\0\0\0\0\0\0\0\1\0\0\0\xff")
"""Datagrams that are no OSC; one a second."""


class Traffic:
    """Runs from `start` to `stop`. `counts`: what was sent and received so far."""

    def __init__(self, page: str, osc_port: int, media: Path) -> None:
        """page: the address of the show's page, with a slash at its end. media: the show's media folder."""
        self.counts: Counter[str] = Counter()
        self._page = page
        self._osc = ("127.0.0.1", osc_port)
        self._media = media
        self._stop = threading.Event()
        self._began = 0.0
        self._pool = ThreadPoolExecutor(3)
        self._parts: list[Future[None]] = []

    def start(self) -> None:
        self._began = time.monotonic()
        parts: tuple[Callable[[], None], ...] = (self._control, self._stage_hand, lambda: asyncio.run(self._browse()))
        self._parts = [self._pool.submit(part) for part in parts]

    def check(self) -> None:
        """Raise the error of a part that has ended: without it, the soak shows nothing."""
        for part in self._parts:
            if part.done():
                part.result()

    def stop(self) -> None:
        """Idempotent. Raises like `check`."""
        self._stop.set()
        self._pool.shutdown()
        self.check()

    def _control(self) -> None:
        """Faders, switches and broken datagrams; subscribed, and reading its feedback."""
        chance = random.Random(1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as both:
            both.bind(("127.0.0.1", 0))
            both.setblocking(False)

            def send(packet: bytes) -> None:
                both.sendto(packet, self._osc)
                self.counts["osc_sent"] += 1

            second, switches = -1, -1
            for moment in self._turns(1 / RATE):
                send(encode_message("/streamvace/context_scale", chance.uniform(0.5, 1.5)))
                if int(moment) != second:
                    second = int(moment)
                    send(encode_message("/streamvace/subscribe"))
                    send(BROKEN[second % len(BROKEN)])
                if int(moment / ROUND_S * len(SWITCHES)) != switches:
                    switches = int(moment / ROUND_S * len(SWITCHES))
                    address, arguments = SWITCHES[switches % len(SWITCHES)]
                    send(encode_message(address, *arguments))
                self.counts["osc_received"] += _drain(both)

    def _stage_hand(self) -> None:
        """Each round: the film at the input breaks for some seconds, another input plays, a recording is made."""
        whole = (self._media / CLIP).read_bytes()
        steps: tuple[Callable[[], object], ...] = (
            lambda: self._say("/streamvace/record", True),
            lambda: (self._media / CLIP).write_bytes(b"no film"),
            lambda: (self._media / CLIP).write_bytes(whole),
            lambda: self._say("/streamvace/input/control", "pattern:edges"),
            lambda: self._say("/streamvace/input/control", ""),
            lambda: self._say("/streamvace/record", False),
            self._remove_films,
        )
        for number, _ in enumerate(self._turns(ROUND_S / len(steps))):
            steps[number % len(steps)]()
            self.counts["losses"] += number % len(steps) == 1

    def _say(self, address: str, *arguments: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(encode_message(address, *arguments), self._osc)

    def _remove_films(self) -> None:
        """Finished recordings only count; what is still written keeps another name until it is finished."""
        for film in self._media.glob(f"{Path(FILM).stem}*{Path(FILM).suffix}"):
            self.counts["recordings"] += film.stat().st_size > 0
            film.unlink()

    async def _browse(self) -> None:
        """The page as a browser has it open, beside OBS with the live picture; the panel sets a value."""
        while not self._stop.is_set():
            async with aiohttp.ClientSession() as session:
                await asyncio.gather(self._watch(session), self._open_page(session), self._read_pages(session))
            self.counts["visits"] += 1

    async def _watch(self, session: aiohttp.ClientSession) -> None:
        until = time.monotonic() + VISIT_S
        async with session.get(f"{self._page}stream.mjpg") as picture:
            picture.raise_for_status()
            async for part in picture.content.iter_any():
                self.counts["pictures"] += part.count(b"--frame")
                if time.monotonic() > until or self._stop.is_set():
                    return

    async def _open_page(self, session: aiohttp.ClientSession) -> None:
        until = time.monotonic() + VISIT_S
        async with session.ws_connect(f"{self._page}page") as page:
            await page.send_json({"watch": ["output", "control"]})
            await page.send_json({"address": "/streamvace/second_control/weight", "arguments": [0.0]})
            while time.monotonic() < until and not self._stop.is_set():
                message = await page.receive()
                self.counts["page_messages"] += 1
                if message.type is aiohttp.WSMsgType.BINARY:
                    view = message.data[1 : 1 + message.data[0]].decode()
                    await page.send_json({"drawn": {view: 1}})
                elif message.type is not aiohttp.WSMsgType.TEXT:
                    raise RuntimeError(f"the page's connection ended: {message}")

    async def _read_pages(self, session: aiohttp.ClientSession) -> None:
        for page in ("", "stats.json", "frame.jpg", "no-such-page"):
            async with session.get(f"{self._page}{page}") as answer:
                await answer.read()

    def _turns(self, period_s: float) -> Iterator[float]:
        """Seconds since the start, at even intervals, until stopped."""
        for number in count():
            if self._stop.wait(max(0.0, self._began + number * period_s - time.monotonic())):
                return
            yield number * period_s


def write_clip(path: Path, size: tuple[int, int] = (320, 192), seconds: float = 2.0) -> None:
    """A film with a moving bar."""
    width, height = size
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(round(24 * seconds)):
            pixels = np.full((height, width, 3), 40, np.uint8)
            pixels[:, 4 * number : 4 * number + 48] = (230, 120, 30)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        film.mux(stream.encode(None))


def _drain(both: socket.socket) -> int:
    """Read everything that has arrived; the number of datagrams."""
    read = 0
    with suppress(BlockingIOError):
        while True:
            both.recv(65536)
            read += 1
    return read
