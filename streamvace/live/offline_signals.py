"""The signal chain of a rendered clip: every frame once and in order, and what can't be made ends the command."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from streamvace.conditioning.networks import Networks
from streamvace.conditioning.signals import SignalChain
from streamvace.live.layout import Pictures
from streamvace.live.media import MediaFolder
from streamvace.live.parameters import Snapshot
from streamvace.live.signal_parts import control_maker, mask_key, mask_maker
from streamvace.live.signal_settings import signal_settings


class OfflineSignals:
    """From a clip's pictures to the same with its control and its mask made."""

    def __init__(self, networks: Networks, media: MediaFolder, pipeline: str, rate: float) -> None:
        """rate: frames a second of the clip."""
        self._pipeline = pipeline
        self._rate = rate
        self._count = 0
        self._detector = ""
        make_mask = cache(mask_maker(networks, media))
        self._chain = SignalChain(
            cache(control_maker(networks)), lambda source: make_mask(mask_key(source, self._detector))
        )

    def made_of(self, pictures: Pictures, snapshot: Snapshot) -> Pictures:
        """pictures: the next ones of every role. Raises UserError for a kind that can't be made."""
        clip, mask = pictures.control, pictures.mask
        if clip is None:
            return pictures
        settings = signal_settings(snapshot, self._pipeline, clip.shape[1])
        first = self._count
        self._count += len(clip)
        if settings.passes_through:
            return pictures
        self._detector = snapshot.text("/streamvace/mask/model")
        made = []
        for index, picture in enumerate(clip):
            other = None if mask is None or mask is clip else mask[index]
            made.append(self._chain.update(picture, other, (first + index) / self._rate, settings).joined())
        signals = np.stack(made)
        return replace(pictures, control=signals, mask=signals)
