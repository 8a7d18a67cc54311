"""A folder of numbered pictures as a clip."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from streamvace.system.errors import UserError
from streamvace.system.paths import composed
from streamvace.video.film.decode import Timed
from streamvace.video.film.opening import PICTURE_SUFFIXES, is_hidden, is_picture_file

Decode = Callable[[Path], Iterator[Timed]]
"""Decodes a picture file: one picture, or every frame of an animated one. Raises UserError at once."""

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
    pictures = sorted(filter(_belongs, found), key=_number)
    if not pictures:
        known = ", ".join(sorted(PICTURE_SUFFIXES))
        raise UserError(f"no pictures in {path}: a sequence is of {known}; check the path")
    return pictures


def sequence_frames(
    files: list[Path], rate: float, start: float, skip: Callable[[UserError], None], decode: Decode
) -> Iterator[Timed]:
    """Every picture as (start, duration, picture), from `start` seconds on, at `rate` pictures a second.

    For a picture that cannot be read, `skip` is called, which may raise; the picture before it is shown longer.
    """
    first = min(int(start * rate), len(files) - 1)
    for index, file in enumerate(files[first:]):
        try:
            _, _, picture = next(decode(file))
            yield index / rate, 1 / rate, picture
        except UserError as error:
            skip(error)


def _belongs(file: Path) -> bool:
    return is_picture_file(file) and file.is_file() and not is_hidden(file)


def _number(file: Path) -> list[tuple[int, str]]:
    """A sort key that puts 2 before 10: digits compare as numbers, everything else as text."""
    parts = re.split(r"(\d+)", composed(file.name).lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
