"""The TCP ports of a show: HTTP, the WebSockets of the page and of OSCQuery, OSC over TCP.

Whatever a client sends, the servers still answer, nothing raises, and the parameters hold allowed values.
"""

from __future__ import annotations

import atexit
import json
import random
import select
import socket
import struct
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import osc_schema
from streamvace.osc.codec import encode_message
from streamvace.osc.framing import Framing, frame
from streamvace.osc.query_server import OscQueryServer
from streamvace.web.hosts import host_allowed
from tests.fuzz import osc_target
from tests.fuzz.target import Target, damaged, damaged_json
from tests.web.media_rig import GOOD, MediaRig
from tests.web.show import Show, grey

LOCAL = "127.0.0.1"
PATIENCE_S = 10.0
SILENCE_S = 0.01
"""A server that sends nothing for this long waits for more. One that is late only answers less: nothing is decided by
it."""
MOST_READ = 1 << 16
"""Bytes of an answer that are read: enough for any page, and a live picture never ends."""
FILES = ("/media.json", "/media/thumbnail?name=../a.png", "/sources.json", "/recordings?name=recordings/a.mp4")
PATHS = ("/", "/store.js", "/stream.mjpg", "/frame.jpg", "/stats.json", "/metrics", "/page", "/none", *FILES)


class Servers(Show):
    """The page, OSC over UDP and TCP, and OSCQuery, with real parameters and a picture."""

    def __init__(self) -> None:
        self.files = MediaRig(Path(tempfile.mkdtemp(prefix="streamvace-fuzz-")))
        super().__init__(parts=self.files.parts)
        self.query = OscQueryServer(self.parameters, self.osc, host_allowed, advertise=False)
        self.web.publish(grey(0))
        for close in (self.close, self.query.close):
            atexit.register(close)

    def check(self) -> None:
        """All three still answer, and the parameters hold allowed values."""
        for port in (self.web.port, self.query.port):
            answer = ask(port)
            assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as both:
            both.settimeout(PATIENCE_S)
            both.sendto(encode_message("/streamvace/ping", 1), (LOCAL, self.osc.port))
            assert both.recv(1024).startswith(b"/streamvace/pong")
        assert self.osc.counters().faults == self.parameters.listener_errors == 0
        osc_target.assert_allowed(self.parameters)


@cache
def servers() -> Servers:
    return Servers()


def exchange(port: int, data: bytes, first: bytes = b"") -> bytes:
    """Send, read until the server is silent, end the sending side, and return all that came.

    first: sent before, and answered with a head. Raises TimeoutError when the server does not end its side as well.
    """
    with socket.create_connection((LOCAL, port), PATIENCE_S) as both:
        answer = bytearray()
        try:
            both.sendall(first)
            while first and b"\r\n\r\n" not in answer and (part := both.recv(MOST_READ)):
                answer += part
            both.sendall(data)
            while select.select([both], [], [], SILENCE_S)[0] and len(answer) < MOST_READ:
                if not (part := both.recv(MOST_READ)):
                    return bytes(answer)
                answer += part
            both.shutdown(socket.SHUT_WR)
            while len(answer) < MOST_READ and (part := both.recv(MOST_READ)):
                answer += part
        except ConnectionError:  # it may refuse in the middle of what is sent
            pass
        return bytes(answer)


def ask(port: int) -> bytes:
    """The answer to a good request."""
    with socket.create_connection((LOCAL, port), PATIENCE_S) as both:
        both.sendall(f"GET / HTTP/1.1\r\nHost: {LOCAL}\r\nConnection: close\r\n\r\n".encode())
        answer = bytearray()
        while part := both.recv(MOST_READ):
            answer += part
        return bytes(answer)


def check_http(data: bytes) -> None:
    """Nothing is stored outside the folder of the uploads, and nothing unfinished stays."""
    for port in (servers().web.port, servers().query.port):
        answer = exchange(port, data)
        assert not answer or answer.startswith(b"HTTP/"), answer[:200]
        # aiohttp 3.14 refuses a header of other bytes with a text that it cannot encode.
        assert b" 500 " not in answer[:16] or not data.isascii(), answer[:500]
    stored = servers().files.stored()
    assert all(name.startswith("uploads/") and name.endswith((".png", ".mp4", ".mov")) for name in stored), stored
    servers().check()


def check_websocket(data: bytes) -> None:
    text = data.startswith((b"{", b"["))
    for port, path in ((servers().web.port, "/page"), (servers().query.port, "/")):
        answer = exchange(port, message(data) if text else data, first=_handshake(path))
        assert answer.startswith(b"HTTP/1.1 101 "), answer[:200]
    servers().check()


def check_osc_tcp(data: bytes) -> None:
    exchange(servers().osc.tcp_port or 0, data)
    servers().check()


def requests() -> Iterable[bytes]:
    for path in PATHS:
        yield f"GET {path} HTTP/1.1\r\nHost: {LOCAL}\r\nConnection: close\r\n\r\n".encode()
    for query in ("VALUE", "RANGE", "HOST_INFO", "NONE=1"):
        yield f"GET /streamvace/seed?{query} HTTP/1.1\r\nHost: {LOCAL}\r\n\r\n".encode()
    for name in ("a.png", "..%2F..%2Fa.mp4", "%00.mov", "a.exe"):
        head = f"POST /media?name={name} HTTP/1.1\r\nHost: {LOCAL}\r\nContent-Length: {len(GOOD)}\r\n\r\n"
        yield head.encode() + GOOD
    yield f"POST /recordings/open HTTP/1.1\r\nHost: {LOCAL}\r\nOrigin: http://evil.example\r\n\r\n".encode()
    yield b"GET / HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://[\r\n\r\n"
    yield f"GET /page HTTP/1.1\r\nHost: {LOCAL}\r\nOrigin: http://[\r\nUpgrade: websocket\r\n\r\n".encode()
    yield _handshake("/page") + message(b"{}")
    yield b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"A: b\r\n" * 3000 + b"\r\n"
    yield b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"
    yield b"GET / HTTP/1.1\r\nHost: [\r\n\r\n"
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # TLS


def messages() -> Iterable[bytes]:
    for address, arguments in (("/streamvace/seed", [7]), ("/streamvace/prompt", ["dusk"]), ("/streamvace/reset", [])):
        yield json.dumps({"address": address, "arguments": arguments}).encode()
    yield json.dumps({"address": "/streamvace/context_scale/to", "arguments": [0.5, 1.0, "ease"]}).encode()
    yield json.dumps({"watch": ["output", "mask", "none", 7]}).encode()
    yield json.dumps({"drawn": {"output": 2, "none": -1}}).encode()
    yield json.dumps({"midi_devices": {"0": "Twister"}}).encode()
    yield json.dumps({"midi": [[0, 1.5, 176, 7, 64]]}).encode()
    yield json.dumps({"COMMAND": "LISTEN", "DATA": "/streamvace/seed"}).encode()
    yield json.dumps({"COMMAND": "IGNORE", "DATA": "/streamvace/seed"}).encode()
    yield b"[" * 30_000
    good = message(b'{"address": "/streamvace/seed", "arguments": [3]}')
    yield good * 3
    yield message(b"", opcode=9) + good + message(struct.pack(">H", 1000), opcode=8)
    yield message(b"\xff\xfe", opcode=1)
    yield message(b'{"address"', opcode=1, last=False) + message(b": 3}", opcode=0)
    yield b"\x81\xff" + struct.pack(">Q", 2**63) + b"mask"
    yield b"\x81\x02{}"  # not masked
    yield b"\xf1\x80mask"  # reserved bits


def packets() -> Iterable[bytes]:
    rows = osc_schema.load()
    good = [encode_message(row.address, *osc_schema.flat(row.default)) for row in rows if row.default is not None]
    for framing in Framing:
        yield b"".join(frame(packet, framing) for packet in good[:4])
        yield b"".join(frame(packet, framing) for packet in good[4:])
        yield frame(encode_message("/streamvace/sync"), framing)
    yield struct.pack(">I", 2**31) + b"x"
    yield b"\xc0" + b"\xdb" * 4000


def message(payload: bytes, opcode: int = 1, last: bool = True) -> bytes:
    """A frame as a browser sends it."""
    mask = b"mask"
    head = bytes([opcode | (0x80 if last else 0)])
    size = len(payload)
    head += bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
    return head + mask + bytes(byte ^ mask[number % 4] for number, byte in enumerate(payload))


def _handshake(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: {LOCAL}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def damaged_words(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    """A request with one word replaced by one of another request, or lost, or a byte damaged."""
    words, others = whole.split(b" "), other.split(b" ")
    words[chance.randrange(len(words))] = chance.choice((b"", chance.choice(others), b"\xff", b"a" * 3000))
    return b" ".join(words)


TARGETS = (
    Target("http", requests, check_http, rounds=150, damages=(damaged, damaged_words)),
    Target("websocket", messages, check_websocket, rounds=150, damages=(damaged, damaged_json)),
    Target("osc_tcp", packets, check_osc_tcp, rounds=150),
)
