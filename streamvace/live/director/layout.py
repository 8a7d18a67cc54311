"""Lays out the pictures of the inputs as the planes of one chunk: control, source, mask, kept pixels, alpha. Pure.

The model and the compositing of its result use the same layout, so both refer to the same pixels of the same frames.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.conditioning.masks.keys import despill
from streamvace.control.parameters import Snapshot
from streamvace.live.director.outpaint import UNKNOWN, Placement
from streamvace.live.signals.settings import keyed, masked
from streamvace.records.chunk import Pixels


@dataclass(frozen=True)
class Pictures:
    """The pictures of the inputs by role: each uint8 `[F, H, W, 4]` of the show's size, straight alpha, or None without
    an input. The same array in several roles is one input that plays them all. The mask is the alpha of the mask role's
    picture, opaque = generate."""

    control: Pixels | None = None
    mask: Pixels | None = None
    source: Pixels | None = None
    second: Pixels | None = None
    scale: Pixels | None = None

    @classmethod
    def of_one(cls, pictures: Pixels) -> Pictures:
        """One input in every role."""
        return cls(*[pictures] * len(fields(cls)))


ROLES = tuple(role.name for role in fields(Pictures))
"""The roles that an input can play."""


@dataclass(frozen=True)
class Layout:
    """The planes of one chunk of F frames; None: not used.

    control, source, second: uint8 `[F, H, W, 3]`; see ChunkInput. Under a mask, the control's kept pixels are those of
    the source.
    mask, scale_map: uint8 `[F, H, W]`; see ChunkInput.
    kept: uint8 `[F, H, W, 3]`, the untouched source that the mask keeps.
    alpha: uint8 `[F, H, W]`, the source's, if the output shows it.
    """

    control: Pixels | None = None
    source: Pixels | None = None
    second: Pixels | None = None
    mask: Pixels | None = None
    scale_map: Pixels | None = None
    kept: Pixels | None = None
    alpha: Pixels | None = None


def leading_role(snapshot: Snapshot) -> str:
    """The role whose newest picture the next chunk follows; "" if it uses no input."""
    if snapshot.flag("/streamvace/control"):
        return "control"
    if snapshot.flag("/streamvace/video_to_video"):
        return "source"
    return "mask" if masked(snapshot) else ""


def lay_out(snapshot: Snapshot, pictures: Pictures) -> Layout:
    """The planes that the parameters ask for, as far as there are inputs for them.

    Control and mask have already passed the signal chain, which applies the control kind and shapes the mask.
    """
    steers, repaints, composites = (
        snapshot.flag(f"/streamvace/{name}") for name in ("control", "video_to_video", "composite")
    )
    planes = _Planes(Placement.of(snapshot))
    mask = planes.mask(pictures.source, None if not masked(snapshot) else pictures.mask)
    one_input = pictures.source is pictures.control
    control = planes.colours(pictures.control) if steers else None
    source = kept = None
    if pictures.source is not None and (repaints or (mask is not None and (composites or not one_input))):
        # A placed source is extended with the colours of its edge: video to video starts from them, and a feather fades
        # into them.
        source = planes.colours(pictures.source, around=None)
        kept = None if mask is None else _despilled(snapshot, source)
    if mask is not None and control is not None and kept is not None and not one_input:
        control = np.stack([_where(each > 127, *pair) for each, *pair in zip(mask, control, kept, strict=True)])
    blended = snapshot.number("/streamvace/second_control/weight") > 0 and pictures.second is not pictures.control
    shows_alpha = snapshot.text("/streamvace/output_alpha") == "source"
    return Layout(
        control=control,
        source=source if repaints else None,
        second=planes.colours(pictures.second) if blended else None,
        mask=mask,
        scale_map=planes.scale_map(snapshot.text("/streamvace/scale_map"), pictures.scale),
        kept=kept,
        alpha=planes.alpha(pictures.source) if shows_alpha and pictures.source is not None else None,
    )


class _Planes:
    """Planes of the inputs at their place on the picture. Colours are converted and scaled once per input, whatever the
    number of its roles."""

    def __init__(self, placement: Placement | None) -> None:
        self._placement = placement
        self._cuts: dict[int, Pixels] = {}

    def colours(self, pictures: Pixels | None, around: int | None = UNKNOWN) -> Pixels | None:
        """uint8 `[F, H, W, 4]` -> `[F, H, W, 3]`. around: see `Placement.place`."""
        if pictures is None:
            return None
        if id(pictures) not in self._cuts:
            colours = np.empty((*pictures.shape[:3], 3), np.uint8)
            for picture, plane in zip(pictures, colours, strict=True):
                cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB, dst=plane)
            self._cuts[id(pictures)] = colours if self._placement is None else self._placement.cut(colours)
        cut = self._cuts[id(pictures)]
        if self._placement is None:
            return cut
        return self._placement.canvas(cut, pictures.shape[2], pictures.shape[1], around)

    def alpha(self, pictures: Pixels) -> Pixels:
        """uint8 `[F, H, W]`; transparent around a placed input."""
        return self._placed(np.ascontiguousarray(pictures[..., 3]), around=0)

    def mask(self, source: Pixels | None, mask: Pixels | None) -> Pixels | None:
        """uint8 `[F, H, W]`, 255 = generate; everything around a placed input is generated."""
        own = None if mask is None else self.alpha(mask)
        if source is None or self._placement is None:
            return own
        outside = self._placement.outside(len(source), source.shape[2], source.shape[1])
        return outside if own is None else np.maximum(outside, own)

    def scale_map(self, kind: str, pictures: Pixels | None) -> Pixels | None:
        """uint8 `[F, H, W]`; see ChunkInput. White, opaque, and around a placed input: 1. Black or transparent: 0."""
        if kind == "none" or pictures is None:
            return None
        code = cv2.COLOR_RGBA2GRAY
        planes = [each[..., 3] if kind == "alpha" else cv2.cvtColor(each, code) for each in pictures]
        scales: Pixels = np.rint(np.stack(planes) * np.float32(128 / 255)).astype(np.uint8)
        return self._placed(scales, around=128)

    def _placed(self, plane: Pixels, around: int) -> Pixels:
        return plane if self._placement is None else self._placement.place(plane, around)


def _where(generated: NDArray[np.bool_], control: Pixels, kept: Pixels) -> Pixels:
    """uint8 `[H, W, 3]`: the control in the generated region, else the kept picture. generated: bool `[H, W]`."""
    return np.asarray(cv2.copyTo(control, generated.astype(np.uint8), kept.copy()), np.uint8)


def _despilled(snapshot: Snapshot, source: Pixels | None) -> Pixels | None:
    """The source, uint8 `[F, H, W, 3]`, without the colour spill of a keyed screen."""
    if source is None or not keyed(snapshot):
        return source
    hue, spill = (snapshot.number(f"/streamvace/mask/chroma_{name}") for name in ("hue", "spill"))
    return np.stack([despill(picture, hue, spill) for picture in source])
