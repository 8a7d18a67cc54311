"""A folder of numbered pictures as a clip."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import av

from streamvace.system.errors import UserError
from streamvace.system.paths import composed
from streamvace.video.film.decode import Picture, Tell, Timed, Video
from streamvace.video.film.opening import is_hidden

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".webp", ".bmp", ".tga", ".dpx", ".pfm", ".hdr"}
)
_COUNTER = re.compile(r"%0?\d*d")


def sequence_files(path: Path) -> list[Path]:
    """The pictures of a sequence in the order of their numbers; empty if the path is a single file. Hidden files are no
    pictures.

    path: of a sequence: a folder, or a name with a wildcard (`shot_*.png`) or a counter (`shot_%04d.png`). Raises
    UserError for one without pictures.
    """
    pattern = composed(_COUNTER.sub("*", path.name))
    if path.is_dir():
        found = list(path.iterdir())
    elif "*" in pattern and not path.exists():
        entries = path.parent.iterdir() if path.parent.is_dir() else ()
        found = [entry for entry in entries if fnmatch(composed(entry.name), pattern)]
    else:
        return []
    pictures = sorted(filter(_is_picture, found), key=_number)
    if not pictures:
        known = ", ".join(sorted(SUFFIXES))
        raise UserError(f"no pictures in {path}: a sequence is of {known}; check the path")
    return pictures


def sequence_frames(
    files: list[Path], rate: float, start: float, skip: Callable[[UserError], None], tell: Tell
) -> Iterator[Timed]:
    """Every picture as (start, duration, picture), from `start` seconds on, at `rate` pictures a second.

    For a picture that cannot be read, `skip` is called, which may raise; the picture before it is shown longer. `tell`
    takes a line about how they are converted.
    """
    first = min(int(start * rate), len(files) - 1)
    for index, file in enumerate(files[first:]):
        try:
            yield index / rate, 1 / rate, _picture(file, tell if index == 0 else lambda line: None)
        except UserError as error:
            skip(error)


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and file.is_file() and not is_hidden(file)


def _picture(file: Path, tell: Tell) -> Picture:
    try:
        with Video(file) as video:
            _, _, picture = next(video.frames(tell=tell), (0.0, 0.0, None))
    except av.FFmpegError as error:
        raise UserError(f"{file} is damaged ({error}); replace it") from error
    if picture is None:
        raise UserError(f"{file} is damaged (it holds no picture); replace it")
    return picture


def _number(file: Path) -> list[tuple[int, str]]:
    """A sort key that puts 2 before 10: digits compare as numbers, everything else as text."""
    parts = re.split(r"(\d+)", composed(file.name).lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
