"""CUDA graphs on a processor: what is captured is replayed for real, from the addresses where it was captured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WAITS = {"aten::item", "aten::_local_scalar_dense", "aten::is_nonzero", "aten::equal"}
"""Operations whose answer the host waits for."""


class FakeGraph:
    """Stands in for `torch.cuda.CUDAGraph`."""

    replays: int = 0
    """Of all graphs."""

    def __init__(self) -> None:
        self.recorded: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def replay(self) -> None:
        FakeGraph.replays += 1
        for operation, args, kwargs, made in self.recorded:
            found = operation(*args, **kwargs)
            for ours, theirs in zip(tree_leaves(made), tree_leaves(found), strict=True):
                if isinstance(ours, Tensor) and ours.data_ptr() != theirs.data_ptr():
                    ours.copy_(theirs)


class _Recorder(TorchDispatchMode):
    def __init__(self, graph: FakeGraph) -> None:
        super().__init__()
        self._graph = graph

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func._schema.name in WAITS:
            raise RuntimeError("operation not permitted when stream is capturing")
        made = func(*args, **kwargs)
        self._graph.recorded.append((func, args, kwargs, made))
        return made


@contextmanager
def fake_capture(graph: FakeGraph, pool: object, capture_error_mode: str) -> Iterator[None]:
    """Stands in for `torch.cuda.graph`. Reading a value on the host raises, as on a card."""
    assert pool == "the pool"
    assert capture_error_mode == "thread_local"
    with _Recorder(graph):
        yield
