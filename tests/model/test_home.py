"""A network that visits a device comes back to the same memory, which a card can read fast."""

from __future__ import annotations

import gc

import pytest
import torch
from torch import Tensor, nn

from streamvace.model.home import Home, stored_bytes

META = torch.device("meta")
"""A device that exists everywhere. Its tensors hold no values, so weights that return come from main memory."""


def test_the_way_back_copies_nothing() -> None:
    module = nn.Linear(3, 5)
    before, addresses = module.weight.clone(), [each.data_ptr() for each in module.parameters()]
    home = Home(module)
    home.move_to(META)
    assert {each.device.type for each in module.parameters()} == {"meta"}
    home.go_back()
    assert [each.data_ptr() for each in module.parameters()] == addresses
    assert torch.equal(module.weight, before)


class Cudart:
    """CUDA's registration of host memory: exact, once for each address, and undone before the memory is freed."""

    def __init__(self) -> None:
        self.locked: dict[int, int] = {}

    def cudaHostRegister(self, address: int, size: int, flags: int) -> int:
        assert address not in self.locked
        assert size > 0
        assert flags == 0
        self.locked[address] = size
        return 0

    def cudaHostUnregister(self, address: int) -> int:
        del self.locked[address]
        return 0


def test_plain_weights_lie_in_one_locked_buffer_without_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    cudart = Cudart()
    monkeypatch.setattr(torch.cuda, "cudart", lambda: cudart)
    monkeypatch.setattr(torch.cuda, "check_error", lambda code: None)
    module = nn.Sequential(nn.Linear(30, 50), nn.Linear(50, 20))
    before = [each.clone() for each in module.parameters()]
    home = Home(module, page_locked=True)
    ((start, size),) = cudart.locked.items()
    for ours, theirs in zip(module.parameters(), before, strict=True):
        assert torch.equal(ours, theirs)
        assert start <= ours.data_ptr() <= start + size - ours.nbytes
    assert home.nbytes <= size < home.nbytes + 64 * len(before)
    del home
    gc.collect()
    assert cudart.locked == {}


class EightBit(Tensor):
    """Says bf16 and stores bytes with a scale for each row, as torchao's weights do."""

    def __tensor_flatten__(self) -> tuple[list[str], object]:
        return ["data8", "scale"], None


def test_an_8_bit_weight_counts_what_it_stores() -> None:
    weight = torch.zeros(4, 6, dtype=torch.bfloat16).as_subclass(EightBit)
    weight.data8, weight.scale = torch.zeros(4, 6, dtype=torch.int8), torch.zeros(4)  # type: ignore[attr-defined]
    assert weight.nbytes == 48
    assert stored_bytes(weight) == 24 + 16
    assert stored_bytes(torch.zeros(3)) == 12
