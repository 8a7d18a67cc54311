"""From an input picture to a control picture and a mask, of the kinds chosen in the settings.

VACE expects one picture: the input where the mask keeps, the control where it generates. `as_seen` composes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Control, ControlSettings, Pixels, colours
from streamvace.conditioning.controls.cut import CutDetector
from streamvace.conditioning.masks import NO_MASK
from streamvace.conditioning.masks.base import Mask, MaskSettings
from streamvace.conditioning.masks.keys import despill
from streamvace.conditioning.masks.shape import COMBINE, MaskShaper, Shaping

RAW, ALPHA = "raw", "alpha"

_GENERATED = 127
"""Mask values above this are generated: the context encoder's threshold of one half."""


@dataclass(frozen=True)
class SignalSettings:
    """The performer's choice. control: a key of CONTROLS. mask, second_mask: keys of MASKS, or none. combine: a key of
    COMBINE, for two masks."""

    control: str = RAW
    mask: str = NO_MASK
    second_mask: str = NO_MASK
    combine: str = "union"
    controls: ControlSettings = field(default_factory=ControlSettings)
    masks: MaskSettings = field(default_factory=MaskSettings)
    shaping: Shaping = field(default_factory=Shaping)

    @property
    def passes_through(self) -> bool:
        """Whether the input's pictures, with their own alpha, need no processing."""
        masks = self.second_mask == NO_MASK and self.mask in (NO_MASK, ALPHA)
        return masks and self.control == RAW and self.shaping == Shaping()

    @property
    def sources(self) -> tuple[str, ...]:
        """The masks in use, without repetition."""
        return tuple(dict.fromkeys(name for name in (self.mask, self.second_mask) if name != NO_MASK))


@dataclass(frozen=True)
class Signal:
    """control: uint8 `[H, W, 3]`. mask: uint8 `[H, W]`, 255 = generate, or None for everything. control_ms, mask_ms:
    time spent in milliseconds. cut: this picture starts a new scene."""

    control: Pixels
    mask: Pixels | None
    control_ms: float
    mask_ms: float
    cut: bool

    def joined(self) -> Pixels:
        """uint8 `[H, W, 4]`: the control picture with the mask as its alpha."""
        height, width = self.control.shape[:2]
        pixels = np.empty((height, width, 4), np.uint8)
        pixels[..., :3] = self.control
        pixels[..., 3] = 255 if self.mask is None else self.mask
        return pixels


class SignalChain:
    """Sends one stream of pictures through a control and up to two masks. Not thread-safe.

    control_of, mask_of: return the object for a key, or None while it is loading or if loading failed. Without a
    control the picture itself is used; a missing mask is left out.
    """

    def __init__(self, control_of: Callable[[str], Control | None], mask_of: Callable[[str], Mask | None]) -> None:
        self._control_of = control_of
        self._mask_of = mask_of
        self._cuts = CutDetector()
        self._shaper = MaskShaper()
        self._running: dict[str, Control | Mask] = {}

    def update(self, picture: Pixels, mask_picture: Pixels | None, seconds: float, settings: SignalSettings) -> Signal:
        """Process one picture. picture: uint8 `[H, W, 3|4]`. mask_picture: the masks' input, of the same size; None:
        the picture. seconds: the picture's capture time."""
        cut = self._cuts.update(picture)
        running: dict[str, Control | Mask] = {}
        started = time.perf_counter()
        mask = self._mask(picture if mask_picture is None else mask_picture, seconds, settings, running, cut)
        masked = time.perf_counter()
        control = self._control(picture, seconds, settings, running, cut)
        self._running = running
        ended = time.perf_counter()
        return Signal(control, mask, (ended - masked) * 1e3, (masked - started) * 1e3, cut)

    def reset(self) -> None:
        """The next picture starts a new scene."""
        self._cuts.reset()

    def _control(
        self, picture: Pixels, seconds: float, settings: SignalSettings, running: dict[str, Control | Mask], cut: bool
    ) -> Pixels:
        control = self._control_of(settings.control)
        if control is None:
            return colours(picture)
        if self._fresh(f"control {settings.control}", control, running) or cut:
            control.reset()
        return control.update(picture, seconds, settings.controls)

    def _mask(
        self, picture: Pixels, seconds: float, settings: SignalSettings, running: dict[str, Control | Mask], cut: bool
    ) -> Pixels | None:
        found = []
        for source in settings.sources:
            mask = self._mask_of(source)
            if mask is None:
                continue
            if self._fresh(f"mask {source}", mask, running) or cut:
                mask.reset()
            found.append(mask.update(picture, seconds, settings.masks))
        if not found:
            self._shaper.reset()
            return None
        if cut:
            self._shaper.reset()
        whole = COMBINE[settings.combine](found[0], found[1]) if len(found) > 1 else found[0]
        return self._shaper.update(whole, seconds, settings.shaping)

    def _fresh(self, name: str, part: Control | Mask, running: dict[str, Control | Mask]) -> bool:
        """Whether `part` did not process the previous picture, so that its history is outdated."""
        running[name] = part
        return self._running.get(name) is not part


def as_seen(control: Pixels, kept: Pixels, mask: Pixels | None) -> Pixels:
    """The control picture as the model sees it: `control` where the mask generates, `kept` elsewhere.

    control, kept: uint8 `[H, W, 3]`; mask: uint8 `[H, W]`, or None: generate everything.
    """
    if mask is None:
        return control
    generated = cv2.threshold(mask, _GENERATED, 255, cv2.THRESH_BINARY)[1]
    return np.asarray(cv2.copyTo(control, generated, kept.copy()), dtype=np.uint8)


def to_keep(picture: Pixels, settings: SignalSettings) -> Pixels:
    """The picture for the kept part, uint8 `[H, W, 3]`, without reflections of a chroma key's screen."""
    if "chroma" in settings.sources and settings.masks.chroma_spill > 0:
        return despill(picture, settings.masks.chroma_hue, settings.masks.chroma_spill)
    return colours(picture)
