"""A card that is not there: fake tensors, a journal of what happens to them, and their memory."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from types import TracebackType
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode

from streamvace.model.autoencoder.stats import _statistics
from tests.gpu_rehearsal.cuda import Generator, stand_ins
from tests.gpu_rehearsal.guard import load_guard
from tests.gpu_rehearsal.journal import Journal
from tests.gpu_rehearsal.memory import CardMemory
from tests.gpu_rehearsal.operations import Operations


class FakeCard:
    """Within it, every tensor is fake; those of device type `kind` (`cuda` or `mps`) are on the card.

    total: bytes of its memory. capability: CUDA's, as `torch.cuda.get_device_capability` answers. cards: how many of
    them there are; `memories` has that of each, `memory` that of the first.
    """

    def __init__(
        self, kind: str = "cuda", total: float = 1e15, capability: tuple[int, int] = (8, 9), cards: int = 1
    ) -> None:
        self.kind, self.device = kind, torch.device(kind)
        numbers = count(1)
        self.journal, self.memories = Journal(), [CardMemory(total, numbers) for _ in range(cards)]
        self.memory = self.memories[0]
        self._capability = capability
        self._stack = ExitStack()

    def __enter__(self) -> FakeCard:
        load_guard()
        self._stack.callback(_statistics.cache_clear)  # holds tensors
        _statistics.cache_clear()
        operations = Operations(self.kind, self.journal, self.memories)
        if self.kind == "cuda":
            for name, stand_in in stand_ins(operations, self.memories, self._capability).items():
                self._stack.enter_context(patch.object(torch.cuda, name, stand_in))
            told = lambda tensor, stream: operations.cross(tensor, stream.number)  # noqa: E731 - patched in as a method
            self._stack.enter_context(patch.object(Tensor, "record_stream", told))
        self._stack.enter_context(patch.object(torch, "Generator", Generator))
        for mode in (_Fakes(allow_non_fake_inputs=False), operations, _Calls()):
            self._stack.enter_context(mode)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


class _Fakes(FakeTensorMode):
    """Fake tensors that never try to reach a card, although `torch.cuda.is_available` claims one."""

    avoid_device_init = True  # type: ignore[assignment]


class _Calls(TorchFunctionMode):
    """Functions that never become an operation, or become one that a build for processors chooses differently."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "numpy":
            return np.zeros(tuple(args[0].shape), str(args[0].dtype).removeprefix("torch."))
        if isinstance(kwargs.get("generator"), Generator):
            kwargs = {**kwargs, "generator": None}
        if name == "scaled_dot_product_attention" and args[0].device.type in ("cuda", "mps"):
            return _attend(*args, **kwargs)
        return func(*args, **kwargs)


def _attend(q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None = None) -> Tensor:
    """PyTorch's choice on a card: flash attention in 16 bits without a mask, otherwise the memory-efficient kernel."""
    if q.device.type == "mps":
        out, *_ = torch.ops.aten._scaled_dot_product_attention_math_for_mps(q, k, v, attn_mask)
    elif attn_mask is None and q.dtype.itemsize == 2 and q.shape[-1] <= 256:
        out, *_ = torch.ops.aten._scaled_dot_product_flash_attention(q, k, v)
    else:
        mask = None if attn_mask is None else attn_mask.expand(*q.shape[:3], k.shape[2])
        out, *_ = torch.ops.aten._scaled_dot_product_efficient_attention(q, k, v, mask, False)
    attended: Tensor = out
    return attended
