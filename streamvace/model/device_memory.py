"""How much memory a device has left."""

from __future__ import annotations

import torch


def free_bytes(device: torch.device) -> float:
    """Bytes that can be had: the card's free ones, and those this process holds unused; no limit off CUDA."""
    if device.type != "cuda":
        return float("inf")
    free, _ = torch.cuda.mem_get_info(device)
    return float(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
