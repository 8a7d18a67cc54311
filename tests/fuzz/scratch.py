"""A folder for the files that a target reads, removed at the end."""

from __future__ import annotations

import atexit
import gc
import shutil
import tempfile
from functools import cache
from pathlib import Path


def scratch(name: str, data: bytes) -> Path:
    """A file with these bytes."""
    path = folder() / name
    try:
        path.write_bytes(data)
    except OSError:  # Windows writes to no file that is mapped, and the network that read it last may be in a cycle
        gc.collect()
        path.write_bytes(data)
    return path


@cache
def folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="streamvace-fuzz-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
