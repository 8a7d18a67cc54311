"""The formats a film can be written in: one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from streamvace.system.errors import UserError
from streamvace.video.core.address import parse_address


@dataclass(frozen=True)
class FilmFormat:
    """One row.

    encoders: names of FFmpeg encoders by preference, with their options; the first that PyAV was built with is taken.
    pixels: FFmpeg's pixel format. yuv: it holds BT.709 of limited range; otherwise RGB as it is. suffixes: of the files
    it fits into.
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
    # ProRes 4444: what Resolume, TouchDesigner and editors read; 10 bits of colour, 16 of alpha.
    "prores": FilmFormat(
        (("prores_ks", {"profile": "4444", "alpha_bits": "16", "vendor": "apl0"}),),
        "yuva444p10le",
        yuv=True,
        alpha=True,
    ),
    # Lossless, a whole PNG a frame: large, and every program reads it.
    "png": FilmFormat((("png", {"compression_level": "1"}),), "rgba", yuv=False, alpha=True),
    # Lossless, run lengths: light on the processor, small for flat pictures only.
    "qtrle": FilmFormat((("qtrle", {}),), "argb", yuv=False, alpha=True),
}
"""By the name that an address uses: `take.mov?format=prores`."""


@dataclass(frozen=True, slots=True)
class FilmOptions:
    """How a film is written. Named in the address: `file:take.mov?format=prores`."""

    format: str = "h264"

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ValueError(f"unknown format {self.format!r}: there is {', '.join(FORMATS)}")


def parse_film(rest: str) -> tuple[Path, FilmFormat]:
    """`PATH?format=NAME`. Raises UserError for an unknown format, or one that does not fit into such a file."""
    name, options = parse_address("file", rest, FilmOptions)
    path, chosen = Path(name).expanduser(), FORMATS[options.format]
    check_suffix(path, chosen)
    return path, chosen


def check_suffix(path: Path, chosen: FilmFormat) -> None:
    """Raises UserError for a name that no film of this format can have."""
    if path.suffix.lower() not in chosen.suffixes:
        raise UserError(
            f"cannot write {path.name}: a video file ends in {' or '.join(chosen.suffixes)}; "
            f"try {path.stem or 'film'}{chosen.suffixes[0]}"
        )
