"""What only the worker's process can know of itself: graphs that were compiled, and memory held on the device."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Health:
    """compiled: graphs that torch.compile has made in this process so far. device_mb: device memory that PyTorch holds,
    used or not; 0 on the processor. Both stand still after READY, or the warm-up forgot something."""

    compiled: int = 0
    device_mb: float = 0.0


def measure() -> Health:
    """A look, in microseconds. Loads nothing: a worker that never compiled has no compiler to ask."""
    torch, dynamo = sys.modules.get("torch"), sys.modules.get("torch._dynamo.utils")
    compiled = int(dynamo.counters["stats"]["unique_graphs"]) if dynamo is not None else 0
    on_card = torch is not None and torch.cuda.is_initialized()
    return Health(compiled, round(torch.cuda.memory_reserved() / 1e6, 1) if torch is not None and on_card else 0.0)
