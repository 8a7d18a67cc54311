"""LoRAs as low-rank side paths, `y = W x + strength * region * B (A x)`, which leave the weights unchanged.

They cost two thin products per layer and step. In return, a strength changes at once, weights may be quantised, and a
style can be limited to some tokens of the picture.
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
"""Linear layers of CausalWan whose rows are the chunk's tokens. Rows of the other layers are text tokens
(cross-attention's k and v, the text embedding) or frames (the time embedding), which have no place in the picture."""


class _Dial:
    """The factors of one LoRA's side paths; None: skip the path.

    tokens: for layers on the chunk's tokens, a scalar or `[1, N, 1]`. rows: for all other layers, a scalar.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        # A scalar tensor does not change the dtype of a product, so it can stay in float32.
        self._strength = torch.zeros((), device=device)
        self._regions: dict[int, Tensor] = {}
        self._dtype = dtype
        self.value = 0.0
        self.tokens: Tensor | None = None
        self.rows: Tensor | None = None

    @property
    def limited(self) -> bool:
        """Whether `tokens` is a region."""
        return self.tokens is not None and self.tokens is not self._strength

    def set(self, value: float, regional: bool) -> None:
        self.value = value
        self._strength.fill_(value)
        self.tokens = self._strength if value else None
        self.rows = None if regional else self.tokens

    def limit(self, region: Tensor | None) -> None:
        if not self.value or region is None:
            self.tokens = self._strength if self.value else None
            return
        # One buffer per length, written in place so that compiled and captured steps stay valid.
        held = self._regions.get(region.shape[1])
        if held is None:
            held = self._regions[region.shape[1]] = torch.empty_like(region, dtype=self._dtype)
        self.tokens = held.copy_(region).mul_(self._strength)


class _SidePath:
    """The forward hook of one LoRA on one linear layer."""

    def __init__(self, dial: _Dial, down: Tensor, up: Tensor, on_tokens: bool) -> None:
        """down: `[rank, in]`. up: `[out, rank]`, including the LoRA's scale."""
        self._dial, self._down, self._up, self._on_tokens = dial, down, up, on_tokens

    def __call__(self, layer: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        factor = self._dial.tokens if self._on_tokens else self._dial.rows
        if factor is None:
            return None
        thin = F.linear(given[0], self._down) * factor
        return output + F.linear(thin, self._up)


class SideLoras:
    """LoRAs beside a model's linear layers, with strengths and a region that can change between two passes.

    The paths are forward hooks, so parameter names, state dicts and layer types do not change.
    regional: whether the last `set` announced a region.
    """

    def __init__(
        self,
        model: nn.Module,
        loras: Sequence[Lora],
        strengths: Sequence[float] | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        """strengths: one per LoRA; None: 1 for all. device: where the model runs, even if it is not there yet.

        Raises UserError for a LoRA with anything but low-rank pairs of linear layers.
        """
        place, dtype = torch.device(device), next(model.parameters()).dtype
        layers = {name: each for name, each in model.named_modules() if isinstance(each, nn.Linear)}
        planned = [list(_planned(lora, layers)) for lora in loras]
        self._dials = tuple(_Dial(place, dtype) for _ in loras)
        self._hooks = [
            layers[name].register_forward_hook(_path(dial, name, delta, place, dtype))
            for dial, plan in zip(self._dials, planned, strict=True)
            for name, delta in plan
        ]
        self.regional = False
        self.set(strengths if strengths is not None else (1.0,) * len(self._dials))

    @property
    def strengths(self) -> tuple[float, ...]:
        """The strengths set last, one per LoRA."""
        return tuple(dial.value for dial in self._dials)

    @property
    def kind(self) -> tuple[object, ...]:
        """Equal for passes that run the same paths; see `ChunkPass.kind`."""
        return tuple((dial.tokens is None, dial.rows is None, dial.limited) for dial in self._dials)

    def set(self, strengths: Sequence[float], regional: bool = False) -> None:
        """Set all strengths and clear the region. LoRAs of strength 0 cost nothing.

        regional: `limit` will set a region. Layers on other rows than the picture's tokens are then skipped: text keys
        and values are shared by all tokens, so a style in them would leak out of its region.
        Raises ValueError for a wrong number of strengths.
        """
        if len(strengths) != len(self._dials):
            raise ValueError(f"{len(strengths)} strengths for {len(self._dials)} LoRAs")
        self.regional = regional
        for dial, strength in zip(self._dials, strengths, strict=True):
            dial.set(float(strength), regional)

    def limit(self, region: Tensor | None) -> None:
        """Limit the next passes to a region `[1, N, 1]`, 0..1 per token of a pass; None: everywhere."""
        for dial in self._dials:
            dial.limit(region)

    def remove(self) -> None:
        """Remove the side paths from the model."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()


def _planned(lora: Lora, layers: dict[str, nn.Linear]) -> Iterator[tuple[str, Delta]]:
    """(layer name, pair) of a LoRA. Raises UserError for changes that a side path cannot make."""
    pairs = {name.removesuffix(".weight"): delta for name, delta in lora.deltas.items() if delta.down is not None}
    odd = lora.deltas.keys() - {f"{name}.weight" for name in pairs if name in layers}
    if odd:
        raise UserError(
            f"{lora.name} changes {describe(odd)} by something other than a low-rank pair of a linear layer; "
            "this needs merging, with a precision of 16 or 32 bits"
        )
    yield from pairs.items()


def _path(dial: _Dial, name: str, delta: Delta, place: torch.device, dtype: torch.dtype) -> _SidePath:
    assert delta.down is not None
    down = delta.down.to(place, dtype)
    up = (delta.up.to(place, torch.float32) * delta.scale).to(dtype)
    return _SidePath(dial, down, up, _ON_TOKENS.fullmatch(name) is not None)
