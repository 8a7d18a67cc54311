"""From pictures to what steers a chunk: a control picture and a mask, of the kinds the performer chose.

VACE wants both as one: where the mask keeps, the picture itself; where it generates, the control. `as_seen` joins them.
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
"""A mask above this is generated: the context encoder's own threshold of one half."""


@dataclass(frozen=True)
class SignalSettings:
    """What the performer wants. control: a kind of CONTROLS. mask, second_mask: a source of MASKS, or none. combine: a
    row of COMBINE, for two masks."""

    control: str = RAW
    mask: str = NO_MASK
    second_mask: str = NO_MASK
    combine: str = "union"
    controls: ControlSettings = field(default_factory=ControlSettings)
    masks: MaskSettings = field(default_factory=MaskSettings)
    shaping: Shaping = field(default_factory=Shaping)

    @property
    def passes_through(self) -> bool:
        """The input's pictures, with their own alpha, already are what is asked for."""
        masks = self.second_mask == NO_MASK and self.mask in (NO_MASK, ALPHA)
        return masks and self.control == RAW and self.shaping == Shaping()

    @property
    def sources(self) -> tuple[str, ...]:
        """The masks in use, each once."""
        return tuple(dict.fromkeys(name for name in (self.mask, self.second_mask) if name != NO_MASK))


@dataclass(frozen=True)
class Signal:
    """control: uint8 `[H, W, 3]`. mask: uint8 `[H, W]`, 255 = generate, or None for everything. control_ms, mask_ms:
    what they cost. cut: this picture opened a new scene."""

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
    """One stream of pictures through one control and up to two masks. Owned by one thread.

    control_of, mask_of: give the object of a kind, ready to use; None while it can't be had (it loads, or it can't be
    made), which means: the picture itself, or no such mask.
    """

    def __init__(self, control_of: Callable[[str], Control | None], mask_of: Callable[[str], Mask | None]) -> None:
        self._control_of = control_of
        self._mask_of = mask_of
        self._cuts = CutDetector()
        self._shaper = MaskShaper()
        self._running: dict[str, Control | Mask] = {}

    def update(self, picture: Pixels, mask_picture: Pixels | None, seconds: float, settings: SignalSettings) -> Signal:
        """picture: uint8 `[H, W, 3|4]`. mask_picture: of the same size, what the masks look at; None: the picture.
        seconds: when the picture was captured."""
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
        """The next picture opens a new scene."""
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
        """Whether it did not see the picture before this one, so that what it remembers is from another time."""
        running[name] = part
        return self._running.get(name) is not part


def as_seen(control: Pixels, kept: Pixels, mask: Pixels | None) -> Pixels:
    """The control picture as the model sees it: the control where it is generated, `kept` elsewhere.

    control, kept: uint8 `[H, W, 3]`; mask: uint8 `[H, W]`, or None for everything generated.
    """
    if mask is None:
        return control
    generated = cv2.threshold(mask, _GENERATED, 255, cv2.THRESH_BINARY)[1]
    return np.asarray(cv2.copyTo(control, generated, kept.copy()), dtype=np.uint8)


def to_keep(picture: Pixels, settings: SignalSettings) -> Pixels:
    """uint8 `[H, W, 3]`: what the mask keeps of a picture, without the reflections of a keyed screen."""
    if "chroma" in settings.sources and settings.masks.chroma_spill > 0:
        return despill(picture, settings.masks.chroma_hue, settings.masks.chroma_spill)
    return colours(picture)
