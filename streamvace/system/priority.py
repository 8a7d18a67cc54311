"""Process priority: when the CPU is busy the model waits, not the output clock."""

from __future__ import annotations

import os
import sys

import psutil

NICENESS = 5
"""The scheduler serves a due tick first; the model still gets every idle core."""

_BELOW_NORMAL = 0x4000
"""Windows' BELOW_NORMAL_PRIORITY_CLASS."""


def step_back() -> None:
    """Lower this process's priority. Only for a model on the CPU: with a GPU, the worker's thread does little work, and
    that work is urgent."""
    if sys.platform == "win32":
        # Not by ctypes: it passes the handle -1 of the own process as 32 bits, and the call fails without an error.
        psutil.Process().nice(_BELOW_NORMAL)
    else:
        os.nice(NICENESS)
