"""The OSC connection to one process: one non-blocking UDP socket, read once per frame.

Belongs to the main thread and uses no TouchDesigner object. Answers arrive at the socket's own port, so several
components and several TouchDesigner instances can run side by side, and no firewall port has to be opened.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from streamvace_td.osc_packet import MAX_DATAGRAM, Message, OscError, bundle, decode, encode
from streamvace_td.sync import Outgoing

PING_S = 1.0
"""Interval of the pings, connected or not."""
MISSED_PINGS = 3
"""Unanswered pings in a row after which the process counts as gone. A time limit would fail on one slow frame."""
MOST_A_FRAME = 256
"""Datagrams read per frame. A full answer to `sync` fits; a flood waits or is lost."""
MOST_IN_BUNDLE = 96
"""Messages per bundle, below the limit of the process. A whole look fits, and is applied at one chunk boundary."""
RECEIVE_BUFFER = 1 << 20
"""Bytes of the socket's receive buffer, for what arrives during a slow frame."""

PING, PONG, SUBSCRIBE = "/streamvace/ping", "/streamvace/pong", "/streamvace/subscribe"


@dataclass
class Counters:
    """Since the component was loaded. sent, received: datagrams. malformed: not OSC. strangers: from other senders.
    unsent: messages that cannot be encoded and datagrams that the system refused."""

    sent: int = 0
    received: int = 0
    malformed: int = 0
    strangers: int = 0
    unsent: int = 0


class Link:
    """The connection to the process at `target`; None is no connection. Times are seconds."""

    def __init__(self) -> None:
        self.connected = False
        self.counters = Counters()
        self.target: tuple[str, int] | None = None
        self._socket: socket.socket | None = None
        self._token = ""
        self._number = 0
        self._unanswered = 0
        self._next_ping = 0.0

    def aim(self, target: tuple[str, int] | None) -> None:
        """Connect to this (IPv4 address, port); None disconnects. Ends the previous connection."""
        if target == self.target:
            return
        self.close()
        self.target = target
        if target is None:
            return
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):  # a smaller buffer is good enough
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        # Bound to loopback for a local process: unreachable from outside, and Windows shows no firewall dialog.
        self._socket.bind(("127.0.0.1" if target[0].startswith("127.") else "", 0))

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self.target = None, None
        self.lose()

    def lose(self) -> None:
        """Mark the process as gone and start looking for it again."""
        self.connected, self._token, self._unanswered, self._next_ping = False, "", 0, 0.0

    def turn(self, now: float) -> list[Message]:
        """Called once per frame: read, and keep the connection alive. Returns the messages without pongs."""
        messages = self._read()
        if self._socket is not None and now >= self._next_ping:
            self._ping(now)
        return messages

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Send messages in order, bundled where possible. Counts what cannot be sent."""
        for begin in range(0, len(messages), MOST_IN_BUNDLE):
            encoded = []
            for address, arguments in messages[begin : begin + MOST_IN_BUNDLE]:
                try:
                    encoded.append(encode(address, arguments))
                except OscError:
                    self.counters.unsent += 1
            if encoded and sum(map(len, encoded)) < MAX_DATAGRAM // 2:
                encoded = [bundle(encoded)]
            for each in encoded:
                self._send_datagram(each)

    def _read(self) -> list[Message]:
        messages: list[Message] = []
        for _ in range(MOST_A_FRAME if self._socket is not None else 0):
            try:
                datagram, sender = self._socket.recvfrom(MAX_DATAGRAM)  # type: ignore[union-attr]
            except BlockingIOError:
                break
            except OSError:
                continue  # Windows reports here that nobody received an earlier message; the socket is fine
            if sender[:2] != self.target:
                self.counters.strangers += 1
                continue
            self.counters.received += 1
            self._unanswered = 0
            try:
                message = decode(datagram)
            except OscError:
                self.counters.malformed += 1
                continue
            if message.address == PONG:
                self.connected = self.connected or message.arguments == (self._token,)
            else:
                messages.append(message)
        return messages

    def _ping(self, now: float) -> None:
        self._next_ping = now + PING_S
        if self.connected and self._unanswered >= MISSED_PINGS:
            self.lose()
        self._unanswered += 1
        if not self._token:
            self._number += 1
            self._token = f"td-{os.getpid()}-{self._number}"
        # A repeated subscription is cheap, and restores updates within a second after the process restarts.
        again: list[Outgoing] = [(SUBSCRIBE, ())] if self.connected else []
        self.send([*again, (PING, (self._token,))])

    def _send_datagram(self, datagram: bytes) -> None:
        if self._socket is None or self.target is None:
            return
        try:
            self._socket.sendto(datagram, self.target)
        except OSError:  # buffer full or network unreachable: unanswered pings will show it
            self.counters.unsent += 1
        else:
            self.counters.sent += 1
