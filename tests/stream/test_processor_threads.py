"""The embedded model's networks have one thread and its decoder all; a number that the user gives serves both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from streamvace.model.specs import pipeline
from streamvace.records.chunk import ChunkInput
from streamvace.records.model_options import ModelOptions
from streamvace.stream import processor_threads
from streamvace.stream.generator import Generator
from streamvace.stream.loading import load_generator
from streamvace.stream.processor_threads import ProcessorThreads, choose_threads
from streamvace.system.errors import UserError


@pytest.fixture(autouse=True)
def a_machine_of_two(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(processor_threads, "own_threads", lambda: 2)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def seen_threads(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, int]:
    """Threads in the networks, in the decoder and after the chunk."""
    seen: dict[str, int] = {}

    def watch(part: Any, name: str) -> None:
        real = getattr(part, name)

        def noted(*given: Any) -> Any:
            seen[name] = torch.get_num_threads()
            return real(*given)

        monkeypatch.setattr(part, name, noted)

    watch(generator.networks.wan, "embed")
    watch(generator.networks.codec, "decode")
    generator.step(ChunkInput("red sphere"))
    return seen["embed"], seen["decode"], torch.get_num_threads()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_decoder_alone_shares_its_work(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = load_generator("embedded", (32, 32), ModelOptions("cpu", precision=precision))
    assert seen_threads(generator, monkeypatch) == (1, 2, 1)
    assert generator.about["threads"] == "1, 2 for decoding"


def test_a_second_generator_of_a_process_decodes_with_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    processor_threads.own_threads.cache_clear()
    torch.set_num_threads(2)
    made = [load_generator("embedded", (32, 32), ModelOptions("cpu")) for _ in range(2)]
    processor_threads.own_threads.cache_clear()
    assert [each.threads for each in made] == [ProcessorThreads(1, 2)] * 2


def test_the_number_of_threads_is_the_user_s_if_given(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = load_generator("embedded", (32, 32), ModelOptions("cpu", threads=3))
    assert seen_threads(generator, monkeypatch) == (3, 3, 3)
    assert generator.about["threads"] == "3"


def test_the_number_stays_after_a_decoder_that_fails() -> None:
    torch.set_num_threads(1)
    with pytest.raises(FloatingPointError), ProcessorThreads(1, 2).decoding():
        raise FloatingPointError
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize(
    ("name", "device", "dtype", "cores", "networks"),
    [
        ("embedded", "cpu", torch.bfloat16, 8, 1),
        ("embedded", "cpu", torch.float32, 2, 1),
        ("embedded", "cpu", torch.float32, 8, 8),
        ("embedded", "cuda", torch.bfloat16, 8, 8),
        ("longlive", "cpu", torch.bfloat16, 2, 2),
    ],
)
def test_one_thread_where_products_are_short(
    name: str, device: str, dtype: torch.dtype, cores: int, networks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor_threads, "own_threads", lambda: cores)
    chosen = choose_threads(None, pipeline(name), torch.device(device), dtype)
    assert chosen == ProcessorThreads(networks, cores)


def test_more_threads_than_the_processors_take_are_refused_with_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """100,000 of them end the process with a segmentation fault."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    before = torch.get_num_threads()
    with pytest.raises(UserError, match=r"--threads 9: this machine's 2 processors take at most 8"):
        load_generator("embedded", (32, 32), ModelOptions("cpu", threads=9))
    assert torch.get_num_threads() == before
