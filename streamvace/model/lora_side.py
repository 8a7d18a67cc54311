"""LoRAs as low-rank side paths: `y = W x + strength * region * B (A x)` beside weights that are never touched.

Costs two thin products a layer and step, which merging does not. What it buys: a strength that changes at once, weights
that may be quantised, and a style that can be limited to some tokens of the picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streamvace.model.lora import Delta, Lora
from streamvace.model.stored import describe
from streamvace.system.errors import UserError

_ON_TOKENS = re.compile(r"blocks\.\d+\.(self_attn\.[qkvo]|cross_attn\.[qo]|ffn\.\d+)|head\.head")
"""Linear layers of CausalWan whose rows are the chunk's tokens. The others see text rows (cross-attention's k and v,
the text embedding) or one row a frame (the time embedding): a place in the picture means nothing there."""


class _Dial:
    """What the side paths of one LoRA are multiplied by; None: nothing is to be done.

    tokens: for rows that are the chunk's tokens, a scalar or `[1, N, 1]`. rows: for all others, a scalar.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        # A scalar tensor does not widen what it is multiplied with, so it can keep its precision.
        self._strength = torch.zeros((), device=device)
        self._regions: dict[int, Tensor] = {}
        self._dtype = dtype
        self.value = 0.0
        self.tokens: Tensor | None = None
        self.rows: Tensor | None = None

    def set(self, value: float, regional: bool) -> None:
        self.value = value
        self._strength.fill_(value)
        self.tokens = self._strength if value else None
        self.rows = None if regional else self.tokens

    def limit(self, region: Tensor | None) -> None:
        if not self.value or region is None:
            self.tokens = self._strength if self.value else None
            return
        # One buffer a length, written in place: a compiled or captured step finds it where it was.
        held = self._regions.get(region.shape[1])
        if held is None:
            held = self._regions[region.shape[1]] = torch.empty_like(region, dtype=self._dtype)
        self.tokens = held.copy_(region).mul_(self._strength)


class _SidePath:
    """The forward hook of one linear layer for one LoRA."""

    def __init__(self, dial: _Dial, down: Tensor, up: Tensor, on_tokens: bool) -> None:
        """down: `[rank, in]`. up: `[out, rank]`, the LoRA's own scale included."""
        self._dial, self._down, self._up, self._on_tokens = dial, down, up, on_tokens

    def __call__(self, layer: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        factor = self._dial.tokens if self._on_tokens else self._dial.rows
        if factor is None:
            return None
        thin = F.linear(given[0], self._down) * factor
        return output + F.linear(thin, self._up)


class SideLoras:
    """LoRAs beside a model's linear layers, with strengths and a region that can change between two passes.

    Names of parameters, state dicts and `isinstance` stay as they were: the paths are forward hooks.
    """

    def __init__(self, model: nn.Module, loras: Sequence[Lora], strengths: Sequence[float] | None = None) -> None:
        """strengths: one a LoRA, 1 for all when None.

        Raises UserError for a LoRA with anything but low-rank pairs of linear layers.
        """
        home = next(model.parameters())
        layers = {name: each for name, each in model.named_modules() if isinstance(each, nn.Linear)}
        planned = [list(_planned(lora, layers)) for lora in loras]
        self._dials = tuple(_Dial(home.device, home.dtype) for _ in loras)
        self._hooks = [
            layers[name].register_forward_hook(_path(dial, name, delta, home))
            for dial, plan in zip(self._dials, planned, strict=True)
            for name, delta in plan
        ]
        self._regional = False
        self.set(strengths if strengths is not None else (1.0,) * len(self._dials))

    @property
    def strengths(self) -> tuple[float, ...]:
        """What was set last, one a LoRA."""
        return tuple(dial.value for dial in self._dials)

    @property
    def regional(self) -> bool:
        """Whether `set` announced a region."""
        return self._regional

    def set(self, strengths: Sequence[float], regional: bool = False) -> None:
        """New strengths, all at once, with no region until `limit` names one. 0 does no work at all.

        regional: a region will limit what follows. Layers that do not see the picture's tokens are then left alone:
        text keys and values are shared by every token, so a style in them would leak out of its region.
        Raises ValueError for a wrong number of strengths.
        """
        if len(strengths) != len(self._dials):
            raise ValueError(f"{len(strengths)} strengths for {len(self._dials)} LoRAs")
        self._regional = regional
        for dial, strength in zip(self._dials, strengths, strict=True):
            dial.set(float(strength), regional)

    def limit(self, region: Tensor | None) -> None:
        """Limit the passes that follow to a region `[1, N, 1]`, 0..1 for each of a pass's tokens; None: everywhere."""
        for dial in self._dials:
            dial.limit(region)

    def remove(self) -> None:
        """Take the side paths off the model."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()


def _planned(lora: Lora, layers: dict[str, nn.Linear]) -> Iterator[tuple[str, Delta]]:
    """(layer name, pair) of everything in a LoRA; refuses what no side path can carry."""
    pairs = {name.removesuffix(".weight"): delta for name, delta in lora.deltas.items() if delta.down is not None}
    odd = lora.deltas.keys() - {f"{name}.weight" for name in pairs if name in layers}
    if odd:
        raise UserError(
            f"{lora.name} changes {describe(odd)} otherwise than by a low-rank pair of a linear layer; only merging "
            "can do that, with a precision of 16 or 32 bits"
        )
    yield from pairs.items()


def _path(dial: _Dial, name: str, delta: Delta, home: Tensor) -> _SidePath:
    assert delta.down is not None
    down = delta.down.to(home.device, home.dtype)
    up = (delta.up.to(home.device, torch.float32) * delta.scale).to(home.dtype)
    return _SidePath(dial, down, up, _ON_TOKENS.fullmatch(name) is not None)
