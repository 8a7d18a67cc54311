"""The OSC conversation with one process: one UDP socket, read once a frame, never waited for.

Belongs to the main thread and touches no TouchDesigner object. The socket's own port is where the answers come, so
several components and several copies of TouchDesigner get along, and no port has to be opened in a firewall.
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
"""Between two pings, connected or not."""
MISSED_PINGS = 3
"""Unanswered in a row, and the process counts as gone. Counted, not timed: a frame that took seconds proves nothing."""
MOST_A_FRAME = 256
"""Datagrams read a frame; a full answer to `sync` fits, a flood waits or is lost."""
MOST_IN_BUNDLE = 128
"""Messages; the process takes no more in a datagram. A whole look goes in one, and is applied at one chunk boundary."""
RECEIVE_BUFFER = 1 << 20
"""Bytes asked of the system for what arrives between two frames, also when one takes long."""

PING, PONG, SUBSCRIBE = "/streamvace/ping", "/streamvace/pong", "/streamvace/subscribe"


@dataclass
class Counters:
    """Since the component was loaded. sent, received: datagrams. malformed: no OSC. strangers: from elsewhere."""

    sent: int = 0
    received: int = 0
    malformed: int = 0
    strangers: int = 0
    unsent: int = 0


class Link:
    """Talks to the process at `target`, or to nobody. Times are seconds."""

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
        """Talk to this (IPv4 address, port) from now on; None is silence. The old conversation is over."""
        if target == self.target:
            return
        self.close()
        self.target = target
        if target is None:
            return
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):  # a system that gives less is good enough
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        # On this machine nobody else needs to reach us, and Windows then asks nobody about its firewall.
        self._socket.bind(("127.0.0.1" if target[0].startswith("127.") else "", 0))

    def close(self) -> None:
        """Silence."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self.target = None, None
        self.lose()

    def lose(self) -> None:
        """What was known of the other side no longer holds; it is looked for from the start."""
        self.connected, self._token, self._unanswered, self._next_ping = False, "", 0, 0.0

    def turn(self, now: float) -> list[Message]:
        """Once a frame: read what has come, keep the connection alive. Returns the messages, pongs left out."""
        messages = self._read()
        if self._socket is not None and now >= self._next_ping:
            self._ping(now)
        return messages

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Send these, in order, together as far as a bundle goes. What cannot be sent is counted."""
        for begin in range(0, len(messages), MOST_IN_BUNDLE):
            encoded = []
            for address, arguments in messages[begin : begin + MOST_IN_BUNDLE]:
                try:
                    encoded.append(encode(address, arguments))
                except OscError:
                    self.counters.unsent += 1
            if sum(map(len, encoded)) < MAX_DATAGRAM // 2:
                self._send_datagram(bundle(encoded)) if encoded else None
            else:
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
                # Windows reports here that an earlier message found nobody. The socket is fine.
                continue
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
        # Subscribing again costs nothing and outlives a restart of the process within a second.
        again: list[Outgoing] = [(SUBSCRIBE, ())] if self.connected else []
        self.send([*again, (PING, (self._token,))])

    def _send_datagram(self, datagram: bytes) -> None:
        if self._socket is None or self.target is None:
            return
        try:
            self._socket.sendto(datagram, self.target)
        except OSError:  # full, or no such network: the next ping tells
            self.counters.unsent += 1
        else:
            self.counters.sent += 1
