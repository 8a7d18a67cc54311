"""Device differences: free memory and double precision."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from streamvace.model import sampler, transformer
from streamvace.model.device import exact_dtype, free_bytes
from streamvace.records.chunk import ChunkInput
from tests.networks import small_generator


def test_only_apple_s_gpu_computes_without_float64() -> None:
    assert exact_dtype(torch.device("mps")) is torch.float32
    assert exact_dtype(torch.device("cuda:1")) is torch.float64
    assert exact_dtype(torch.device("cpu")) is torch.float64


def test_without_float64_the_picture_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = small_generator().step(ChunkInput("red")).frames.astype(int)
    for module in (sampler, transformer):
        monkeypatch.setattr(module, "exact_dtype", lambda device: torch.float32)
    assert np.abs(small_generator().step(ChunkInput("red")).frames - exact).max() <= 1


def segment(device: int, stream: int, unused: int, pool: tuple[int, int] = (0, 0)) -> dict[str, object]:
    """As `torch.cuda.memory_snapshot` describes one."""
    sizes = {"total_size": 5_000 + unused, "allocated_size": 4_000, "active_size": 5_000}
    return {"device": device, "stream": stream, "segment_pool_id": pool, **sizes}


def test_only_what_this_stream_has_reserved_counts_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what the stream of the pictures or a captured graph has, nor another card's."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (3_000, 10_000))
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: SimpleNamespace(cuda_stream=7))
    segments = [segment(1, 7, 200), segment(1, 7, 30), segment(1, 8, 1), segment(0, 7, 2), segment(1, 7, 4, (0, 1))]
    monkeypatch.setattr(torch.cuda, "memory_snapshot", lambda: segments)
    for name in ("cuda", "cuda:1"):
        assert free_bytes(torch.device(name)) == 3_230
    assert free_bytes(torch.device("cpu")) == float("inf")
