"""An offloaded network moves to the device when needed and back after a while; its weights do not change."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from streamvace.records.chunk import ChunkInput
from streamvace.stream import offload
from streamvace.stream.generator import Generator
from streamvace.stream.offload import PATIENCE, Offload
from streamvace.system.errors import UserError
from tests.networks import small_generator

ELSEWHERE = torch.device("meta")
"""The meta device exists everywhere. Its tensors hold no values, so weights that return come from main memory."""


def places(module: nn.Module) -> set[str]:
    return {parameter.device.type for parameter in module.parameters()}


def test_it_moves_in_when_first_needed_and_out_after_a_few_chunks_without_need() -> None:
    module = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    moving = Offload(module, ELSEWHERE, "context")
    assert places(module) == {"cpu"}
    assert moving.nbytes == 4 * (3 * 5 + 5 + 5 * 2 + 2)
    assert moving.begin_chunk(False)
    assert places(module) == {"cpu"}
    assert moving.begin_chunk(True)
    assert places(module) == {"meta"}
    for _ in range(PATIENCE - 1):
        moving.begin_chunk(False)
        assert places(module) == {"meta"}
    moving.begin_chunk(True)  # needed again: the idle chunks are counted from zero
    for _ in range(PATIENCE):
        assert places(module) == {"meta"}
        moving.begin_chunk(False)
    assert places(module) == {"cpu"}
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize(("device", "name"), [("cpu", "context"), ("meta", "none")])
def test_on_the_cpu_or_without_the_option_nothing_moves(device: str, name: str) -> None:
    module = nn.Linear(3, 5)
    weight = module.weight
    moving = Offload(module, torch.device(device), name)
    for needed in (True, *[False] * (PATIENCE + 1), True):
        assert moving.begin_chunk(needed)
    assert module.weight is weight
    assert moving.nbytes == 0


def test_an_unknown_offload_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="unknown offload 'all'; there are: none, context"):
        Offload(nn.Linear(1, 1), ELSEWHERE, "all")


def test_without_room_it_stays_in_main_memory_and_reports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.Linear(3, 5)
    moving = Offload(module, ELSEWHERE, "context")
    monkeypatch.setattr(offload, "free_bytes", lambda device: 50.0)
    assert not moving.begin_chunk(True)
    assert places(module) == {"cpu"}
    monkeypatch.setattr(offload, "free_bytes", lambda device: 5000.0)
    assert moving.begin_chunk(True)


def test_memory_that_cannot_be_locked_is_used_as_it_is_with_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing:
        def cudaHostRegister(self, address: int, size: int, flags: int) -> int:
            return 2

    def check(code: int) -> None:
        raise torch.cuda.CudaError.__new__(torch.cuda.CudaError, "out of memory")

    monkeypatch.setattr(torch.cuda, "cudart", Refusing)
    monkeypatch.setattr(torch.cuda, "check_error", check)
    module = nn.Linear(3, 5)
    before = module.weight.clone()
    Offload(module, torch.device("cuda"), "context")
    assert torch.equal(module.weight, before)
    assert "cannot be locked (out of memory)" in caplog.text


class FullCard:
    """An Offload whose card has no room."""

    nbytes = 1_460_000_000

    def __init__(self) -> None:
        self.needs: list[bool] = []

    def begin_chunk(self, needed: bool) -> bool:
        self.needs.append(needed)
        return not needed


def test_a_chunk_without_room_for_control_is_generated_without_it_and_says_so() -> None:
    full, plain = small_generator(), small_generator()
    card = full._offload = FullCard()  # type: ignore[assignment]
    control, mask = np.zeros((9, 32, 32, 3), np.uint8), np.eye(32, dtype=np.uint8)[None].repeat(9, 0)
    chunk = full.step(ChunkInput("red", control=control, mask=mask))
    assert chunk.notes == ("no control: the context branch needs 1.5 GB of free device memory",)
    np.testing.assert_array_equal(chunk.frames, plain.step(ChunkInput("red")).frames)
    full.step(ChunkInput("red"))
    assert card.needs == [True, False]


def test_the_branch_is_not_touched_while_there_is_no_control() -> None:
    """Not even for a new prompt: it may be in main memory. Its text K/V are made once control is on."""
    lazy, eager = small_generator(), small_generator()
    pictures = []
    for generator, early in ((lazy, False), (eager, True)):
        used: list[nn.Module] = []
        for block in generator.networks.branch.modules():
            block.register_forward_hook(lambda module, *_, used=used: used.append(module))
        generator.step(ChunkInput("red"))
        generator.step(ChunkInput("blue", control=_black(generator) if early else None, context_scale=0.0))
        assert used == []
        pictures.append(generator.step(ChunkInput("blue", control=_black(generator))).frames)
        assert used != []
    np.testing.assert_array_equal(*pictures)


def _black(generator: Generator) -> np.ndarray:
    return np.zeros((generator.frames_wanted(), 32, 32, 3), np.uint8)
