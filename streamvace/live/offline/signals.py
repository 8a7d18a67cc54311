"""The signal chain of a render: every frame once and in order. A kind that cannot be made ends the command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial

import numpy as np

from streamvace.conditioning.controls.networks import Networks
from streamvace.conditioning.masks.base import Mask
from streamvace.conditioning.signals import SignalChain, SignalSettings
from streamvace.control.parameters import Snapshot
from streamvace.live.director.layout import Pictures
from streamvace.live.signals.auto_kind import AUTO, AutoKind, kind_for_film, seen
from streamvace.live.signals.parts import control_maker, mask_key, mask_maker
from streamvace.live.signals.settings import judged, second_settings, signal_settings
from streamvace.records.chunk import Pixels
from streamvace.system.media import MediaFolder


class OfflineSignals:
    """Makes controls and masks from a clip's pictures."""

    def __init__(self, networks: Networks, media: MediaFolder, pipeline: str, address: str = "file:") -> None:
        """address: of the input in the show that is rendered; `auto` acts on it as it did live."""
        self.notes: set[str] = set()
        """For the user: what `auto` chose, and what was used raw."""
        self._pipeline = pipeline
        self._address = address
        self._auto = AutoKind(lambda: kind_for_film(networks, self._pipeline), self.notes.add, self.notes.add)
        self._detector = ""
        self._masks = cache(mask_maker(networks, media))
        # Controls have state, so each chain has its own.
        self._controls, self._others = (cache(control_maker(networks)) for _ in range(2))
        self._chain = SignalChain(self._controls, self._mask)
        self._second = SignalChain(self._others, lambda source: None)

    def runs(self, pipeline: str) -> None:
        """Another pipeline makes the picture from now on."""
        self._pipeline = pipeline

    def shows(self, address: str) -> None:
        """The input has this address from now on; another one is judged anew."""
        self._address = address

    def prepare(self, snapshot: Snapshot) -> None:
        """Load what these parameters need, before the first frame. Raises UserError for a kind that cannot be made."""
        self._detector = snapshot.text("/streamvace/mask/model")
        settings = signal_settings(snapshot, self._pipeline, 1)  # the kinds don't depend on the picture's height
        if settings.control != AUTO:
            self._controls(settings.control)
        self._others(second_settings(snapshot, self._pipeline, 1).control)
        for source in settings.sources:
            self._mask(source)

    def made_of(self, pictures: Pictures, moments: Sequence[float], snapshot: Snapshot) -> Pictures:
        """The next pictures of every role, with controls and mask made. moments: their times in seconds, which motion
        and smoothing are measured by. Raises UserError as `prepare` does."""
        clip, mask = pictures.control, pictures.mask
        if clip is None:
            return pictures
        asked = snapshot, self._pipeline, clip.shape[1]
        settings, second = signal_settings(*asked), second_settings(*asked)
        if judged(snapshot):
            settings = self._resolved(settings, clip, None if mask is clip else mask)
        self._detector = snapshot.text("/streamvace/mask/model")
        made = pictures
        if pictures.second is not None and not second.passes_through:
            made = replace(made, second=self._film(self._second, pictures.second, None, moments, second))
        if not settings.passes_through:
            signals = self._film(self._chain, clip, None if mask is clip else mask, moments, settings)
            made = replace(made, control=signals, mask=signals)
        return made

    def _resolved(self, settings: SignalSettings, clip: Pixels, mask: Pixels | None) -> SignalSettings:
        """The settings with a kind in place of `auto`, which judges as many of these pictures as it needs."""
        masks: Sequence[Pixels | None] = [None] * len(clip) if mask is None else list(mask)
        for picture, marks in zip(clip, masks, strict=True):
            resolved = self._auto.resolve(settings, self._address, partial(seen, picture, marks, settings))
        return resolved

    def _mask(self, source: str) -> Mask:
        return self._masks(mask_key(source, self._detector))

    def _film(
        self,
        chain: SignalChain,
        film: Pixels,
        mask: Pixels | None,
        moments: Sequence[float],
        settings: SignalSettings,
    ) -> Pixels:
        """uint8 `[F, H, W, 4]`: control pictures with their masks as alpha. mask: pictures of its own, or None."""
        masks = mask if mask is not None else [None] * len(film)
        made = [chain.update(*each, settings).joined() for each in zip(film, masks, moments, strict=True)]
        return np.stack(made)
