"""How much main memory the two processes hold, and how much is left."""

from __future__ import annotations

import os
from collections.abc import Callable

import psutil

from streamvace.telemetry.telemetry import Stats

_MB = 1e6


class ResidentMemory:
    """Figures for telemetry: resident memory of the stage, of the worker, and of both, in MB."""

    def __init__(self, worker_pid: Callable[[], int]) -> None:
        """worker_pid: 0 while there is none."""
        self._worker_pid = worker_pid

    def stats(self) -> Stats:
        """Asked of the system each time: microseconds."""
        stage, worker = resident_mb(os.getpid()), resident_mb(self._worker_pid())
        return {"memory_mb": round(stage + worker, 1), "memory_stage_mb": stage, "memory_worker_mb": worker}


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB; 0 for one that is not there."""
    if not pid:
        return 0.0
    try:
        return round(psutil.Process(pid).memory_info().rss / _MB, 1)
    except psutil.Error:  # it ended between two looks
        return 0.0


def free_memory_line() -> str:
    """`3.2 GB of memory free`."""
    return f"{psutil.virtual_memory().available / 1e9:.1f} GB of memory free"
