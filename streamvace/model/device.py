"""Device differences: free memory and double precision."""

from __future__ import annotations

import torch


def free_bytes(device: torch.device) -> float:
    """Bytes available to this process: free device memory plus unused reserved memory; infinite without CUDA."""
    if device.type != "cuda":
        return float("inf")
    free, _ = torch.cuda.mem_get_info(device)
    return float(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))


def exact_dtype(device: torch.device) -> torch.dtype:
    """float64 for computations with cancellation or large angles; float32 on Apple's GPU, which has no float64."""
    return torch.float32 if device.type == "mps" else torch.float64
