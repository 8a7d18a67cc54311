"""Device differences: free memory, uploads and double precision."""

from __future__ import annotations

import torch
from torch import Tensor


def free_bytes(device: torch.device) -> float:
    """Bytes available to this process: free device memory plus unused reserved memory; infinite without CUDA."""
    if device.type != "cuda":
        return float("inf")
    free, _ = torch.cuda.mem_get_info(device)
    return float(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))


def exact_dtype(device: torch.device) -> torch.dtype:
    """float64 for computations with cancellation or large angles; float32 on Apple's GPU, which has no float64."""
    return torch.float32 if device.type == "mps" else torch.float64


def to_device(host: Tensor, device: torch.device) -> Tensor:
    """A tensor of the host on the device. The host does not wait: it prepares the next operations meanwhile."""
    if device.type != "cuda":
        return host.to(device)
    # Pageable memory is copied by the driver while the host waits. The allocator of pinned memory reuses a block only
    # after the copy from it.
    return host.pin_memory().to(device, non_blocking=True)
