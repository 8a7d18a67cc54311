"""The work of a network's pass, counted on the `meta` device: nothing is computed and no memory is taken.

The networks themselves are run, so the counts follow every change of their code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


@dataclass(frozen=True)
class Work:
    """What a card has to do.

    products: floating-point operations of matrix products. convolutions: of convolutions. attention: of scaled
    dot-product attention, both products. moved: bytes that all other kernels read and write. kernels: their number, of
    all kinds. exchanged: bytes that one card sends to others, in `meetings` collectives.
    """

    products: float = 0.0
    convolutions: float = 0.0
    attention: float = 0.0
    moved: float = 0.0
    kernels: float = 0.0
    exchanged: float = 0.0
    meetings: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(*(a + b for a, b in zip(self.parts(), other.parts(), strict=True)))

    def __mul__(self, times: float) -> Work:
        return Work(*(times * each for each in self.parts()))

    def parts(self) -> tuple[float, ...]:
        """The fields in order."""
        return (
            *(self.products, self.convolutions, self.attention, self.moved, self.kernels),
            *(self.exchanged, self.meetings),
        )

    @property
    def flops(self) -> float:
        """All floating-point operations that are counted."""
        return self.products + self.convolutions + self.attention


def attention_work(queries: int, keys: int, dim: int) -> Work:
    """Self- or cross-attention of one layer. dim: of all heads together."""
    return Work(attention=4.0 * queries * keys * dim, kernels=1)


class Count:
    """work: the sum of everything that ran inside `counted`."""

    def __init__(self) -> None:
        self.work = Work()


@contextmanager
def counted() -> Iterator[Count]:
    """Adds up the work of all that runs inside `with`."""
    count = Count()
    with _Kernels(count), _Attention(count):
        yield count


class _Attention(TorchFunctionMode):
    """Takes attention out: on `meta` PyTorch spells it as products and a softmax, which no card runs that way."""

    def __init__(self, count: Count) -> None:
        super().__init__()
        self._count = count

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is not F.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        q, k, v = args[:3]
        batch, heads, queries, width = q.shape
        self._count.work += attention_work(queries, k.shape[2], batch * heads * width)
        return q[..., : v.shape[-1]]


class _Kernels(TorchDispatchMode):
    def __init__(self, count: Count) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._count = count

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if not _is_view(func):
            self._count.work += _work_of(func, args, kwargs or {}, out)
        return out


def _is_view(func: Any) -> bool:
    """Whether the operation only gives a new shape to memory that is there."""
    if func is torch.ops.aten._unsafe_view.default:  # its schema calls it a new tensor
        return True
    returns = func._schema.returns
    return bool(returns) and returns[0].alias_info is not None and not returns[0].alias_info.is_write


def _work_of(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], out: Any) -> Work:
    flops = flop_registry.get(func._overloadpacket)
    if flops is None:
        return Work(moved=float(sum(each.nbytes for each in _tensors((args, out)))), kernels=1)
    count = float(flops(*args, **kwargs, out_val=out))
    if "convolution" in str(func):
        return Work(convolutions=count, kernels=1)
    return Work(products=count, kernels=1)


def _tensors(given: Any) -> list[Tensor]:
    if isinstance(given, Tensor):
        return [given]
    if isinstance(given, (list, tuple)):
        return [each for part in given for each in _tensors(part)]
    return []


def meta(*shape: int, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    """A tensor without memory."""
    return torch.empty(shape, device="meta", dtype=dtype)
