"""Files as cameras, phones and other programs write them, at tiny sizes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

EXIF_ORIENTATIONS: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: stored[::-1].swapaxes(0, 1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: stored[:, ::-1].swapaxes(0, 1),
}
"""What EXIF's numbers ask of a viewer (CIPA DC-008): 6, for one, has the stored left column at the top."""

QUICKTIME_MATRICES: dict[int, tuple[int, int, int, int]] = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}
"""The same eight as (a, b, c, d) of a film's track header: (x, y) is shown at (a x + c y, b x + d y)."""


def corners() -> Pixels:
    """RGB `[32, 64, 3]`: a picture that no turn and no mirror leaves as it is."""
    pixels = np.full((32, 64, 3), 40, np.uint8)
    pixels[:16, :32] = 230
    pixels[16:, :16] = 130
    return pixels


def exif_picture(path: Path, orientation: int) -> Path:
    """`corners` as .png, .jpg, .webp or .tif, stored as it is, with this orientation in its EXIF."""
    if path.suffix == ".tif":
        path.write_bytes(_tiff(corners(), orientation))
        return path
    tag = struct.pack("<HHHII", 1, 0x112, 3, 1, orientation) + bytes(4)
    exif = b"II*\0" + struct.pack("<I", 8) + tag
    lossless = [cv2.IMWRITE_WEBP_QUALITY, 101] if path.suffix == ".webp" else []
    stored = cv2.imencode(path.suffix, corners()[..., ::-1], lossless)[1].tobytes()
    path.write_bytes(_EXIF_PLACES[path.suffix](stored, exif))
    return path


def _tiff(pixels: Pixels, orientation: int) -> bytes:
    """An uncompressed one; its orientation is a tag of the picture itself."""
    height, width, _ = pixels.shape
    values = {256: width, 257: height, 258: 8, 259: 1, 262: 2, 273: 8, 274: orientation, 277: 3, 278: height}
    values |= {279: pixels.nbytes}
    tags = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in values.items())
    end = 8 + pixels.nbytes
    return b"II*\0" + struct.pack("<I", end) + pixels.tobytes() + struct.pack("<H", len(values)) + tags + bytes(4)


def _in_jpeg(stored: bytes, exif: bytes) -> bytes:
    return stored[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\0\0" + exif + stored[2:]


def _in_png(stored: bytes, exif: bytes) -> bytes:
    return stored[:33] + png_chunk(b"eXIf", exif) + stored[33:]


def _in_webp(stored: bytes, exif: bytes) -> bytes:
    has_exif = 8
    sides = struct.pack("<I", 63)[:3] + struct.pack("<I", 31)[:3]
    header = b"VP8X" + struct.pack("<II", 10, has_exif) + sides
    body = b"WEBP" + header + stored[12:] + b"EXIF" + struct.pack("<I", len(exif)) + exif
    return b"RIFF" + struct.pack("<I", len(body)) + body


_EXIF_PLACES = {".jpg": _in_jpeg, ".png": _in_png, ".webp": _in_webp}


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def film(
    path: Path,
    frames: list[Any],
    codec: str = "libx264",
    *,
    options: Mapping[str, str] = MappingProxyType({}),
    container_options: Mapping[str, str] = MappingProxyType({}),
    metadata: Mapping[str, str] = MappingProxyType({}),
    **encoder: Any,
) -> Path:
    """A film of these av.VideoFrames at 25 frames a second. encoder: attributes of its codec context."""
    with av.open(str(path), "w", options=dict(container_options)) as container:
        stream = container.add_stream(codec, rate=25, options=dict(options))
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, frames[0].format.name
        stream.metadata.update(metadata)
        for name, value in encoder.items():
            setattr(stream.codec_context, name, value)
        for index, frame in enumerate(frames):
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def frame_of(pixels: Pixels, pixel_format: str = "yuv420p") -> Any:
    """An av.VideoFrame of RGB or RGBA."""
    given = "rgba" if pixels.shape[2] == 4 else "rgb24"
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=given).reformat(format=pixel_format)


def flat_ten_bits(red: float, green: float, blue: float, size: tuple[int, int] = (64, 48)) -> Any:
    """An av.VideoFrame of one colour, 0..1 in R'G'B' of BT.2020, in 10 bits and video range."""
    luma = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    codes = (64 + 876 * luma, 512 + 896 * (blue - luma) / 1.8814, 512 + 896 * (red - luma) / 1.4746)
    frame = av.VideoFrame(*size, "yuv420p10le")
    for plane, code in zip(frame.planes, codes, strict=True):
        plane.update(np.full((plane.height, plane.line_size // 2), round(code), np.uint16).tobytes())
    return frame


def turned_film(path: Path, orientation: int) -> Path:
    """One frame of `corners` as .mp4 whose track header has the matrix of this orientation."""
    film(path, [frame_of(corners(), "yuv444p")], options={"qp": "1"})
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in QUICKTIME_MATRICES[orientation])
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def cut_off(path: Path, share: float, codec: str = "libx264", frames: int = 50) -> Path:
    """A film of moving noise, a .mp4 with its index at the beginning, of which only this share of bytes is there."""
    noise = np.random.default_rng(0).integers(0, 200, (48, 64, 3), dtype=np.uint8)
    pictures = [frame_of(np.roll(noise, 3 * index, 1)) for index in range(frames)]
    film(path, pictures, codec, container_options={"movflags": "faststart"} if path.suffix == ".mp4" else {})
    data = path.read_bytes()
    path.write_bytes(data[: round(len(data) * share)])
    return path


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of ISO 14496-12."""
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def _full_box(kind: bytes, version_and_flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version_and_flags), *parts)


def tiled_avif(path: Path) -> Path:
    """A picture of 120x64 as two tiles of 64x64, as phones and large pictures have them (ISO 23008-12)."""
    whole = cv2.imencode(".avif", np.full((64, 64, 3), 200, np.uint8))[1].tobytes()
    start = whole.index(b"av1C") - 4
    codec = whole[start : start + struct.unpack(">I", whole[start : start + 4])[0]]
    tile = whole[whole.index(b"mdat") + 4 :]
    grid = bytes([0, 0, 0, 1]) + struct.pack(">HH", 120, 64)
    infos = [(1, 0, b"grid"), (2, 1, b"av01"), (3, 1, b"av01")]
    entries = [_full_box(b"infe", 2 << 24 | hidden, struct.pack(">HH", n, 0), kind, b"\0") for n, hidden, kind in infos]

    def meta(data_at: int) -> bytes:
        places = [(1, 1, 0, len(grid)), (2, 0, data_at, len(tile)), (3, 0, data_at, len(tile))]
        rows = [struct.pack(">HHHHII", n, where, 0, 1, at, size) for n, where, at, size in places]
        sizes = [_full_box(b"ispe", 0, struct.pack(">II", width, 64)) for width in (120, 64)]
        linked = [struct.pack(">HBB", 1, 1, 1), *(struct.pack(">HBBB", n, 2, 2, 0x83) for n in (2, 3))]
        return _full_box(
            b"meta",
            0,
            _full_box(b"hdlr", 0, bytes(4), b"pict", bytes(13)),
            _full_box(b"pitm", 0, struct.pack(">H", 1)),
            _full_box(b"iloc", 1 << 24, b"\x44\0", struct.pack(">H", 3), *rows),
            _full_box(b"iinf", 0, struct.pack(">H", 3), *entries),
            _full_box(b"iref", 0, box(b"dimg", struct.pack(">4H", 1, 2, 2, 3))),
            box(b"iprp", box(b"ipco", *sizes, codec), _full_box(b"ipma", 0, struct.pack(">I", 3), *linked)),
            box(b"idat", grid),
        )

    head = box(b"ftyp", b"avif", bytes(4), b"avifmif1")
    data_at = len(head) + len(meta(0)) + 8
    path.write_bytes(head + meta(data_at) + box(b"mdat", tile))
    return path


def bomb(path: Path, side: int) -> Path:
    """A PNG of a few kilobytes that decodes to side x side pixels."""
    rows = zlib.compressobj(9)
    body = b"".join(rows.compress(bytes(side // 8 + 1)) for _ in range(side)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", body), png_chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path
