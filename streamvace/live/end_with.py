"""Ends the show when another process ends: the host that started the show can crash without stopping it."""

from __future__ import annotations

import os
import sys
import threading

import psutil

from streamvace.system.console import say

_POLL_S = 0.5
"""Poll interval on systems that cannot wait for the end of an unrelated process."""


def end_with(pid: int, stop: threading.Event) -> None:
    """Set `stop` once process `pid` has ended, immediately if there is none. Watches on its own daemon thread."""
    threading.Thread(target=_watch, args=(pid, stop), name="host watch", daemon=True).start()


def _watch(pid: int, stop: threading.Event) -> None:
    if sys.platform == "win32":
        if not _ended_on_windows(pid):
            return
    else:
        child = os.getppid() == pid
        # A crashed parent that was not reaped yet keeps its id, but its children already have another parent.
        while (os.getppid() == pid if child else _alive(pid)) and not stop.wait(_POLL_S):
            pass
    stop.set()


def _ended_on_windows(pid: int) -> bool:
    """Wait for the end. False at once if the process does not allow it: one that runs as administrator."""
    try:
        psutil.Process(pid).wait()
    except psutil.NoSuchProcess:
        pass
    except psutil.AccessDenied:
        say(f"--end-with {pid}: that process runs as administrator and cannot be waited for; the show goes on alone")
        return False
    return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it belongs to another user
        return True
    return True
