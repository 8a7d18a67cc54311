"""Stand-ins for functions of `torch.cuda`. A function that has none fails, as it does without CUDA."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import torch

from tests.gpu_rehearsal.memory import CardMemory
from tests.gpu_rehearsal.operations import Operations, default_stream


def stand_ins(operations: Operations, memories: Sequence[CardMemory], capability: tuple[int, int]) -> dict[str, Any]:
    """Replacements by their name in `torch.cuda`. memories: of each card."""
    streams = count(1)

    def number_of(device: Any) -> int:
        """The number of a card; None: the current one."""
        if device is None or isinstance(device, int):
            return operations.card if device is None else device
        index = torch.device(device).index
        return operations.card if index is None else index

    def memory_of(device: Any) -> CardMemory:
        return memories[number_of(device)]

    def set_device(device: Any) -> None:
        operations.card = number_of(device)

    class Stream:
        """A new one, or the one of this number."""

        def __init__(self, device: object = None, priority: int = 0, *, number: int | None = None) -> None:
            self.number = next(streams) if number is None else number
            self.card = number_of(device)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Stream) and other.number == self.number

        def __hash__(self) -> int:
            return self.number

        def wait_event(self, event: Event) -> None:
            event.wait(self)

        def wait_stream(self, other: Stream) -> None:
            self.wait_event(other.record_event())

        def record_event(self, event: Event | None = None) -> Event:
            event = event or Event()
            event.record(self)
            return event

        def query(self) -> bool:
            return True

        def synchronize(self) -> None:
            operations.wait(f"stream {self.number}")

    class Event:
        def __init__(self, enable_timing: bool = False, **others: bool) -> None:
            self.number = operations.new_event()

        def record(self, stream: Stream | None = None) -> None:
            self._in(stream, "record")

        def wait(self, stream: Stream | None = None) -> None:
            self._in(stream, "await")

        def query(self) -> bool:
            return True

        def synchronize(self) -> None:
            operations.wait("event", self.number)

        def elapsed_time(self, other: Event) -> float:
            return 1.0

        def _in(self, stream: Stream | None, kind: Any) -> None:
            operations.note(kind, "event", event=self.number, stream=None if stream is None else stream.number)

    class CUDAGraph:
        """Knows how many kernels it holds; a replay is one entry."""

        def __init__(self) -> None:
            self.kernels = 0

        def replay(self) -> None:
            operations.note("graph", f"{self.kernels} kernels")

        def pool(self) -> tuple[int, int]:
            return (0, 0)

        def reset(self) -> None:
            self.kernels = 0

    @contextmanager
    def graph(captured: CUDAGraph, pool: Any = None, stream: Stream | None = None, **others: Any) -> Iterator[None]:
        before = operations.journal.count("kernel")
        operations.capturing = True
        try:
            with _current(operations, stream):
                yield
        finally:
            operations.capturing = False
        captured.kernels = operations.journal.count("kernel") - before

    @contextmanager
    def stream(chosen: Stream | None) -> Iterator[None]:
        with _current(operations, chosen):
            yield

    return {
        "Stream": Stream,
        "Event": Event,
        "CUDAGraph": CUDAGraph,
        "graph": graph,
        "graph_pool_handle": lambda: (0, 0),
        "is_current_stream_capturing": lambda: operations.capturing,
        "stream": stream,
        "current_stream": lambda device=None: Stream(device, number=operations.streams[number_of(device)]),
        "default_stream": lambda device=None: Stream(device, number=default_stream(number_of(device))),
        "synchronize": lambda device=None: operations.wait("synchronize"),
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "device_count": lambda: len(memories),
        "current_device": lambda: operations.card,
        "set_device": set_device,
        "get_device_name": lambda device=None: "a card that is not there",
        "get_device_capability": lambda device=None: capability,
        "mem_get_info": lambda device=None: (memory_of(device).total - memory_of(device).live, memory_of(device).total),
        "memory_allocated": lambda device=None: memory_of(device).live,
        "memory_snapshot": list,
        "memory_reserved": lambda device=None: memory_of(device).live,
        "empty_cache": lambda: None,
    }


@contextmanager
def _current(operations: Operations, chosen: Any) -> Iterator[None]:
    """The stream's card becomes the current one too. chosen: None: nothing changes."""
    if chosen is None:
        yield
        return
    card, stream = operations.card, operations.streams[chosen.card]
    operations.card, operations.streams[chosen.card] = chosen.card, chosen.number
    try:
        yield
    finally:
        operations.card, operations.streams[chosen.card] = card, stream


class Generator(torch.Generator):
    """A random generator that says it is on the card."""

    def __new__(cls, device: Any = "cpu") -> Generator:
        return super().__new__(cls, "cpu")

    def __init__(self, device: Any = "cpu") -> None:
        self._place = torch.device(device)

    @property
    def device(self) -> torch.device:
        return self._place
