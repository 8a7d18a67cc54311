"""What is said when memory runs out: both numbers, for every way in which it does. No card needed."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
import torch

from streamvace.live.worker.out_of_memory import give_back_memory, is_out_of_memory, shortage_line
from tests.live.fakes import CUDA_SAYS, OutOfMemoryError


def test_a_card_says_what_it_needs_and_what_it_has() -> None:
    error = OutOfMemoryError(CUDA_SAYS)
    assert is_out_of_memory(error)
    assert shortage_line(error).startswith("out of memory on the card: needs 2.7 GB more, 1.3 GB free;")


def test_torchs_own_error_is_known() -> None:
    assert is_out_of_memory(torch.OutOfMemoryError(CUDA_SAYS))


def test_main_memory_of_pytorch_with_what_the_system_has_left() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)
    assert is_out_of_memory(caught.value)
    line = shortage_line(caught.value)
    assert line.startswith("out of memory in main memory: needs 4000000.0 GB more, ")
    assert " GB free;" in line


def test_main_memory_of_pytorch_on_windows() -> None:
    error = RuntimeError(
        "[enforce fail at alloc_cpu.cpp:116] data. DefaultCPUAllocator: not enough memory: "
        "you tried to allocate 4000000000 bytes."
    )
    assert is_out_of_memory(error)
    assert shortage_line(error).startswith("out of memory in main memory: needs 4.0 GB more, ")


def test_main_memory_of_numpy() -> None:
    with pytest.raises(MemoryError) as caught:
        np.empty(10**15)
    assert is_out_of_memory(caught.value)
    assert "needs" in shortage_line(caught.value)


def test_without_numbers_it_still_says_what_happened() -> None:
    line = shortage_line(MemoryError())
    assert line.startswith("out of memory in main memory, ")
    assert "\n" not in line


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("out of memory"), FloatingPointError()])
def test_other_errors_are_no_shortage(error: Exception) -> None:
    assert not is_out_of_memory(error)


class Big:
    """Stands in for the tensors of a step."""


def test_what_the_failed_step_held_is_free_before_the_next_try() -> None:
    held: list[weakref.ref[Big]] = []

    def attend() -> None:
        tensor = Big()
        held.append(weakref.ref(tensor))
        raise OutOfMemoryError(CUDA_SAYS)

    def step() -> None:
        tensor = Big()
        held.append(weakref.ref(tensor))
        try:
            attend()
        finally:
            raise KeyError("while cleaning up")

    with pytest.raises(KeyError) as caught:
        step()
    assert [each() is None for each in held] == [False, False], "the traceback holds them"
    give_back_memory(caught.value)
    assert [each() is None for each in held] == [True, True]


def test_giving_back_is_harmless_without_a_card() -> None:
    give_back_memory(MemoryError())
