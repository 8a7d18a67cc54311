"""From what the inputs showed to planes of one chunk: who steers, what is kept, what is painted. Pure.

Everything the picture is made of is laid out here once, for the model and for the compositing of its result alike, so
that both speak of the same pixels of the same frames.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np

from streamvace.chunk import Pixels
from streamvace.conditioning.masks.keys import despill
from streamvace.live.outpaint import Placement
from streamvace.live.parameters import Snapshot
from streamvace.live.signal_settings import keyed, masked


@dataclass(frozen=True)
class Pictures:
    """What the inputs showed, by role; each uint8 `[F, H, W, 4]` of the show's size, straight alpha, or None without an
    input. One array in several roles is one input that plays them all. The mask's alpha is the mask, opaque =
    generate."""

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
"""What an input can be used for."""


@dataclass(frozen=True)
class Layout:
    """The planes of one chunk, each of its F frames, or None: not used.

    control, source, second: uint8 `[F, H, W, 3]`; see ChunkInput. Under a mask the control's kept pixels are the
    source's: that is what is to be preserved, whatever steers the rest. mask, scale_map: uint8 `[F, H, W]`; see
    ChunkInput.
    kept: uint8 `[F, H, W, 3]`, the untouched pictures that the mask keeps. alpha: uint8 `[F, H, W]`, the source's.
    """

    control: Pixels | None = None
    source: Pixels | None = None
    second: Pixels | None = None
    mask: Pixels | None = None
    scale_map: Pixels | None = None
    kept: Pixels | None = None
    alpha: Pixels | None = None


def leading_role(snapshot: Snapshot) -> str:
    """The role whose newest picture the next chunk is to show; "" when no input plays a part in it."""
    if snapshot.flag("/streamvace/control"):
        return "control"
    if snapshot.flag("/streamvace/video_to_video"):
        return "source"
    return "mask" if masked(snapshot) else ""


def lay_out(snapshot: Snapshot, pictures: Pictures) -> Layout:
    """Every plane that the parameters ask for and the inputs can give.

    The control and the mask have been through the signal chain: their kind, and the mask's shape, are made already.
    """
    mask = None if pictures.mask is None or not masked(snapshot) else np.ascontiguousarray(pictures.mask[..., 3])
    scale_map = _scale_map(snapshot.text("/streamvace/scale_map"), pictures.scale)
    alpha = None if pictures.source is None else np.ascontiguousarray(pictures.source[..., 3])
    one_input = pictures.source is pictures.control
    placement = Placement.of(snapshot)
    if placement.outpaints and alpha is not None:
        frames, height, width = alpha.shape
        outside = placement.outside(frames, width, height)
        mask = outside if mask is None else np.maximum(outside, placement.place(mask, around=0))
        scale_map = None if scale_map is None else placement.place(scale_map)
        alpha = placement.place(alpha, around=0)
        pictures = _placed(pictures, placement)
    control = _colours(pictures.control) if snapshot.flag("/streamvace/control") else None
    kept = None if mask is None else _to_keep(snapshot, pictures.source)
    if mask is not None and control is not None and kept is not None and not one_input:
        control = np.where(mask[..., None] > 127, control, kept)
    blended = snapshot.number("/streamvace/second_control/weight") > 0 and pictures.second is not pictures.control
    return Layout(
        control=control,
        source=_colours(pictures.source) if snapshot.flag("/streamvace/video_to_video") else None,
        second=_colours(pictures.second) if blended else None,
        mask=mask,
        scale_map=scale_map,
        kept=kept,
        alpha=alpha,
    )


def _to_keep(snapshot: Snapshot, pictures: Pixels | None) -> Pixels | None:
    """uint8 `[F, H, W, 3]`: what the mask keeps, without the reflections of a keyed screen."""
    if pictures is None or not keyed(snapshot):
        return _colours(pictures)
    hue, spill = (snapshot.number(f"/streamvace/mask/chroma_{name}") for name in ("hue", "spill"))
    return np.stack([despill(picture, hue, spill) for picture in pictures])


def _placed(pictures: Pictures, placement: Placement) -> Pictures:
    """Every input at the same place, the grey of the unknown around it. Around the source go on its own colours: video
    to video starts from them, and a feather fades into them."""
    moved = {id(each): placement.place(each) for each in (pictures.control, pictures.second) if each is not None}
    return Pictures(
        control=moved.get(id(pictures.control)),
        source=None if pictures.source is None else placement.place(pictures.source, around=None),
        second=moved.get(id(pictures.second)),
    )


def _scale_map(kind: str, pictures: Pixels | None) -> Pixels | None:
    """White or opaque is the context scale as it is set, black or transparent none of it; see ChunkInput.scale_map."""
    if kind == "none" or pictures is None:
        return None
    if kind == "alpha":
        plane = pictures[..., 3]
    else:
        plane = np.stack([cv2.cvtColor(picture, cv2.COLOR_RGBA2GRAY) for picture in pictures])
    scales: Pixels = np.rint(plane * np.float32(128 / 255)).astype(np.uint8)
    return scales


def _colours(pictures: Pixels | None) -> Pixels | None:
    return None if pictures is None else np.ascontiguousarray(pictures[..., :3])
