"""From a URI on the command line to an open source or sink: two tables.

Every opener imports what it needs when it is used, so that a missing optional package hurts only those who ask for it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from streamvace.records.frame import Sink, Source
from streamvace.system.errors import UserError
from streamvace.video.core.address import parse_address

Size = tuple[int, int]
Opener = TypeVar("Opener")


def open_source(uri: str, size: Size) -> Source:
    """Open a control source that gives frames of `size` (width, height). Raises UserError, one line with the mend.

    `pattern`, `pattern:light|depth|edges|scene|mask`, `file:PATH` or a bare path (`?rate=0.5&start=3&loop=0` after it;
    a folder or `shot_*.png` is a sequence), `camera:0`, `ndi:NAME` (`ndi:` takes the first found), `screen:1`
    (`?x=&y=&width=&height=&fps=`), `card`, `none`; on Windows `spout:NAME`, on macOS `syphon:NAME` (without a name
    likewise; `?premultiplied` and `?flipped` after it, joined by `&`, say what the other program does differently).
    """
    scheme, rest = split_uri(uri, SOURCES)
    return _opener(SOURCES, scheme, uri, "input")(rest, size)


def open_sink(uri: str, size: Size, rate: float) -> Sink:
    """Open a sink for frames of `size` (width, height) at `rate` frames a second. Raises UserError.

    `null`, `window`, `window:full` (`?display=2` after it), `ndi:NAME`, `file:PATH.mp4` or a bare .mp4/.mov path
    (`?format=prores`, `png` or `qtrle` after a .mov keeps alpha); on Windows `spout:NAME`, on
    macOS `syphon:NAME`, with the same options as a source.
    """
    scheme, rest = split_uri(uri, SINKS)
    return _opener(SINKS, scheme, uri, "output")(rest, size, rate)


def split_uri(uri: str, table: Mapping[str, object]) -> tuple[str, str]:
    r"""(scheme, rest). What names no scheme of the table but looks like a path is a file: `clip.mp4`, `C:\clip.mp4`."""
    scheme, colon, rest = uri.partition(":")
    if scheme in table:
        return scheme, rest
    # One letter before the colon is a Windows drive, not a scheme.
    path_like = len(scheme) == 1 or not colon
    if path_like and (Path(uri).suffix or Path(uri).exists()):
        return "file", uri
    return scheme, rest


def _opener(table: Mapping[str, Opener], scheme: str, uri: str, role: str) -> Opener:
    if scheme in table:
        return table[scheme]
    near = difflib.get_close_matches(scheme, table, n=1)
    mend = f"did you mean {near[0]}?" if near else "use one of these, or the path of a file"
    raise UserError(f"unknown {role} {uri!r}: there is {', '.join(table)}; {mend}")


def _pattern_source(kind: str, size: Size) -> Source:
    from streamvace.video.pattern import PatternSource

    return PatternSource(kind or "light", size)


def _file_source(rest: str, size: Size) -> Source:
    from streamvace.video.film.source import FileSource, parse_file

    path, options = parse_file(rest)
    return FileSource(path, size, options=options)


def _camera_source(number: str, size: Size) -> Source:
    from streamvace.video.camera import CameraSource

    if not (number or "0").isdecimal():
        raise UserError(f"unknown camera {number!r}: cameras are counted from 0; try camera:0")
    return CameraSource(int(number or "0"), size)


def _ndi_source(rest: str, size: Size) -> Source:
    from streamvace.video.ndi.source import NdiInput, NdiSource

    return NdiSource(*parse_address("ndi", rest, NdiInput), size)


def _spout_source(rest: str, size: Size) -> Source:
    from streamvace.video.core.shared_texture import TextureOptions
    from streamvace.video.spout.source import SpoutSource

    return SpoutSource(*parse_address("spout", rest, TextureOptions), size)


def _syphon_source(rest: str, size: Size) -> Source:
    from streamvace.video.core.shared_texture import TextureOptions
    from streamvace.video.syphon.source import SyphonSource

    return SyphonSource(*parse_address("syphon", rest, TextureOptions), size)


def _screen_source(rest: str, size: Size) -> Source:
    from streamvace.video.screen import ScreenOptions, ScreenSource

    number, options = parse_address("screen", rest, ScreenOptions)
    if not (number or "1").isdecimal():
        raise UserError(f"unknown screen {number!r}: screens are counted from 1; try screen:1")
    return ScreenSource(int(number or "1"), options, size)


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
    return NdiSink(name or "streamvace", rate, options)


def _spout_sink(rest: str, size: Size, rate: float) -> Sink:
    from streamvace.video.core.shared_texture import TextureOptions
    from streamvace.video.spout.sink import SpoutSink

    name, options = parse_address("spout", rest, TextureOptions)
    return SpoutSink(name or "streamvace", options, size)


def _syphon_sink(rest: str, size: Size, rate: float) -> Sink:
    from streamvace.video.core.shared_texture import TextureOptions
    from streamvace.video.syphon.sink import SyphonSink

    name, options = parse_address("syphon", rest, TextureOptions)
    return SyphonSink(name or "streamvace", options)


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
"""Scheme to opener; the opener gets what stands after the colon."""

SINKS: Mapping[str, Callable[[str, Size, float], Sink]] = {
    "null": _null_sink,
    "window": _window_sink,
    "ndi": _ndi_sink,
    "file": _file_sink,
    "spout": _spout_sink,
    "syphon": _syphon_sink,
}
"""Scheme to opener; the opener gets what stands after the colon."""
