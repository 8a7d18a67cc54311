"""How much memory the C library keeps of what was freed."""

from __future__ import annotations

import ctypes
import os
import sys

MOST = 2
"""Heaps of a show. Python's own lock lets hardly two threads allocate at once.

A show with inputs that change every 1.5 s holds 200 MB after a minute with the default, and 147 MB with 2 from the
start (256x256, 75 s; with frames given back at once, by M_MMAP_THRESHOLD, 127 MB, but every frame is then zeroed)."""

_M_ARENA_MAX = -8
"""glibc's malloc.h."""


def few_heaps() -> bool:
    """Let all threads share `MOST` heaps, where the C library is glibc. Returns whether it does so now.

    glibc gives a new thread a heap of its own, up to eight for each core, and each keeps what was freed in it: frames
    of inputs that were closed long ago. Call it before threads are started. The user's MALLOC_ARENA_MAX wins.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return False
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, MOST))
    except (OSError, AttributeError):  # musl has neither heaps nor mallopt
        return False
