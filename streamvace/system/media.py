"""The media folder: the only folder that file names from OSC, the web or the command line can refer to.

Anyone who can send a packet can send a name. So a name is checked as text before the disk is touched (on Windows, a
lookup of a network path already sends the user's credentials to that host), and its target is checked again after links
are followed. Whatever leads out of the folder gets one answer, which does not tell what exists there.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path, PurePath

from streamvace.system.errors import UserError
from streamvace.system.files import make_folders
from streamvace.system.paths import as_stored, composed, from_uri, home_folder, is_device

MAX_NAME = 1024
"""Characters of a name: more than a show's folders need, less than the system's limit."""

_ELSEWHERE = re.compile(r"[/\\]|[A-Za-z]:")
"""The beginning of a path that does not continue the folder's: from a root, from a network or from a drive."""


def default_media_folder() -> Path:
    """`media` in the current folder if it exists, else `streamvace/media` in the user's home, if there is one."""
    here, home = Path.cwd() / "media", home_folder()
    return here if home is None or here.is_dir() else home / "streamvace" / "media"


class MediaFolder:
    """Maps names to paths inside one folder. Immutable, so any thread may call it. Every method may access the disk."""

    def __init__(self, root: Path | None = None) -> None:
        """root: need not exist yet; None: `default_media_folder()`. Raises UserError if it is a file."""
        self.root = (root or default_media_folder()).absolute()
        if self.root.exists() and not self.root.is_dir():
            raise UserError(f"media folder {self.root} is a file; name a folder")

    def find(self, name: str) -> Path:
        """The path of an existing file, links followed. Open this path: the name is not to be read a second time.

        name: relative to the folder, parts joined by `/` or a backslash, or an absolute path or `file:///` address into
        the folder. Raises UserError, one line, for a name that leads out of the folder or to no file.
        """
        found = self._inside(name)
        try:
            there = found.is_file()
        except OSError:  # a name too long, no permission
            there = False
        if not there:
            raise self._missing(name)
        return found

    def place(self, name: str) -> Path:
        """The path where a file of this name is to be written. Creates its folder if it is missing.

        Raises UserError for a name that leads out of the folder, and when the folder cannot be created.
        """
        wanted = self._inside(name)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            make_folders(self.root.resolve(), wanted.parent)
        except OSError as error:
            raise UserError(
                f"cannot write {_shown(name)} in the media folder {self.root} ({error.strerror}); "
                "choose another name, or another folder with --media"
            ) from error
        return wanted

    def name_of(self, path: Path) -> str:
        """The name by which a file in the folder is found, with `/` between its parts; empty for any other file."""
        root = self.root.resolve()
        return path.relative_to(root).as_posix() if path.is_file() and path.is_relative_to(root) else ""

    def _inside(self, name: str) -> Path:
        """The path of a name with links followed; it need not exist. Raises UserError if it is not in the folder."""
        root = self.root.resolve()
        parts = self._parts(name, root)
        try:
            found = as_stored(self.root.joinpath(*parts)).resolve()
        except (OSError, RuntimeError):  # a loop of links, a name too long
            raise self._missing(name) from None
        if not found.is_relative_to(root):
            raise self._outside(name)
        return found

    def _parts(self, name: str, root: Path) -> tuple[str, ...]:
        if len(name) > MAX_NAME:
            raise UserError(f"a file name of {len(name)} characters; the limit is {MAX_NAME}")
        parts = parts_below((self.root, root), from_uri(name))
        if parts is None:
            raise self._outside(name)
        if not parts or not all(map(_plain, parts)):
            raise UserError(f"{_shown(name)} is not a file name; name a file in the media folder {self.root}")
        return parts

    def _outside(self, name: str) -> UserError:
        return UserError(f"{_shown(name)} is outside the media folder {self.root}; only files in it can be used")

    def _missing(self, name: str) -> UserError:
        if not self.root.is_dir():
            return UserError(f"no file {_shown(name)}: there is no media folder {self.root}; create it or use --media")
        names = sorted(entry.name for entry in self.root.iterdir() if entry.is_file())
        near = difflib.get_close_matches(name[:255], names, n=3, cutoff=0.5)
        other = f"it holds {len(names)} other files" if names else "it is empty"
        found = f"similar names: {', '.join(near)}" if near else other
        return UserError(f"no file {_shown(name)} in the media folder {self.root} ({found}); check the name")


def parts_below(roots: Sequence[PurePath], name: str) -> tuple[str, ...] | None:
    """The parts of a name below a folder, empty for the folder itself; None for a name that leads out of it.

    roots: absolute paths of the folder. name: relative to it, or absolute. Only reads the text, by the same rules on
    every platform, since shows move between machines.
    """
    for root in roots:
        pure = type(root)(name)
        if pure.is_absolute() and type(root)(composed(name)).is_relative_to(composed(str(root))):
            name = "/".join(pure.parts[len(root.parts) :])
    parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    return None if _ELSEWHERE.match(name) or ".." in parts else parts


def _plain(part: str) -> bool:
    """Whether a part of a name is a valid file name on every platform."""
    invalid = any(letter in '<>:"|?*' or ord(letter) < 32 or "\ud800" <= letter <= "\udfff" for letter in part)
    # Windows drops trailing dots and spaces.
    return not (invalid or part.endswith((".", " ")) or is_device(part))


def safe_name(wanted: str) -> str:
    """A file name for what somebody calls `wanted`: its last part, without what a system or a shell would misread.

    At most MAX_STORED characters. Raises UserError if nothing is left of it.
    """
    last = composed(wanted).replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter if letter.isalnum() or letter in " ._-()+" else "_" for letter in last)
    stem, dot, suffix = kept.strip(" .").rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    stem = stem.strip(" .")[: MAX_STORED - len(dot + suffix)].rstrip(" .")
    if not stem or len(suffix) > _LONGEST_SUFFIX:
        raise UserError(f"{_shown(wanted)} is no name for a file; rename it")
    name = f"{stem}{dot}{suffix}"
    return name if _plain(name) else f"_{name}"


MAX_STORED = 100
"""Characters of a name that `safe_name` gives: every file system takes them, with a number added."""
_LONGEST_SUFFIX = 8


def _shown(name: str) -> str:
    return repr(name[:80]) + ("..." if len(name) > 80 else "")
