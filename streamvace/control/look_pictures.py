"""The small pictures of the looks that ship, made by `python benchmarks/look_pictures.py docs/looks.jpg`.

A picture is named after what its look holds: a look that was changed has none until the pictures are made again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b
from importlib.resources import files
from typing import Final

from streamvace.control.cues import Cue

FOLDER: Final = files("streamvace.embedded").joinpath("look_pictures")
"""JPEGs, by the names of `name_of`."""


def name_of(look: Cue) -> str:
    """16 hexadecimal digits."""
    held = sorted((address, coerced.value) for address, coerced in look.values.items())
    return blake2b(json.dumps([look.name, held]).encode(), digest_size=8).hexdigest()


def with_pictures(looks: Iterable[Cue]) -> tuple[Cue, ...]:
    """The looks with the names of those pictures that are there."""
    return tuple(replace(look, picture=name_of(look)) if read(name_of(look)) else look for look in looks)


def read(name: str) -> bytes | None:
    """A JPEG; None for a name that no picture has. name: hexadecimal digits."""
    picture = FOLDER.joinpath(f"{name}.jpg")
    return picture.read_bytes() if picture.is_file() else None
