"""From an address on the command line to an open source or sink: two tables.

Every opener imports what it needs when it is called: a missing optional package affects only its own addresses.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from streamvace.records.frame import Sink, Source
from streamvace.system.errors import UserError
from streamvace.system.paths import is_uri, user_path
from streamvace.video.core.address import parse_address
from streamvace.video.core.shared_texture import TextureOptions

Size = tuple[int, int]
Opener = TypeVar("Opener")

OUTPUT_NAME = "streamvace"
"""Name of an output whose address has none."""


def open_source(uri: str, size: Size) -> Source:
    """Open a control source with frames of `size` (width, height). Raises UserError, one line with the fix.

    `pattern`, `pattern:light|depth|edges|scene|mask`, `file:PATH` or a bare path (`?rate=0.5&start=3&loop=0` after it;
    a folder or `shot_*.png` is a sequence), `camera:0`, `ndi:NAME` (`ndi:` takes the first found), `screen:1`
    (`?x=&y=&width=&height=&fps=`), `card`, `none`; on Windows `spout:NAME`, on macOS `syphon:NAME` (`spout:` and
    `syphon:` take the first found; `?premultiplied&flipped` after it for programs whose textures are so).
    """
    scheme, rest = split_uri(uri, SOURCES)
    if scheme not in SOURCES and user_path(uri).exists():  # a folder of pictures in the current folder: `frames`
        scheme, rest = "file", uri
    return source_of(scheme, rest, size)


def check_source(uri: str) -> None:
    """Raise UserError for an address that no source can have, whatever is plugged in. Opens nothing."""
    scheme, rest = split_uri(uri, SOURCES)
    _opener(SOURCES, scheme, rest, "input")


def source_of(scheme: str, rest: str, size: Size) -> Source:
    """`open_source` for an address that is split already. Raises UserError."""
    return _opener(SOURCES, scheme, rest, "input")(rest, size)


def open_sink(uri: str, size: Size, rate: float) -> Sink:
    """Open a sink for frames of `size` (width, height) at `rate` frames a second. Raises UserError.

    `null`, `window`, `window:full` (`?display=2` after it), `ndi:NAME`, `file:PATH.mp4` or a bare .mp4/.mov path
    (`?format=prores`, `png` or `qtrle` after a .mov keeps alpha); on Windows `spout:NAME`, on macOS `syphon:NAME`, with
    the same options as a source.
    """
    scheme, rest = split_uri(uri, SINKS)
    return _opener(SINKS, scheme, rest, "output")(rest, size, rate)


def split_uri(uri: str, table: Mapping[str, object]) -> tuple[str, str]:
    r"""(scheme, rest). A path without a scheme is a file: `clip.mp4`, `C:\clip.mp4`, `frames/`. Only reads the text:
    the address can come from the network."""
    scheme, colon, rest = uri.partition(":")
    if is_uri(uri):
        return "file", uri
    if scheme in table:
        return scheme, rest
    # One letter before the colon is a Windows drive, not a scheme.
    if (colon and len(scheme) == 1) or (not colon and re.search(r"[./\\~]", uri)):
        return "file", uri
    return scheme, rest


def _opener(table: Mapping[str, Opener], scheme: str, rest: str, role: str) -> Opener:
    if scheme in table:
        return table[scheme]
    uri = f"{scheme}:{rest}" if rest else scheme
    *known, last = (_WRITTEN.get(each, each) for each in table)
    near = difflib.get_close_matches(scheme, table, n=1, cutoff=_CLOSE)
    guess = f" Did you mean {near[0]}?" if near else ""
    raise UserError(f"Unknown {role} {uri!r}. Use {', '.join(known)} or {last}.{guess}")


_WRITTEN = {
    "file": "a file",
    "camera": "camera:N",
    "screen": "screen:N",
    "ndi": "ndi:NAME",
    "spout": "spout:NAME",
    "syphon": "syphon:NAME",
}
"""How an address is written; others are the word alone."""
_CLOSE = 0.8
"""Similarity from which on a word is a misspelling: one wrong letter in six."""


def _numbered(kind: str, rest: str, first: int) -> int:
    """The number in `camera:1` or `screen:1`; the first if there is none. Raises UserError for anything else."""
    if rest and not rest.isdecimal():
        raise UserError(f"unknown {kind} {rest!r}: {kind}s are counted from {first}; try {kind}:{first}")
    return int(rest or first)


def _pattern_source(kind: str, size: Size) -> Source:
    from streamvace.video.pattern import PatternSource

    return PatternSource(kind or "light", size)


def _file_source(rest: str, size: Size) -> Source:
    from streamvace.video.film.source import FileSource, parse_file

    path, options = parse_file(rest)
    return FileSource(path, size, options=options)


def _camera_source(rest: str, size: Size) -> Source:
    from streamvace.video.camera import CameraSource

    return CameraSource(_numbered("camera", rest, 0), size)


def _ndi_source(rest: str, size: Size) -> Source:
    from streamvace.video.ndi.source import NdiInput, NdiSource

    return NdiSource(*parse_address("ndi", rest, NdiInput), size)


def _spout_source(rest: str, size: Size) -> Source:
    from streamvace.video.spout.source import SpoutSource

    return SpoutSource(*parse_address("spout", rest, TextureOptions), size)


def _syphon_source(rest: str, size: Size) -> Source:
    from streamvace.video.syphon.source import SyphonSource

    return SyphonSource(*parse_address("syphon", rest, TextureOptions), size)


def _screen_source(rest: str, size: Size) -> Source:
    from streamvace.video.screen import ScreenOptions, ScreenSource

    number, options = parse_address("screen", rest, ScreenOptions)
    return ScreenSource(_numbered("screen", number, 1), options, size)


def _card_source(rest: str, size: Size) -> Source:
    from streamvace.video.card import CardSource

    return CardSource(size)


def _no_source(rest: str, size: Size) -> Source:
    from streamvace.video.memory import NullSource

    return NullSource()


def _null_sink(rest: str, size: Size, rate: float) -> Sink:
    from streamvace.video.memory import NullSink

    return NullSink()


def _window_sink(rest: str, size: Size, rate: float) -> Sink:
    from streamvace.video.window.sink import WindowOptions, WindowSink

    mode, options = parse_address("window", rest, WindowOptions)
    if mode not in ("", "full"):
        raise UserError(f"unknown window {mode!r}: there is window and window:full; try window")
    return WindowSink(size, full_screen=mode == "full", display=options.display)


def _ndi_sink(rest: str, size: Size, rate: float) -> Sink:
    from streamvace.video.ndi.sink import NdiOutput, NdiSink

    name, options = parse_address("ndi", rest, NdiOutput)
    return NdiSink(name or OUTPUT_NAME, rate, options)


def _spout_sink(rest: str, size: Size, rate: float) -> Sink:
    from streamvace.video.spout.sink import SpoutSink

    name, options = parse_address("spout", rest, TextureOptions)
    return SpoutSink(name or OUTPUT_NAME, options, size)


def _syphon_sink(rest: str, size: Size, rate: float) -> Sink:
    from streamvace.video.syphon.sink import SyphonSink

    name, options = parse_address("syphon", rest, TextureOptions)
    return SyphonSink(name or OUTPUT_NAME, options)


def _file_sink(rest: str, size: Size, rate: float) -> Sink:
    from streamvace.video.film.format import parse_film
    from streamvace.video.film.process import FilmProcess
    from streamvace.video.film.sink import FileSink

    path, film_format = parse_film(rest)
    return FileSink(FilmProcess(path, size, rate, film_format), rate)


SOURCES: Mapping[str, Callable[[str, Size], Source]] = {
    "pattern": _pattern_source,
    "file": _file_source,
    "camera": _camera_source,
    "ndi": _ndi_source,
    "spout": _spout_source,
    "syphon": _syphon_source,
    "screen": _screen_source,
    "card": _card_source,
    "none": _no_source,
}
"""Scheme to opener. The opener gets what follows the colon."""

SINKS: Mapping[str, Callable[[str, Size, float], Sink]] = {
    "null": _null_sink,
    "window": _window_sink,
    "ndi": _ndi_sink,
    "file": _file_sink,
    "spout": _spout_sink,
    "syphon": _syphon_sink,
}
"""Scheme to opener. The opener gets what follows the colon."""
