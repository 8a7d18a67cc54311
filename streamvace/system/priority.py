"""Who waits when the processor is full: the model, not the output clock."""

from __future__ import annotations

import os
import sys

NICENESS = 5
"""Enough that the scheduler serves a due tick first; the model still gets every core that is idle."""

_BELOW_NORMAL = 0x4000
"""Windows' BELOW_NORMAL_PRIORITY_CLASS."""


def step_back() -> None:
    """Put this process behind the others of the show. For a model on the processor only: on a GPU the worker's thread
    does little, and what it does is urgent."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        os.nice(NICENESS)
