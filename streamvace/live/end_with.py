"""Ends the show when another process has gone: a host that started it may crash without saying goodbye."""

from __future__ import annotations

import os
import sys
import threading

_LOOK_S = 0.5
"""Between two looks where the system cannot wait for a stranger's end."""


def end_with(pid: int, stop: threading.Event) -> None:
    """Set `stop` once process `pid` has gone; at once when there is none. Watches on a daemon thread of its own."""
    threading.Thread(target=_watch, args=(pid, stop), name="host watch", daemon=True).start()


def _watch(pid: int, stop: threading.Event) -> None:
    if sys.platform == "win32":
        _wait_windows(pid)
    else:
        child = os.getppid() == pid
        # A parent that crashed and waits to be reaped still has its id; its children have another parent by then.
        while (os.getppid() == pid if child else _alive(pid)) and not stop.wait(_LOOK_S):
            pass
    stop.set()


if sys.platform == "win32":
    import ctypes

    def _wait_windows(pid: int) -> None:
        """Holds the process open, so that its id cannot be given to another one meanwhile."""
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
        except OSError:  # it is somebody else's
            return True
        return True
