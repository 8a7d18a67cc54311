"""Whether this process keeps a file open."""

from __future__ import annotations

import os
from pathlib import Path


def held(path: Path) -> bool:
    """Whether the file is mapped. Windows: whether it can be removed with its folder, which must hold nothing else."""
    if os.name == "nt":
        try:
            path.unlink()
            path.parent.rmdir()
        except OSError:
            return True
        return False
    maps = Path("/proc/self/maps")
    return maps.exists() and str(path) in maps.read_text()
