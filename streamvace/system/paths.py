"""Paths as people and programs write them: with `~`, as a `file:///` address, with accents in either spelling.

Every path that somebody gives goes through `user_path`, and every folder of the user's through `home_folder`. Names
from OSC and the web go through the media folder instead (`system/media.py`).
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from pathlib import Path
from urllib.parse import unquote

from streamvace.system.errors import UserError

_URI = "file://"
_DRIVE = re.compile(r"/[A-Za-z]:(?=[/\\]|$)")
"""A path of Windows in a URI has a slash in front of its drive: `file:///C:/clip.mp4`."""

_DEVICE = re.compile(r"(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])", re.IGNORECASE)
"""Device names of Windows, valid in any folder and with any suffix; opening one can hang."""


def home_folder() -> Path | None:
    """The user's home folder; None for a user without one: no entry in the system's list of users, as in many
    containers and services, and HOME (on Windows USERPROFILE) is not set."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def user_path(text: str) -> Path:
    """A path that the user gave, for reading or writing. It need not exist.

    text: a path, which may begin with `~`, or a `file:///` address. Raises UserError for `~` without a home folder, and
    on Windows for the name of a device.
    """
    path = Path(from_uri(text))
    if sys.platform == "win32" and (device := next(filter(is_device, path.parts), "")):
        raise UserError(
            f"{path}: Windows reserves the name {device} for a device, with any suffix; choose another name"
        )
    try:
        return as_stored(path.expanduser())
    except RuntimeError:
        raise UserError(
            f"{path}: there is no home folder that {path.parts[0]} stands for; write the whole path"
        ) from None


def is_device(part: str) -> bool:
    """Whether Windows takes a part of a path for a device: `con`, `aux.mp4`."""
    return _DEVICE.fullmatch(part.partition(".")[0].rstrip()) is not None


def is_uri(text: str) -> bool:
    """Whether this is a `file://` address, in which `%20` stands for a space."""
    return text[: len(_URI)].lower() == _URI


def from_uri(text: str) -> str:
    """The path of a `file:` or `file://` address, decoded once; any other text unchanged. Only reads the text.

    A host other than `localhost` gives a network path, `//host/share/clip.mp4`.
    """
    if not is_uri(text):
        return text.removeprefix("file:")
    host, slash, rest = text[len(_URI) :].partition("/")
    path = unquote(slash + rest, errors="surrogateescape")
    if host.lower() not in ("", "localhost"):
        return f"//{host}{path}"
    return path[1:] if _DRIVE.match(path) else path


def as_stored(path: Path) -> Path:
    """The path as the disk spells it, as far as it exists there.

    Unicode spells an accent or a Korean syllable as one character (NFC) or as several (NFD). macOS gives names in NFD,
    keyboards and other systems in NFC, and most file systems take the two for different files. A name that exists
    exactly as given is that one.
    """
    if str(path).isascii() or os.path.lexists(path):
        return path
    found = Path(path.anchor)
    for part in path.relative_to(path.anchor).parts:
        found /= part if part.isascii() or os.path.lexists(found / part) else _spelled(found, part)
    return found


def composed(text: str) -> str:
    """The text in NFC, to compare it with another."""
    return unicodedata.normalize("NFC", text)


def _spelled(folder: Path, name: str) -> str:
    """The name as an entry of the folder spells it; unchanged if there is none."""
    try:
        entries = sorted(os.listdir(folder))
    except OSError:  # no such folder, or none that may be listed
        return name
    return next((entry for entry in entries if composed(entry) == composed(name)), name)
