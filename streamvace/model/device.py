"""What devices differ in: memory that is left, and doubles."""

from __future__ import annotations

import torch


def free_bytes(device: torch.device) -> float:
    """Bytes that can be had: the card's free ones, and those this process holds unused; no limit off CUDA."""
    if device.type != "cuda":
        return float("inf")
    free, _ = torch.cuda.mem_get_info(device)
    return float(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))


def exact_dtype(device: torch.device) -> torch.dtype:
    """float64 for what cancels or turns fast; float32 on Apple's GPU, which has no doubles."""
    return torch.float32 if device.type == "mps" else torch.float64
