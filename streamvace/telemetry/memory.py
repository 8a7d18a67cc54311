"""Main memory that stage and worker hold, and what is free."""

from __future__ import annotations

import os

import psutil

from streamvace.telemetry.telemetry import Stats

_MB = 1e6


def memory_figures(worker_pid: int) -> Stats:
    """Figures for telemetry, in MB: resident memory of the stage, of the worker, of both. worker_pid: 0: no worker."""
    stage, worker = resident_mb(os.getpid()), resident_mb(worker_pid)
    return {"memory_mb": round(stage + worker, 1), "memory_stage_mb": stage, "memory_worker_mb": worker}


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB; 0 without such a process."""
    if not pid:
        return 0.0
    try:
        return round(psutil.Process(pid).memory_info().rss / _MB, 1)
    except psutil.Error:  # it has just ended
        return 0.0


def free_memory_line() -> str:
    """`3.2 GB of memory free`."""
    return f"{psutil.virtual_memory().available / 1e9:.1f} GB of memory free"
