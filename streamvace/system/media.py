"""The media folder: the only folder that file names from OSC, the web or the command line can refer to.

Anyone who can send a packet can send a name. So a name is checked as text before the disk is touched (on Windows, a
lookup of a network path already sends the user's credentials to that host), and its target is checked again after links
are followed.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from streamvace.system.errors import UserError

MAX_NAME = 1024
"""Characters of a name: more than a show's folders need, less than the system's limit."""

_DEVICE = re.compile(r"(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])", re.IGNORECASE)
"""Device names of Windows, valid in any folder and with any suffix; opening one can hang."""


def default_media_folder() -> Path:
    """`media` in the current folder if it exists, else `streamvace/media` in the user's home."""
    here = Path.cwd() / "media"
    return here if here.is_dir() else Path.home() / "streamvace" / "media"


class MediaFolder:
    """Maps names to paths inside one folder. Immutable, so any thread may call it. Every method may access the disk."""

    def __init__(self, root: Path | None = None) -> None:
        """root: need not exist yet; None: `default_media_folder()`. Raises UserError if it is a file."""
        self.root = (root or default_media_folder()).expanduser().absolute()
        if self.root.exists() and not self.root.is_dir():
            raise UserError(f"media folder {self.root} is a file; name a folder")

    def find(self, name: str) -> Path:
        """The path of an existing file, links followed.

        name: relative to the folder, parts joined by `/` or a backslash, or an absolute path into the folder.
        Raises UserError, one line, for a name that leads out of the folder or to no file.
        """
        wanted = self.root.joinpath(*self._parts(name))
        try:
            found = wanted.resolve(strict=True)
            inside = found.is_relative_to(self.root.resolve())
        except (OSError, RuntimeError):  # missing, name too long, a loop of links, no permission
            raise self._missing(name) from None
        if not inside:
            raise UserError(f"{_shown(name)} links out of the media folder {self.root}; copy the file into it")
        if not found.is_file():
            raise self._missing(name)
        return found

    def place(self, name: str) -> Path:
        """The path where a file of this name is to be written. Creates its folder if it is missing.

        Raises UserError for a name that leads out of the folder, and when the folder cannot be created.
        """
        wanted = self.root.joinpath(*self._parts(name))
        try:
            wanted.parent.mkdir(parents=True, exist_ok=True)
            # The file itself can be a link: writing must not follow it out of the folder.
            inside = wanted.resolve().is_relative_to(self.root.resolve())
        except (OSError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or "a loop of links"
            raise UserError(f"cannot write {_shown(name)} in the media folder {self.root} ({why})") from error
        if not inside:
            raise UserError(f"{_shown(name)} leads out of the media folder {self.root}; choose another name")
        return wanted

    def _parts(self, name: str) -> tuple[str, ...]:
        """The name's parts below the root. Checks only the text, by the same rules on every platform: shows move
        between machines."""
        if len(name) > MAX_NAME:
            raise UserError(f"a file name of {len(name)} characters; the limit is {MAX_NAME}")
        relative = self._below_root(name)
        parts = tuple(part for part in relative.replace("\\", "/").split("/") if part not in ("", "."))
        outside = relative.startswith(("/", "\\")) or ".." in parts
        if outside:
            raise UserError(f"{_shown(name)} is outside the media folder {self.root}; only files in it can be used")
        if not parts or not all(_plain(part) for part in parts):
            raise UserError(f"{_shown(name)} is not a file name; name a file in the media folder {self.root}")
        return parts

    def _below_root(self, name: str) -> str:
        """An absolute path into the root, made relative to it (compared as text); any other name unchanged."""
        pure = (PureWindowsPath if os.name == "nt" else PurePosixPath)(name)
        for root in (self.root, self.root.resolve()):
            if pure.is_absolute() and pure.is_relative_to(root):
                return str(pure.relative_to(root))
        return name

    def _missing(self, name: str) -> UserError:
        if not self.root.is_dir():
            return UserError(f"no file {_shown(name)}: there is no media folder {self.root}; create it or use --media")
        names = sorted(entry.name for entry in self.root.iterdir() if entry.is_file())
        near = difflib.get_close_matches(name[:255], names, n=3, cutoff=0.5)
        found = f"similar names: {', '.join(near)}" if near else f"it holds {len(names)} other files"
        return UserError(f"no file {_shown(name)} in the media folder {self.root} ({found}); check the name")


def _plain(part: str) -> bool:
    """Whether a part of a name is a valid file name on every platform."""
    invalid = any(letter in '<>:"|?*' or ord(letter) < 32 or "\ud800" <= letter <= "\udfff" for letter in part)
    # Windows drops trailing dots and spaces; a device name keeps its meaning with any suffix.
    return not (invalid or part.endswith((".", " ")) or _DEVICE.fullmatch(part.partition(".")[0].rstrip()))


def _shown(name: str) -> str:
    return repr(name[:80]) + ("..." if len(name) > 80 else "")
