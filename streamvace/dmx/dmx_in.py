"""The ports of a light desk: one thread that reads, merges and posts, and never waits for the show.

Threads: `dmx` owns the socket and the desk's state. Any thread calls `follow`, `figures` and `close`.
"""

from __future__ import annotations

import errno
import logging
import selectors
import socket
import struct
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Final

from streamvace.dmx import artnet, sacn
from streamvace.dmx.desk_input import Counters, DeskInput, Settings
from streamvace.dmx.personality import last_start, size
from streamvace.system.errors import UserError
from streamvace.system.network import is_loopback, own_address

PORTS: Final[Mapping[str, int]] = {"artnet": artnet.PORT, "sacn": sacn.PORT}
MOST_A_TURN: Final = 1024
"""Datagrams read in one turn."""
TURN_S: Final = 0.01
"""Between two turns: a desk sends a picture of its faders every 23 ms."""
LOOK_S: Final = 0.25
"""Between two looks for a desk that is lost."""
_LARGEST: Final = 2048
_BUFFER: Final = 1 << 20

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ways:
    """The ways to the show.

    post: sets a parameter or acts, as a message of any other surface; whether an older message was dropped for it.
    cues: reads the names of the cues. report: gets one line for what is wrong. say: gets one line of news. refuse:
    settings that cannot be followed, and why. allows: whether a host may send.
    """

    post: Callable[[str, tuple[object, ...]], bool]
    cues: Callable[[], Sequence[str]]
    report: Callable[[str], None]
    say: Callable[[str], None]
    refuse: Callable[[Settings, UserError], None]
    allows: Callable[[str], bool]


class DmxIn:
    """The desk that is wanted."""

    def __init__(
        self,
        host: str,
        ways: Ways,
        ports: Mapping[str, int] = PORTS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """host: an IPv4 address of this machine, or 0.0.0.0."""
        self._host = host
        self._ways = ways
        self._ports = ports
        self._clock = clock
        self._counters = Counters()
        self._lock = threading.Lock()
        self._wanted = Settings()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._input: DeskInput | None = None
        self._socket: socket.socket | None = None
        self._strangers: set[str] = set()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        self.port = 0

    def follow(self, settings: Settings) -> None:
        """Listen to this desk from now on, without waiting for it."""
        with self._lock:
            if settings == self._wanted or self._closed:
                return
            self._wanted = settings
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="dmx", daemon=True)
                self._thread.start()
        self._wake()

    def figures(self) -> dict[str, float | int | str]:
        """For the status."""
        desk, counters = self._input, self._counters
        return {
            "dmx_sources": "" if desk is None else desk.told()[:400],
            "dmx_enabled": desk is not None and desk.enabled,
            "dmx_packets": counters.packets,
            "dmx_dropped": counters.dropped,
            "dmx_faults": counters.faults,
            "dmx_losses": counters.losses,
        }

    def close(self) -> None:
        """End the thread and free the port. Idempotent."""
        with self._lock:
            self._closed = True
        self._wake()
        if self._thread is not None:
            self._thread.join()
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()

    def _wake(self) -> None:
        with suppress(OSError):  # closed
            self._wake_out.send(b"\0")

    # The thread `dmx`.

    def _run(self) -> None:
        followed = Settings()
        while True:
            with self._lock:
                wanted, closed = self._wanted, self._closed
            if closed:
                self._shut()
                return
            try:
                if wanted != followed:
                    followed = wanted
                    self._change(wanted)
                self._turn()
            except Exception:
                # No known error gets here. If one does, the desk must keep working and the error must be logged.
                self._counters.faults += 1
                log.exception("the light desk's thread caught an error and continues")
                sleep(LOOK_S)  # one that comes again at once must not take the processor, nor fill the log

    def _change(self, wanted: Settings) -> None:
        self._shut()
        if wanted.input == "off":
            return
        try:
            self._socket = bind(self._host, self._ports[wanted.input], wanted)
        except UserError as error:
            self._ways.refuse(wanted, error)
            return
        self.port = self._socket.getsockname()[1]
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._input = DeskInput(wanted, self._counters, self._ways.cues, lambda: answer_address(self._host))

    def _shut(self) -> None:
        self._input = None
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def _turn(self) -> None:
        desk = self._input
        self._selector.select(None if desk is None or not desk.told() else LOOK_S)
        with suppress(BlockingIOError):
            while self._wake_in.recv(4096):
                pass
        if desk is None or self._socket is None:
            return
        busy = self._read(self._socket, desk)
        self._counters.dropped += sum(self._ways.post(*change) for change in desk.due(self._clock()))
        for news in desk.news():
            (self._ways.report if news.wrong else self._ways.say)(news.line)
        if busy:
            sleep(TURN_S)

    def _read(self, bound: socket.socket, desk: DeskInput) -> bool:
        """Take what has arrived, up to a limit; whether there was anything."""
        for count in range(MOST_A_TURN):
            try:
                data, (host, port) = bound.recvfrom(_LARGEST)
            except BlockingIOError:
                return count > 0
            except ConnectionError:
                continue  # Windows reports here that an earlier answer had no receiver
            if not self._ways.allows(host):
                self._turn_away(host)
                continue
            answer = desk.take(data, host, self._clock())
            if answer is not None:
                with suppress(OSError):  # the asker is gone
                    bound.sendto(answer, (host, port))
        return True

    def _turn_away(self, host: str) -> None:
        self._counters.dropped += 1
        if host not in self._strangers and len(self._strangers) < 8:
            self._strangers.add(host)
            self._ways.report(f"{host} is not in --allow; its levels are dropped")


def check(settings: Settings) -> None:
    """Raises UserError for a universe that the protocol does not have, and for a fixture that leaves its universe."""
    universes = sacn.UNIVERSES if settings.input == "sacn" else range(artnet.MOST_UNIVERSE + 1)
    if settings.input != "off" and settings.universe not in universes:
        name = {"sacn": "sACN", "artnet": "Art-Net"}[settings.input]
        raise UserError(f"{name} has the universes {universes[0]}..{universes[-1]}, got {settings.universe}")
    last = last_start(settings.depth)
    if settings.channel > last:
        needed = size(settings.depth)
        raise UserError(f"the fixture takes {needed} channels and begins at 1..{last}, got {settings.channel}")


def bind(host: str, port: int, settings: Settings) -> socket.socket:
    """A bound, non-blocking socket. Broadcasts and multicasts reach only one that is bound to every address, so any
    host but a loopback opens all of them. Raises UserError."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        # Desks send from this port too: a program on this machine must be able to open it as well.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "darwin":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        bound.setblocking(False)
        if is_loopback(host):
            bound.bind((host, port))
            return bound
        bound.bind(("", port))
        if settings.input == "sacn":
            member = struct.pack("4s4s", socket.inet_aton(sacn.group(settings.universe)), socket.inet_aton(host))
            bound.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    except OSError as problem:
        bound.close()
        raise _refusal(problem, host, port) from None
    return bound


def _refusal(problem: OSError, host: str, port: int) -> UserError:
    if problem.errno == errno.EADDRINUSE:
        return UserError(
            f"UDP port {port} on {host} is in use by another program; close it, or give another --dmx-host"
        )
    if problem.errno == errno.EADDRNOTAVAIL:
        return UserError(f"--dmx-host {host} is no IPv4 address of this machine; 127.0.0.1 always works")
    return UserError(f"UDP port {port} on {host} cannot be opened ({problem.strerror or problem}); see --dmx-host")


def answer_address(host: str) -> str:
    """The IPv4 address that an answer to a poll names."""
    return host if host != "0.0.0.0" else own_address() or "127.0.0.1"
