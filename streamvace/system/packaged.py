"""Data that ships inside a package, as a folder of real files."""

from __future__ import annotations

import atexit
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory


@cache
def packaged_folder(package: str, name: str) -> Path:
    """The folder `name` of files in a package. In a zipped install there are none that could be mapped into memory:
    they are unpacked, once a process, into a temporary folder that goes with it."""
    found = files(package).joinpath(name)
    if isinstance(found, Path):
        return found
    # Windows keeps a file that is still mapped; what cannot be removed then is the system's to clear.
    folder = TemporaryDirectory(prefix="streamvace-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    for file in found.iterdir():
        Path(folder.name, file.name).write_bytes(file.read_bytes())
    return Path(folder.name)
