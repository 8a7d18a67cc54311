"""Films and pictures: whatever the bytes, a reader returns pictures or raises UserError."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterable
from functools import cache
from itertools import islice

import av
import cv2
import numpy as np

from streamvace.live.inputs.pictures import load_picture
from streamvace.video.film.source import clip_info, read_frames
from tests.fuzz.scratch import scratch
from tests.fuzz.target import Target, damaged, refusing

MOST_FRAMES = 16
SIZE = (64, 48)
SUFFIXES = {b"\x89PNG": ".png", b"RIFF": ".webp", b"\xff\xd8\xff": ".jpg"}
"""First bytes -> suffix; anything else is a film. Damaged first bytes make a film of a picture, which is right."""


def check(data: bytes) -> None:
    suffix = next((suffix for first, suffix in SUFFIXES.items() if data.startswith(first)), ".mp4")
    path = scratch(f"input{suffix}", data)
    with refusing():
        info = clip_info(path)
        assert info.width > 0
        assert info.height > 0
        assert info.rate > 0
        for frame in islice(read_frames(path, (16, 16)), MOST_FRAMES):
            assert frame.shape == (16, 16, 4)
    if path.suffix != ".mp4":
        with refusing():
            assert load_picture(path).shape[2] == 4


@cache
def seeds() -> Iterable[bytes]:
    pixels = np.random.default_rng(1).integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)
    pictures = [cv2.imencode(suffix, pixels)[1].tobytes() for suffix in SUFFIXES.values()]
    films = [_film(codec, container) for codec, container in (("libx264", "mp4"), ("mpeg4", "mp4"), ("png", "mov"))]
    return [*pictures, *films, b"", b"ffconcat version 1.0\nfile other.mp4\n", b"#EXTM3U\n#EXTINF:1,\nother.mp4\n"]


def _film(codec: str, container: str) -> bytes:
    into = io.BytesIO()
    with av.open(into, "w", format=container) as film:
        stream = film.add_stream(codec, rate=24)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "rgb24" if codec == "png" else "yuv420p"
        for level in (20, 90, 160, 230):
            pixels = np.full((SIZE[1], SIZE[0], 3), level, np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        film.mux(stream.encode(None))
    return into.getvalue()


def damaged_box(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    """A copy with one to four changed bytes in the fields behind the names of boxes or chunks, not in the pictures."""
    names = [found.end() for found in re.finditer(rb"[A-Za-z\xa9][A-Za-z]{2}[A-Za-z0-9 ]", whole)]
    if not names:
        return damaged(chance, whole, other)
    data = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        where = min(chance.choice(names) + chance.randint(-8, 40), len(data) - 1)
        data[where] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(data)


TARGET = Target("film", seeds, check, rounds=100, damages=(damaged, damaged_box, damaged_box))
