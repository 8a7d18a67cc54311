"""Device differences: free memory, uploads and double precision."""

from __future__ import annotations

import torch
from torch import Tensor

NO_POOL = (0, 0)
"""The id of the memory that belongs to no graph."""


def free_bytes(device: torch.device) -> float:
    """Bytes available to the current stream: free device memory, and what PyTorch has reserved for this stream and does
    not use; infinite without CUDA.

    What is reserved for another stream, or for captured graphs, is needed there again in the next chunk.
    """
    if device.type != "cuda":
        return float("inf")
    free, _ = torch.cuda.mem_get_info(device)
    card = torch.cuda.current_device() if device.index is None else device.index
    stream = torch.cuda.current_stream(device).cuda_stream
    unused = sum(
        segment["total_size"] - segment["active_size"]
        for segment in torch.cuda.memory_snapshot()
        if (segment["device"], segment["stream"]) == (card, stream)
        and tuple(segment.get("segment_pool_id", NO_POOL)) == NO_POOL
    )
    return float(free + unused)


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
