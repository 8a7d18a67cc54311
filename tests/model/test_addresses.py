"""A steady pass reads the same addresses with the same shapes for a whole show, and the host never waits in it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from streamvace.model.captured import Body, Kind, Mark
from streamvace.model.specs import pipeline
from streamvace.stream import chunk_loop
from tests.fake_graphs import WAITS
from tests.model.test_captured import show, with_loras
from tests.networks import SMALL, small_generator

Read = tuple[str, int, tuple[int, ...], tuple[int, ...]]
"""An operation, and address, shape and strides of something it reads that the pass did not make."""


class Outside(TorchDispatchMode):
    """Notes what operations read from outside, and keeps it alive, so that no address is used twice."""

    def __init__(self, kept: dict[int, Tensor], *given: Tensor) -> None:
        super().__init__()
        self.reads: list[Read] = []
        self._kept = kept
        self._ours = {each.untyped_storage().data_ptr() for each in given}
        self._made: list[Tensor] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        for each in tree_leaves((args, kwargs)):
            if isinstance(each, Tensor) and each.untyped_storage().data_ptr() not in self._ours:
                self._kept[each.untyped_storage().data_ptr()] = each
                self.reads.append((func.name(), each.data_ptr(), tuple(each.shape), each.stride()))
        out = func(*args, **kwargs or {})
        for each in tree_leaves(out):
            if isinstance(each, Tensor) and each.untyped_storage().data_ptr() not in self._kept:
                self._ours.add(each.untyped_storage().data_ptr())
                self._made.append(each)
        return out


class AddressBook:
    """A RunPass that compares every pass with the first one of its kind."""

    def __init__(self) -> None:
        self.passes: dict[Hashable, list[Read]] = {}
        self.counts: dict[Hashable, int] = {}
        self._kept: dict[int, Tensor] = {}

    def __call__(self, kind: Kind, body: Body, x: Tensor, t: Tensor, mark: Mark) -> Tensor:
        if kind is None:
            return body(x, t, mark)
        with Outside(self._kept, x, t) as outside:
            output = body(x, t, mark)
        key = (kind, x.shape)
        self.counts[key] = self.counts.get(key, 0) + 1
        for now, first in zip(outside.reads, self.passes.setdefault(key, outside.reads), strict=True):
            assert now == first
        return output


class Waits(TorchDispatchMode):
    """Counts operations whose answer the host waits for."""

    def __init__(self, found: list[str]) -> None:
        super().__init__()
        self._found = found

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func._schema.name in WAITS:
            self._found.append(func._schema.name)
        return func(*args, **kwargs or {})


@contextmanager
def waits_of_denoising(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The waits from the first denoising step of each chunk to its last."""
    found: list[str] = []
    denoise = chunk_loop.denoise

    def watched(*given: Any) -> Tensor:
        with Waits(found):
            return denoise(*given)

    monkeypatch.setattr(chunk_loop, "denoise", watched)
    yield found


@pytest.mark.parametrize("chunks", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_every_chunk_of_a_changing_show_reads_the_same_addresses(chunks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prompt, scale, mask, region, seed, references and LoRA strength change. The waits are those of the host."""
    spec = replace(pipeline("longlive"), size=SMALL, steps=(1000, 500))
    generator = with_loras(small_generator(spec))
    generator._graphs = book = AddressBook()  # type: ignore[assignment]  # any RunPass
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with waits_of_denoising(monkeypatch) as waits:
            for given in show(generator, chunks):
                generator.step(given)
    finally:
        torch.set_num_threads(before)
    assert waits == []
    assert len(book.counts) > 6, "kinds: control, references, regions"
    assert sum(book.counts.values()) > 2 * chunks, "of three passes a chunk"
