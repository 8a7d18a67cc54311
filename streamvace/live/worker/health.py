"""Figures that only the worker's process can read: compiled graphs, and memory held on the device."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Health:
    """compiled: graphs that torch.compile has built in this process. device_mb: device memory in MB that PyTorch has
    reserved; 0 on the CPU. Both stay constant after READY, unless the warm-up missed a path."""

    compiled: int = 0
    device_mb: float = 0.0


def measure() -> Health:
    """Read the figures; takes microseconds. Imports nothing: a worker that never compiled has not loaded dynamo."""
    torch, dynamo = sys.modules.get("torch"), sys.modules.get("torch._dynamo.utils")
    compiled = int(dynamo.counters["stats"]["unique_graphs"]) if dynamo is not None else 0
    on_card = torch is not None and torch.cuda.is_initialized()
    return Health(compiled, round(torch.cuda.memory_reserved() / 1e6, 1) if torch is not None and on_card else 0.0)
