"""The user's LoRAs, merged or as side paths. Their strengths change only between two chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from streamvace.conditioning.region import REGIONS
from streamvace.model.exchange import ALONE, Exchange
from streamvace.model.lora import Lora, MergedLoras, read_lora
from streamvace.model.lora_side import SideLoras
from streamvace.model.quantize import Precision
from streamvace.records.model_options import LoraChoice
from streamvace.system.errors import UserError

MERGE_BYTES_A_CHUNK = 256 << 20
"""Most bytes of weights to merge before one chunk: about 50 ms of copying to a card, so a fader does not stall the
picture. A size and not a time, so that the same inputs give the same frames."""

Weighted = tuple[Lora, float]
"""A LoRA and its own strength, a factor."""


class UserLoras:
    """LoRAs of one base network, `merged` or as `side` paths; by default there are none.

    version: increases when the network changes; text K/V made with an older version are stale.
    """

    def __init__(
        self,
        model: nn.Module | None = None,
        merged: Sequence[Weighted] = (),
        side: Sequence[Weighted] = (),
        device: torch.device | str = "cpu",
    ) -> None:
        """model: only needed with LoRAs. device: where it runs, even if it is not there yet.

        Raises UserError for a LoRA that side paths cannot apply.
        """
        self.version = 0
        self.exchange: Exchange = ALONE
        """As in the model: a region is divided like the tokens."""
        self._merged_own, self._side_own = tuple(own for _, own in merged), tuple(own for _, own in side)
        self._merged_names = ", ".join(lora.name for lora, _ in merged)
        # Side paths first: they reject a file before any weight is changed.
        self._side = (
            SideLoras(model, [lora for lora, _ in side], self._side_own, device) if model is not None and side else None
        )
        self._merged = (
            MergedLoras(model, [lora for lora, _ in merged], self._merged_own) if model is not None and merged else None
        )
        self._walk: Iterator[int] | None = None
        self._asked = (1.0, REGIONS[0])

    @property
    def has_side(self) -> bool:
        """Whether a region has an effect."""
        return self._side is not None

    @property
    def regional(self) -> bool:
        """Whether this chunk's side paths are limited to a region."""
        return self._side is not None and self._side.regional

    @property
    def kind(self) -> tuple[object, ...]:
        """Equal for passes that run the same side paths; see `ChunkPass.kind`."""
        return () if self._side is None else self._side.kind

    def begin_chunk(self, strength: float, region: str, at_once: bool) -> tuple[str, ...]:
        """Set the strengths for a whole chunk, including its clean pass and a recache before it.

        strength: multiplied with each LoRA's own. region: one of REGIONS; `limit` selects the tokens. at_once: merge
        everything now (the first chunk of a stream); otherwise merge a part now and the rest before later chunks.
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
        """Limit the side paths in the following passes.

        frames: the region `[1, tokens, 1]` of each latent frame of such a pass; None means everywhere.
        """
        if self._side is None:
            return
        known = next((each for each in frames if each is not None), None)
        if known is None:
            self._side.limit(None)
        else:
            region = torch.cat([torch.ones_like(known) if each is None else each for each in frames], dim=1)
            self._side.limit(self.exchange.own_tokens(region))

    def _merge(self, strength: float, at_once: bool) -> bool:
        """Merge a step towards a strength. Returns whether a weight changed."""
        if self._merged is None:
            return False
        wanted = tuple(own * strength for own in self._merged_own)
        if at_once:
            self._walk = self._merged.steps(wanted)
        elif self._walk is None and wanted != self._merged.strengths:
            # Finish a walk before the next one, otherwise a moving fader never reaches the last blocks.
            self._walk = self._merged.steps(wanted)
        left, changed = MERGE_BYTES_A_CHUNK, False
        for written in self._walk or ():
            changed = True
            left -= written
            if left <= 0 and not at_once:
                return True
        self._walk = None
        return changed

    def _remarks(self, strength: float, region: str) -> tuple[str, ...]:
        """Notes about newly requested values that have no effect."""
        before, self._asked = self._asked, (strength, region)
        if self._merged is None and self._side is None:
            if before != self._asked and self._asked != (1.0, "everywhere"):
                return ("lora_strength and lora_region have no effect without a LoRA; start with --lora FILE",)
        elif self._merged is not None and region not in ("everywhere", before[1]):
            return (f"lora_region needs side paths: {self._merged_names} applies everywhere; load it with =1:side",)
        return ()


def load_user_loras(
    model: nn.Module, choices: Sequence[LoraChoice], precision: Precision, device: torch.device
) -> UserLoras:
    """Load the user's LoRAs into the base network, before it is quantised. The context branch gets none.

    device: where the network runs; with 8-bit weights it is not there yet.

    Raises UserError for a missing or unsuitable file, and for `merged` with 8-bit weights.
    """
    merged: list[Weighted] = []
    side: list[Weighted] = []
    eight_bit = precision.config is not None
    for choice in choices:
        if choice.mode == "merged" and eight_bit:
            raise UserError(f"lora {choice.path}: cannot be merged into 8-bit weights; use side, or --precision bf16")
        as_side = choice.mode == "side" or (choice.mode == "auto" and eight_bit)
        (side if as_side else merged).append((read_lora(choice.path, model), choice.strength))
    return UserLoras(model, merged, side, device)
