"""What devices differ in."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from streamvace.model import sampler, transformer
from streamvace.model.device import exact_dtype, free_bytes
from streamvace.records.chunk import ChunkInput
from tests.networks import small_generator


def test_only_apple_s_gpu_does_without_doubles() -> None:
    assert exact_dtype(torch.device("mps")) is torch.float32
    assert exact_dtype(torch.device("cuda:1")) is torch.float64
    assert exact_dtype(torch.device("cpu")) is torch.float64


def test_without_doubles_the_picture_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = small_generator().step(ChunkInput("red")).frames.astype(int)
    for module in (sampler, transformer):
        monkeypatch.setattr(module, "exact_dtype", lambda device: torch.float32)
    assert np.abs(small_generator().step(ChunkInput("red")).frames - exact).max() <= 1


def test_what_this_process_holds_unused_counts_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (3_000, 10_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 5_000)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 4_000)
    assert free_bytes(torch.device("cuda")) == 4_000
    assert free_bytes(torch.device("cpu")) == float("inf")
