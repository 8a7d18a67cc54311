"""What the web page may do with the media folder, the sources and the recordings; see `streamvace/web/library.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import cv2

from streamvace.live.inputs.inputs import Inputs
from streamvace.live.stage import Stage
from streamvace.records.chunk import Pixels
from streamvace.records.frame import Frame
from streamvace.system.errors import UserError
from streamvace.video.core.resize import fit_cover
from streamvace.video.endpoints import SOURCES, split_uri
from streamvace.video.film.picture_process import PictureProcess
from streamvace.video.film.source import read_frames
from streamvace.video.film.still import NAMED
from streamvace.video.find import QUIET_FINDERS, find_all
from streamvace.video.pattern import still
from streamvace.web.library import Library, Row, Shelf
from streamvace.web.preview import Routes
from streamvace.web.recordings import Recordings
from streamvace.web.uploads import Uploads

SIZE = (160, 90)
"""(width, height) of a thumbnail."""

FILMS = frozenset(
    {".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".mxf", ".wmv", ".gif"}
)
"""Suffixes that the page offers as films. What is in the file is found out by opening it."""

_QUALITY = 80
_SEARCH_S = 1.0
"""How long senders on the network may take to answer: most do within a tenth of it."""


class OpenInputs:
    """The inputs of the show, which are opened after the page."""

    def __init__(self) -> None:
        self.inputs: Inputs | None = None

    def newest(self, address: str) -> Frame | None:
        """The newest picture of an open input; None without one."""
        return None if self.inputs is None else self.inputs.newest(address)


def media_parts(stage: Stage, inputs: OpenInputs) -> Sequence[Routes]:
    """The routes."""
    decoder = PictureProcess(in_background=True)
    stage.closing.callback(decoder.close)
    shelf = Shelf(
        media=stage.media,
        kind_of=kind_of,
        thumbnail=partial(thumbnail, decoder),
        sources=lambda: _sources(stage.options.inputs),
        look=lambda address: _look(address, inputs),
    )
    library = Library(shelf)
    stage.closing.callback(library.close)
    return (
        library,
        Uploads(stage.media, kind_of, partial(check, decoder)),
        Recordings(stage.media, lambda: str(stage.telemetry.stats().get("recorded", ""))),
    )


def kind_of(name: str) -> str:
    """`picture` for what can be a reference, `film` for what can be an input, else an empty string."""
    suffix = Path(name).suffix.lower()
    if suffix in NAMED:
        return "picture"
    return "film" if suffix in FILMS else ""


def check(decoder: PictureProcess, path: Path) -> None:
    """Decode a picture, or the first picture of a film. Raises UserError."""
    if kind_of(path.name) == "picture":
        decoder.load_picture(path)
    else:
        _first(path)


def thumbnail(decoder: PictureProcess, path: Path) -> bytes:
    """A JPEG of SIZE. Raises UserError for a file that cannot be decoded."""
    if kind_of(path.name) == "picture":
        return _jpeg(fit_cover(decoder.load_picture(path), SIZE))
    return _jpeg(_first(path))


def _first(path: Path) -> Pixels:
    pixels = next(read_frames(path, SIZE), None)
    if pixels is None:
        raise UserError(f"{path.name} holds no picture")
    return pixels


def _sources(given: Sequence[str]) -> tuple[Sequence[Row], Mapping[str, str]]:
    """Every source: the inputs of the command line, the pattern, then what is found."""
    found, problems = find_all(_SEARCH_S, QUIET_FINDERS)
    rows = [{"kind": "input", "address": str(number), "about": each} for number, each in enumerate(given, 1)]
    rows.append({"kind": "pattern", "address": "pattern", "about": "built in"})
    rows += [{"kind": each.kind, "address": each.address, "about": each.about} for each in found]
    return rows, problems


def _look(address: str, inputs: OpenInputs) -> bytes | None:
    """A JPEG of an open input, or of the pattern."""
    frame = inputs.newest(address)
    if frame is not None:
        return _jpeg(fit_cover(frame.pixels, SIZE))
    scheme, kind = split_uri(address, SOURCES)
    if scheme != "pattern":
        return None
    return _jpeg(still(kind or "light", SIZE))


def _jpeg(pixels: Pixels) -> bytes:
    """pixels: uint8 `[H, W, 4]`, RGBA."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done
    return data.tobytes()
