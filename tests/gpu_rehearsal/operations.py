"""Sees every operation before PyTorch's fake tensors do: writes the journal and follows the memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.gpu_rehearsal.apple import runs_on_apple
from tests.gpu_rehearsal.journal import Entry, Journal, Kind, line_of_project
from tests.gpu_rehearsal.memory import POOL, CardMemory

ALLOCATIONS = {
    "aten::empty", "aten::empty_like", "aten::empty_strided", "aten::new_empty", "aten::new_empty_strided",
}  # fmt: skip
RESHAPED = "aten::_unsafe_view"
"""A view of a fresh copy that its schema does not call one; it runs nothing."""

BETWEEN_DEVICES = {"aten::_to_copy", "aten::copy_", "aten::index", "aten::index_put_", "aten::set_"}
"""Operations whose tensors may be on different devices."""

FUSED = {"aten::_fused_rms_norm"}
"""One kernel on a card. A build for processors has only its parts."""

ANSWERS: dict[str, Callable[[torch.dtype], float | bool]] = {
    "aten::equal": lambda dtype: True,
    "aten::_local_scalar_dense": lambda dtype: 1.0 if dtype.is_floating_point else dtype == torch.bool or 1,
}
"""Operations that answer with a value, which fake tensors do not have: `torch.equal`; `.item()`, `bool()`, ..."""


class Operations(TorchDispatchMode):
    """The mode that is asked first.

    journal: what it writes. card: number of the current card. streams: number of each card's current stream.
    capturing: a graph is being captured, so the host must not wait.
    """

    def __init__(self, kind: str, journal: Journal, memories: Sequence[CardMemory]) -> None:
        """memories: of each card."""
        super().__init__()
        self.card, self.streams, self.capturing = 0, [default_stream(card) for card in range(len(memories))], False
        self._kind, self.journal, self._memories = kind, journal, memories
        self._pinned: set[int] = set()
        self._events = count(1)
        for memory in memories:
            memory.freed = lambda number, stream: journal.add(Entry("free", "", "", stream, ((number, ()),)))

    def new_event(self) -> int:
        """The number of an event that does not exist yet."""
        return next(self._events)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = func._schema.name
        if func.namespace == "prim":
            return func(*args, **kwargs)
        if name in ANSWERS:
            if self._on_card(args[0]):
                self.wait(name.removeprefix("aten::"), read=args[0])
            return ANSWERS[name](args[0].dtype)
        if name == "aten::is_pinned":
            return args[0].untyped_storage()._cdata in self._pinned
        if name == "aten::_pin_memory":
            pinned = args[0].clone()
            self._pinned.add(pinned.untyped_storage()._cdata)
            return pinned
        if _is_composite(func.name()):
            with self:
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        out = func(*args, **kwargs)
        self._note(func, name, args, kwargs, out)
        return out

    def wait(self, name: str, event: int = 0, read: Tensor | None = None) -> None:
        """The host waits for the card. Raises RuntimeError while a graph is being captured, as CUDA does."""
        if self.capturing:
            raise RuntimeError(f"CUDA error: operation not permitted when stream is capturing ({name})")
        self.note("wait", name, () if read is None else self._seen((read,)), event=event)

    def note(
        self,
        kind: Kind,
        name: str,
        tensors: tuple[tuple[int, tuple[int, ...]], ...] = (),
        writes: frozenset[int] = frozenset(),
        event: int = 0,
        stream: int | None = None,
    ) -> None:
        """Add an entry to the journal. stream: None: the current one of the current card."""
        stream = self.streams[self.card] if stream is None else stream
        self.journal.add(Entry(kind, name, line_of_project(), stream, tensors, writes, event))

    def cross(self, tensor: Tensor, stream: int) -> None:
        """`tensor.record_stream` was called."""
        self.journal.add(Entry("cross", "record_stream", line_of_project(), stream, self._seen((tensor,))))

    def _seen(self, tensors: Sequence[Tensor]) -> tuple[tuple[int, tuple[int, ...]], ...]:
        line = line_of_project()
        found = []
        for each in tensors:
            card = _card(each)
            home = POOL if self.capturing else self.streams[card]
            found.append((self._memories[card].number(each, line, home), tuple(each.shape)))
        return tuple(found)

    def _note(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
        given = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        made = [each for each in tree_leaves(out) if isinstance(each, Tensor)]
        ours = [each for each in (*given, *made) if self._on_card(each)]
        if not ours:
            return
        if name not in BETWEEN_DEVICES:
            _refuse_mixed(func.name(), given)
        if self._kind == "mps":
            _refuse_on_apple(func.name(), ours)
        seen = self._seen(ours)
        if func.is_view or name == RESHAPED or name in ALLOCATIONS:
            return
        short = name.removeprefix("aten::")
        here = self.streams[_card(ours[0])]
        writes = frozenset(
            number for number, _ in self._seen([*filter(self._on_card, _written(func, args, kwargs, made))])
        )
        if name in ("aten::_to_copy", "aten::copy_"):
            source, target = (given[0], made[0]) if name == "aten::_to_copy" else (given[1], given[0])
            later = kwargs.get("non_blocking", len(args) > 2 and args[2])
            if not self._on_card(source):
                queued = later and source.untyped_storage()._cdata in self._pinned
                self._uploaded("queued upload" if queued else "upload", short, seen, writes, here)
                return
            if not self._on_card(target):
                if later:
                    self.note("download", short, seen, stream=here)
                else:
                    self.wait("copy to the host", read=source)
                return
            if _card(source) != _card(target):
                self._crossed(source, target, seen, writes)
                return
        elif name in ("aten::index", "aten::index_put_") and not all(map(self._on_card, given)):
            self._uploaded("upload", f"{short} with a host tensor", seen, writes, here)
        self.note("kernel", short, seen, writes, stream=here)

    def _crossed(
        self,
        source: Tensor,
        target: Tensor,
        tensors: tuple[tuple[int, tuple[int, ...]], ...],
        writes: frozenset[int],
    ) -> None:
        """A copy between two cards, as PyTorch queues it (aten/src/ATen/native/cuda/Copy.cu): in the current stream of
        the source, after what the current stream of the target holds now; that stream then waits for it."""
        same = source.dtype == target.dtype and source.stride() == target.stride()
        if not same or not _is_dense(source):
            raise RuntimeError("a copy between cards that converts needs memory of its own on the source's card")
        from_, to = self.streams[_card(source)], self.streams[_card(target)]
        for first, second in ((to, from_), (from_, to)):
            event = self.new_event()
            self.note("record", "event", event=event, stream=first)
            self.note("await", "event", event=event, stream=second)
            if first == to:
                self.note("between cards", f"{_card(source)} to {_card(target)}", tensors, writes, stream=from_)

    def _uploaded(
        self,
        kind: Kind,
        name: str,
        tensors: tuple[tuple[int, tuple[int, ...]], ...],
        writes: frozenset[int],
        stream: int,
    ) -> None:
        if kind == "upload" and self.capturing:
            raise RuntimeError(f"CUDA error: operation not permitted when stream is capturing ({name})")
        self.note(kind, name, tensors, writes, stream=stream)

    def _on_card(self, tensor: object) -> bool:
        return isinstance(tensor, FakeTensor) and tensor.fake_device.type == self._kind


def default_stream(card: int) -> int:
    """The number of a card's default stream. Others have numbers below a thousand."""
    return 1000 * card


def _card(tensor: Tensor) -> int:
    """The number of the card that a fake tensor is on."""
    assert isinstance(tensor, FakeTensor)
    return tensor.fake_device.index or 0


def _is_dense(tensor: Tensor) -> bool:
    """Whether the numbers fill their memory without gaps, in any order."""
    expected = 1
    for size, stride in sorted(zip(tensor.shape, tensor.stride(), strict=True), key=lambda each: each[1]):
        if size > 1 and stride != expected:
            return False
        expected *= size
    return True


def _written(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], made: list[Tensor]) -> list[Tensor]:
    """What the operation writes: its results, and the arguments that its schema marks."""
    named = [
        (each, args[at] if at < len(args) else kwargs.get(each.name)) for at, each in enumerate(func._schema.arguments)
    ]
    changed = [value for each, value in named if each.alias_info is not None and each.alias_info.is_write]
    return [*made, *(each for each in tree_leaves(changed) if isinstance(each, Tensor))]


def _refuse_mixed(name: str, tensors: list[Tensor]) -> None:
    """Raises as PyTorch does when tensors are on different devices. Fake convolutions do not look at their weights."""
    devices = {each.fake_device for each in tensors if isinstance(each, FakeTensor) and each.dim()}
    if len(devices) > 1:
        raise RuntimeError(
            f"{name}: expected all tensors to be on the same device, but found {sorted(map(str, devices))}"
        )


def _refuse_on_apple(name: str, tensors: list[Tensor]) -> None:
    """Raises as PyTorch does there."""
    if any(each.dtype == torch.float64 for each in tensors):
        raise TypeError(f"{name}: MPS does not support float64")
    if not runs_on_apple(name):
        raise NotImplementedError(f"{name} is not implemented for the MPS device")


@cache
def _is_composite(name: str) -> bool:
    """Whether the operation is made of others on every device."""
    return name not in FUSED and torch._C._dispatch_has_kernel_for_dispatch_key(name, "CompositeImplicitAutograd")
