"""The user's LoRAs on a running network: each merged or beside it, their strengths changed only between two chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from streamvace.conditioning.region import REGIONS
from streamvace.model.lora import Lora, MergedLoras, read_lora
from streamvace.model.lora_side import SideLoras
from streamvace.model.quantize import Precision
from streamvace.records.model_options import LoraChoice
from streamvace.system.errors import UserError

MERGE_BYTES_A_CHUNK = 256 << 20
"""Weights merged anew before one chunk: some 50 ms of copying to a card, so a fader does not stall the picture. A count
and no stopwatch, so that the same inputs give the same frames."""

Weighted = tuple[Lora, float]
"""A LoRA and its own strength."""


class UserLoras:
    """LoRAs of one base network, `merged` or as `side` paths; none at all by default.

    version: goes up when the network changed, so text keys and values made before are stale.
    """

    def __init__(
        self, model: nn.Module | None = None, merged: Sequence[Weighted] = (), side: Sequence[Weighted] = ()
    ) -> None:
        """model: only needed where there are LoRAs. Raises UserError for one that no side path can carry."""
        self.version = 0
        self._model = model
        self._merged_own, self._side_own = tuple(own for _, own in merged), tuple(own for _, own in side)
        self._merged_names = ", ".join(lora.name for lora, _ in merged)
        # Side paths first: they refuse a file before any weight is changed.
        self._side = (
            SideLoras(model, [lora for lora, _ in side], self._side_own) if model is not None and side else None
        )
        self._merged = (
            MergedLoras(model, [lora for lora, _ in merged], self._merged_own) if model is not None and merged else None
        )
        self._walk: Iterator[str] | None = None
        self._asked = (1.0, REGIONS[0])

    @property
    def has_side(self) -> bool:
        """Whether a region means anything."""
        return self._side is not None

    @property
    def regional(self) -> bool:
        """Whether this chunk's side paths are limited to a region."""
        return self._side is not None and self._side.regional

    def begin_chunk(self, strength: float, region: str, at_once: bool) -> tuple[str, ...]:
        """Take what a chunk asks for: strengths for the whole chunk, its clean pass and a recache before it.

        strength: multiplied with each LoRA's own. region: one of REGIONS; `limit` names the tokens. at_once: merge
        everything now (a stream's first chunk, where no picture waits); otherwise a part, and the rest later.
        Returns remarks for the user. Raises ValueError for an unknown region.
        """
        if region not in REGIONS:
            raise ValueError(f"region {region!r}; there are: {', '.join(REGIONS)}")
        changed = self._merge(strength, at_once)
        regional = region != "everywhere"
        wanted = tuple(own * strength for own in self._side_own)
        if self._side is not None and (wanted, regional) != (self._side.strengths, self._side.regional):
            self._side.set(wanted, regional)
            changed = True
        self.version += changed
        return self._remarks(strength, region)

    def limit(self, frames: Sequence[Tensor | None]) -> None:
        """Limit the side paths of the passes that follow.

        frames: for each latent frame of such a pass its tokens' region `[1, tokens, 1]`, or None: everywhere.
        """
        if self._side is None:
            return
        known = next((each for each in frames if each is not None), None)
        if known is None:
            self._side.limit(None)
        else:
            self._side.limit(torch.cat([torch.ones_like(known) if each is None else each for each in frames], dim=1))

    def _merge(self, strength: float, at_once: bool) -> bool:
        """Bring the merged ones nearer to a strength; whether a weight was changed."""
        if self._merged is None or self._model is None:
            return False
        wanted = tuple(own * strength for own in self._merged_own)
        if at_once:
            self._walk = self._merged.steps(wanted)
        elif self._walk is None and wanted != self._merged.strengths:
            # A walk is finished before the next begins, or a fader in motion would never reach the last blocks.
            self._walk = self._merged.steps(wanted)
        left, changed = MERGE_BYTES_A_CHUNK, False
        for name in self._walk or ():
            changed = True
            left -= self._model.get_parameter(name).nbytes
            if left <= 0 and not at_once:
                return True
        self._walk = None
        return changed

    def _remarks(self, strength: float, region: str) -> tuple[str, ...]:
        """What of a new wish can have no effect: nothing is silently ignored."""
        before, self._asked = self._asked, (strength, region)
        if self._merged is None and self._side is None:
            if before != self._asked and self._asked != (1.0, "everywhere"):
                return ("no LoRA is loaded, so lora_strength and lora_region do nothing; start with --lora FILE",)
        elif self._merged is not None and region not in ("everywhere", before[1]):
            return (f"lora_region needs side paths: {self._merged_names} shows everywhere; load it with =1:side",)
        return ()


def load_user_loras(model: nn.Module, choices: Sequence[LoraChoice], precision: Precision) -> UserLoras:
    """Read the user's LoRAs into the base network, which is not quantised yet; the context branch takes none.

    Raises UserError for a missing or foreign file, and for `merged` at a precision whose weights take no additions.
    """
    merged: list[Weighted] = []
    side: list[Weighted] = []
    eight_bit = precision.config is not None
    for choice in choices:
        if choice.mode == "merged" and eight_bit:
            raise UserError(f"lora {choice.path}: 8-bit weights cannot be merged into; use side, or --precision bf16")
        as_side = choice.mode == "side" or (choice.mode == "auto" and eight_bit)
        (side if as_side else merged).append((read_lora(choice.path, model), choice.strength))
    return UserLoras(model, merged, side)
