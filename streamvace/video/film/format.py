"""The table of formats that a film can be written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from streamvace.system.errors import UserError
from streamvace.system.paths import user_path
from streamvace.video.core.address import parse_address


@dataclass(frozen=True)
class FilmFormat:
    """A row of the table.

    encoders: FFmpeg encoders by preference, with their options; the first that PyAV has is used. pixels: FFmpeg's pixel
    format. yuv: BT.709 in limited range; otherwise RGB. suffixes: of its files.
    """

    encoders: tuple[tuple[str, Mapping[str, str]], ...]
    pixels: str
    yuv: bool
    alpha: bool
    suffixes: tuple[str, ...] = (".mov",)


FORMATS: Mapping[str, FilmFormat] = {
    "h264": FilmFormat(
        (("libx264", {"crf": "18", "preset": "veryfast"}), ("mpeg4", {"qscale": "3"})),
        "yuv420p",
        yuv=True,
        alpha=False,
        suffixes=(".mp4", ".mov"),
    ),
    # ProRes 4444, for Resolume, TouchDesigner and editors; 10 bits of colour, 16 of alpha.
    "prores": FilmFormat(
        (("prores_ks", {"profile": "4444", "alpha_bits": "16", "vendor": "apl0"}),),
        "yuva444p10le",
        yuv=True,
        alpha=True,
    ),
    # Lossless, one PNG a frame: large, and widely supported.
    "png": FilmFormat((("png", {"compression_level": "1"}),), "rgba", yuv=False, alpha=True),
    # Lossless, run-length encoded: fast, and small only for flat pictures.
    "qtrle": FilmFormat((("qtrle", {}),), "argb", yuv=False, alpha=True),
}
"""By their names in addresses: `take.mov?format=prores`."""


@dataclass(frozen=True, slots=True)
class FilmOptions:
    """Options of an output, as in `file:take.mov?format=prores`."""

    format: str = "h264"

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ValueError(f"unknown format {self.format!r}: there is {', '.join(FORMATS)}")


def parse_film(rest: str) -> tuple[Path, FilmFormat]:
    """`PATH?format=NAME`. Raises UserError for an unknown format, or one that the suffix does not allow."""
    name, chosen = split_film(rest)
    path = user_path(name)
    check_suffix(path, chosen)
    return path, chosen


def split_film(rest: str) -> tuple[str, FilmFormat]:
    """(name as written, format). Only reads the text. Raises UserError for an unknown format."""
    name, options = parse_address("file", rest, FilmOptions)
    return name, FORMATS[options.format]


def check_suffix(path: Path, chosen: FilmFormat) -> None:
    """Raises UserError unless the suffix of `path` is one of the format's."""
    if path.suffix.lower() not in chosen.suffixes:
        raise UserError(
            f"cannot write {path.name}: a video file ends in {' or '.join(chosen.suffixes)}; "
            f"try {path.stem or 'film'}{chosen.suffixes[0]}"
        )
