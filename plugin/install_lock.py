"""One installation at a time, across processes. Standard library only."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pip_step import Cancelled


@contextlib.contextmanager
def one_at_a_time(root: Path, waiting: Callable[[], object], cancelled: Callable[[], bool]) -> Iterator[None]:
    """Hold the installation lock of `root`. A console and a TouchDesigner component may start at the same time.

    The system frees the lock when its process ends. waiting: called once if another process holds it. Raises Cancelled.
    """
    folder = root / ".cache"  # not in .venv: Windows cannot delete a folder with an open file
    folder.mkdir(exist_ok=True)
    with (folder / "bootstrap.lock").open("a+b") as file:
        reported = False
        while not _lock(file.fileno()):
            if not reported:
                waiting()
                reported = True
            if cancelled():
                raise Cancelled("stopped while waiting for another installation")
            time.sleep(0.2)
        yield


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
