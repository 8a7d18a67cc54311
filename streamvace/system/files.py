"""Checks of a path before a file is written there."""

from __future__ import annotations

import os
from pathlib import Path

from streamvace.system.errors import UserError


def check_writable(path: Path, what: str) -> None:
    """Raises UserError when no file can be written at `path`. Creates nothing.

    what: the file's name in the message.
    """
    folder = path.expanduser().absolute().parent
    if not folder.is_dir():
        raise UserError(f"{what} {path}: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK):
        raise UserError(f"{what} {path}: the folder {folder} is not writable; choose another")
    if path.is_dir():
        raise UserError(f"{what} {path} is a folder; name a file in it")


def check_output(path: Path, *, overwrite: bool) -> None:
    """Raises UserError when no film can be written at `path`, or one would be overwritten. Creates nothing."""
    check_writable(path, "output")
    if path.exists() and not overwrite:
        raise UserError(f"output {path} exists; choose another name, or add --overwrite")
