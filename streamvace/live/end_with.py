"""Ends the show when another process ends: the host that started the show can crash without stopping it."""

from __future__ import annotations

import os
import sys
import threading

_POLL_S = 0.5
"""Poll interval on systems that cannot wait for the end of an unrelated process."""


def end_with(pid: int, stop: threading.Event) -> None:
    """Set `stop` once process `pid` has ended, immediately if there is none. Watches on its own daemon thread."""
    threading.Thread(target=_watch, args=(pid, stop), name="host watch", daemon=True).start()


def _watch(pid: int, stop: threading.Event) -> None:
    if sys.platform == "win32":
        _wait_windows(pid)
    else:
        child = os.getppid() == pid
        # A crashed parent that was not reaped yet keeps its id, but its children already have another parent.
        while (os.getppid() == pid if child else _alive(pid)) and not stop.wait(_POLL_S):
            pass
    stop.set()


if sys.platform == "win32":
    import ctypes

    def _wait_windows(pid: int) -> None:
        """The open handle keeps the id from being reused meanwhile."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = ctypes.c_void_p
        kernel.WaitForSingleObject.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        synchronize, infinite = 0x0010_0000, 0xFFFF_FFFF
        handle = kernel.OpenProcess(synchronize, False, pid)
        if handle:
            kernel.WaitForSingleObject(handle, infinite)

else:

    def _alive(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except OSError:  # it belongs to another user
            return True
        return True
