"""Attention over several processes, one card each (DeepSpeed-Ulysses, Jacobs et al. 2023).

Between attentions, every process holds some of the tokens with all heads; within them, all tokens with some of the
heads. So it multiplies its share of the tokens with all weights, and keeps the K/V cache of its heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import torch
import torch.distributed as dist
from torch import Tensor

from streamvace.model.blocks import Memory
from streamvace.model.specs import WanSize
from streamvace.system.errors import UserError


class Exchange(Protocol):
    """How the processes of a group divide a pass. Tokens are dimension 1 of every tensor.

    ahead: leading tokens that are divided among the processes apart from the rest.
    """

    def own_heads(self, size: WanSize) -> WanSize:
        """The size whose heads are those of this process."""

    def own_tokens(self, tokens: Tensor, ahead: int = 0) -> Tensor:
        """This process's share of the tokens."""

    def own_count(self, tokens: int) -> int:
        """The number of tokens in this process's share of `tokens`."""

    def all_tokens(self, own: Tensor, tokens: int) -> Tensor:
        """All tokens, from every process's share of them."""

    def all_heads(self, own: Tensor, dim: int) -> Tensor:
        """The values of all heads, from those of every process's heads, joined along `dim`."""

    def over(self, memory: Memory, tokens: int, ahead: int = 0) -> Memory:
        """Attention of a share of the tokens with all heads, for a memory of all tokens with some heads."""


class Alone:
    """One process: everything is its own."""

    def own_heads(self, size: WanSize) -> WanSize:
        """See Exchange."""
        return size

    def own_tokens(self, tokens: Tensor, ahead: int = 0) -> Tensor:
        """See Exchange."""
        return tokens

    def own_count(self, tokens: int) -> int:
        """See Exchange."""
        return tokens

    def all_tokens(self, own: Tensor, tokens: int) -> Tensor:
        """See Exchange."""
        return own

    def all_heads(self, own: Tensor, dim: int) -> Tensor:
        """See Exchange."""
        return own

    def over(self, memory: Memory, tokens: int, ahead: int = 0) -> Memory:
        """See Exchange."""
        return memory


class Ulysses:
    """The processes of a group of torch.distributed, which all run the same passes in the same order."""

    def __init__(self, group: dist.ProcessGroup | None = None) -> None:
        """group: None: all processes."""
        self._group = group
        self._rank, self.processes = dist.get_rank(group), dist.get_world_size(group)

    def own_heads(self, size: WanSize) -> WanSize:
        """See Exchange."""
        check_heads(size.num_heads, self.processes)
        return replace(size, num_heads=size.num_heads // self.processes, dim=size.dim // self.processes)

    def own_tokens(self, tokens: Tensor, ahead: int = 0) -> Tensor:
        """See Exchange."""
        parts = [
            part.tensor_split(self.processes, dim=1)[self._rank] for part in (tokens[:, :ahead], tokens[:, ahead:])
        ]
        return torch.cat(parts, dim=1)

    def own_count(self, tokens: int) -> int:
        """See Exchange."""
        return self._shares(tokens)[self._rank]

    def all_tokens(self, own: Tensor, tokens: int) -> Tensor:
        """See Exchange."""
        shares = self._shares(tokens)
        # Collectives take equal sizes; shares differ by one token at most.
        padded = torch.nn.functional.pad(own, (0, 0, 0, max(shares) - own.shape[1])).contiguous()
        parts = [torch.empty_like(padded) for _ in shares]
        dist.all_gather(parts, padded, self._group)
        return torch.cat([part[:, :share] for part, share in zip(parts, shares, strict=True)], dim=1)

    def all_heads(self, own: Tensor, dim: int) -> Tensor:
        """See Exchange."""
        own = own.contiguous()
        parts = [torch.empty_like(own) for _ in range(self.processes)]
        dist.all_gather(parts, own, self._group)
        return torch.cat(parts, dim=dim)

    def over(self, memory: Memory, tokens: int, ahead: int = 0) -> Memory:
        """See Exchange."""
        front, rest = self._shares(ahead), self._shares(tokens - ahead)
        return _Exchanged(memory, front, rest, self._rank, self._group)

    def _shares(self, tokens: int) -> list[int]:
        """Every process's number of tokens, as `tensor_split` divides them."""
        least, more = divmod(tokens, self.processes)
        return [least + (rank < more) for rank in range(self.processes)]


class _Exchanged:
    """A memory of all tokens with some heads, as one of some tokens with all heads. Two all-to-alls an attention."""

    def __init__(
        self, memory: Memory, front: Sequence[int], rest: Sequence[int], rank: int, group: dist.ProcessGroup | None
    ) -> None:
        """front, rest: every process's share of the leading tokens and of the others."""
        self._memory, self._front, self._rest, self._group = memory, front, rest, group
        self._shares = [sum(both) for both in zip(front, rest, strict=True)]
        self._own = [self._shares[rank]] * len(self._shares)

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See blocks.Memory.attend."""
        count = len(self._shares)
        # [3, B, n, processes, heads, D] -> [processes, n, 3, B, heads, D]: what each process gets is one piece.
        given = torch.stack((q, k, v)).unflatten(3, (count, -1)).permute(3, 2, 0, 1, 4, 5).flatten(0, 1)
        rows = self._in_order(self._traded(given, self._own, self._shares))
        made = self._memory.attend(layer, *rows.permute(1, 2, 0, 3, 4).unbind(0))
        back = self._traded(self._by_process(made.transpose(0, 1)), self._shares, self._own).unflatten(0, (count, -1))
        out: Tensor = back.permute(2, 1, 0, 3, 4).flatten(2, 3)
        return out

    def _traded(self, rows: Tensor, given: Sequence[int], taken: Sequence[int]) -> Tensor:
        """Send `given` rows to each process, and receive `taken` from each."""
        rows = rows.contiguous()
        got = rows.new_empty((sum(taken), *rows.shape[1:]))
        dist.all_to_all_single(got, rows, list(taken), list(given), self._group)
        return got

    def _in_order(self, rows: Tensor) -> Tensor:
        """From process after process to the leading tokens and then the others."""
        pieces = rows.split([size for both in zip(self._front, self._rest, strict=True) for size in both])
        return torch.cat((*pieces[::2], *pieces[1::2])) if any(self._front) else rows

    def _by_process(self, rows: Tensor) -> Tensor:
        """The reverse."""
        if not any(self._front):
            return rows
        pieces = rows.split([*self._front, *self._rest])
        count = len(self._front)
        return torch.cat([piece for at in range(count) for piece in (pieces[at], pieces[count + at])])


def check_heads(heads: int, processes: int) -> None:
    """Raises UserError, with the numbers that do, when the heads cannot be divided evenly."""
    if heads % processes:
        fits = [str(number) for number in range(1, heads + 1) if heads % number == 0]
        raise UserError(
            f"{processes} cards cannot share {heads} attention heads evenly; {', '.join(fits[:-1])} or {fits[-1]} can"
        )


ALONE = Alone()
