"""Datagrams for the tests: the hostile ones that stop other servers, and a bundle by python-osc."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message import OscMessage

from streamvace.osc.codec import encode_message, timetag_at

HEAD = b"#bundle\0" + struct.pack(">Q", 1)
SCALE = "/streamvace/context_scale"


def bundle(*datagrams: bytes, at: float | None = None) -> bytes:
    """A bundle as python-osc writes it; `at` is seconds since 1970, None is immediately."""
    builder = OscBundleBuilder(0 if at is None else at)
    for datagram in datagrams:
        builder.add_content(OscMessage(datagram))
    built: bytes = builder.build().dgram
    return built[:8] + struct.pack(">Q", 1 if at is None else timetag_at(at)) + built[16:]


def padded(text: bytes) -> bytes:
    return text + b"\0" * (4 - len(text) % 4)


def nested(depth: int, core: bytes = b"") -> bytes:
    """Bundles in bundles, from the inside out."""
    sizes: list[int] = []
    size = len(core) + (4 if core else 0)
    for _ in range(depth):
        size += 16
        sizes.append(size)
        size += 4
    parts = []
    for inner in reversed(sizes[1:]):
        parts.append(HEAD + struct.pack(">i", inner - 20))
    whole = b"".join(parts) + HEAD
    return whole + (struct.pack(">i", len(core)) + core if core else b"")


def hostile(now: float) -> dict[str, list[bytes]]:
    """The seven kinds of packet that stop, block or crash common servers."""
    an_hour = encode_message(SCALE, 0.123)
    return {
        "a bundle element of negative size": [HEAD + struct.pack(">i", -4) + b"\0" * 4],
        "a time tag one hour ahead": [bundle(an_hour, at=now + 3600)],
        "a pattern of 24 stars that almost match": [padded(b"/" + b"*a" * 24) + padded(b",")],
        "a pattern of 200 stars": [padded(b"/streamvace/" + b"*" * n) + padded(b",N") for n in (60, 200)],
        "3000 nested bundles": [nested(3000)],
        "an address that is not UTF-8": [b"/\xff\xfe\0" + padded(b",")],
        "truncated, mistagged, oversized and random": list(_garbage()),
    }


def _garbage() -> Iterable[bytes]:
    whole = encode_message(SCALE, 0.5, "text", 7, b"blob")
    yield from (whole[:length] for length in range(len(whole)))
    yield padded(b"/a") + padded(b",zq")
    yield padded(b"/a") + padded(b",b") + struct.pack(">i", 2**31 - 1)
    yield padded(b"/a") + padded(b",b") + struct.pack(">i", -8) + b"\0" * 8
    yield padded(b"/a") + padded(b"," + b"[" * 200)
    yield padded(b"/a") + padded(b",]")
    yield padded(b"/a") + padded(b"," + b"N" * 60000)
    yield HEAD + struct.pack(">i", 0)
    yield HEAD + struct.pack(">i", 2**31 - 4) + padded(b"/a")
    yield HEAD[:12]
    yield b"#bundle"
    yield b"\0" * 64
    yield b"/" * 64
    yield bytes(range(256))
