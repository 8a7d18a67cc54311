"""Writing files: checks of a path, files and folders made so that no link is followed, and finished files renamed."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from streamvace.system.errors import UserError

_PATIENCE_S = 3.0
"""How long a virus scanner or an indexer may keep a file open that is to be replaced."""

_RETRY_S = 0.1


def check_writable(path: Path, what: str) -> None:
    """Raises UserError when no file can be written at `path`. Creates nothing.

    what: the file's name in the message.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise UserError(f"{what} {path}: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK):
        raise UserError(f"{what} {path}: the folder {folder} is not writable; choose another")
    if path.is_dir():
        raise UserError(f"{what} {path} is a folder; name a file in it")
    if path.exists():
        try:
            os.rename(path, path)  # changes nothing; Windows refuses it while another program has the file open
        except OSError as error:
            raise UserError(
                f"{what} {path} cannot be replaced ({error.strerror}); close the program that uses it, or choose "
                "another name"
            ) from error


def check_output(path: Path, *, overwrite: bool) -> None:
    """Raises UserError when no film can be written at `path`, or one would be overwritten. Creates nothing."""
    check_writable(path, "output")
    if path.exists() and not overwrite:
        raise UserError(f"output {path} exists; choose another name, or add --overwrite")


def read_text(path: Path, most_bytes: int, what: str) -> str:
    """The text of a file that people edit, in UTF-8. most_bytes: a larger file is the wrong file. what: it should be,
    in the message. Raises UserError, one line, for a file that cannot be used, and FileNotFoundError for none."""
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); close what else uses it, or name another"
        ) from error
    if len(data) > most_bytes:
        raise UserError(f"{path}: larger than {most_bytes >> 20} MB; not {what}")
    try:
        # utf-8-sig: Notepad on Windows writes a byte order mark.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from None


def new_file(path: Path) -> BinaryIO:
    """An empty file, open for writing. What is there is removed first, and a link is removed instead of followed.

    Somebody else may write to the folder, a shared drive for instance, and put a link where a file is expected. Raises
    OSError, also if one appears in between.
    """
    path.unlink(missing_ok=True)
    return path.open("xb")


def replace_file(whole: Path, path: Path) -> None:
    """Rename a finished file to `path`, over what is there. Raises PermissionError, after a few seconds of trying: on
    Windows, a file that another program has open cannot be replaced."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            os.replace(whole, path)
            return
        except PermissionError:
            if time.monotonic() >= until:
                raise
        time.sleep(_RETRY_S)


def make_folders(root: Path, folder: Path) -> None:
    """Create `folder` and what is missing between it and `root`, which exists.

    Both are paths without links. Where the system has handles of folders, each one is opened inside the one before: a
    link that was put in the way since then is not followed. Raises OSError.
    """
    if sys.platform == "win32":
        folder.mkdir(parents=True, exist_ok=True)
        return
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in folder.relative_to(root).parts:
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=handle)
            outer, handle = handle, os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
            os.close(outer)
    finally:
        os.close(handle)
