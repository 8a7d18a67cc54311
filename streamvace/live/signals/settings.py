"""The settings of the signal chain, from one snapshot. Pure."""

from __future__ import annotations

from dataclasses import replace

from streamvace.conditioning.controls.base import ControlSettings
from streamvace.conditioning.controls.layout import parse_box
from streamvace.conditioning.controls.lines import automatic_width
from streamvace.conditioning.masks import NO_MASK
from streamvace.conditioning.masks.base import MaskSettings
from streamvace.conditioning.masks.shape import Shaping
from streamvace.conditioning.signals import RAW, SignalSettings
from streamvace.control.parameters import Snapshot
from streamvace.live.signals.auto_kind import AUTO

_PARTS = {"embedded": 64}
_OTHER_PARTS = 240
"""The picture's height over this is the width of a line: 4 pixels of 256 as in the embedded model's training, 2 of 480
for the published models, whose annotators draw thin lines."""


def signal_settings(snapshot: Snapshot, pipeline: str, height: int) -> SignalSettings:
    """pipeline, height: determine the automatic line width."""
    number, text, integer = snapshot.number, snapshot.text, snapshot.integer
    boxes = (parse_box(line) for line in snapshot.texts("/streamvace/layout/boxes"))
    controls = ControlSettings(
        edge_sensitivity=number("/streamvace/edges/sensitivity"),
        edge_width=integer("/streamvace/edges/width") or automatic_width(height, _PARTS.get(pipeline, _OTHER_PARTS)),
        flow_scale=number("/streamvace/flow/scale"),
        depth_smoothing=number("/streamvace/depth/smoothing"),
        layout_boxes=tuple(box for box in boxes if box is not None),
        layout_glide=number("/streamvace/layout/glide"),
        layout_trail=number("/streamvace/layout/trail"),
        pose_people=integer("/streamvace/pose/people"),
        pose_details=text("/streamvace/pose/details"),
    )
    masks = MaskSettings(
        luma_low=number("/streamvace/mask/luma_low"),
        luma_high=number("/streamvace/mask/luma_high"),
        softness=number("/streamvace/mask/softness"),
        chroma_hue=number("/streamvace/mask/chroma_hue"),
        chroma_tolerance=number("/streamvace/mask/chroma_tolerance"),
        chroma_spill=number("/streamvace/mask/chroma_spill"),
        motion_sensitivity=number("/streamvace/mask/motion_sensitivity"),
        confidence=number("/streamvace/mask/confidence"),
        classes=snapshot.texts("/streamvace/mask/classes"),
    )
    shaping = Shaping(
        invert=snapshot.flag("/streamvace/mask_invert"),
        grow=integer("/streamvace/mask/grow"),
        feather=integer("/streamvace/mask/feather"),
        hold=number("/streamvace/mask/hold"),
    )
    return SignalSettings(
        control=_kind(snapshot),
        mask=text("/streamvace/mask_source"),
        second_mask=text("/streamvace/mask/second"),
        combine=text("/streamvace/mask/combine"),
        controls=controls,
        masks=masks,
        shaping=shaping,
    )


def second_settings(snapshot: Snapshot, pipeline: str, height: int) -> SignalSettings:
    """The settings of the second control: its own kind, no mask. Without a weight nothing is made."""
    used = snapshot.number("/streamvace/second_control/weight") > 0
    return replace(
        signal_settings(snapshot, pipeline, height),
        control=snapshot.text("/streamvace/second_control/kind") if used else RAW,
        mask=NO_MASK,
        second_mask=NO_MASK,
        shaping=Shaping(),
    )


def judged(snapshot: Snapshot) -> bool:
    """Whether it matters what the control's input shows. Under video to video the picture itself is repainted."""
    return snapshot.flag("/streamvace/control") and not snapshot.flag("/streamvace/video_to_video")


def _kind(snapshot: Snapshot) -> str:
    kind = snapshot.text("/streamvace/control_kind") if snapshot.flag("/streamvace/control") else RAW
    return RAW if kind == AUTO and not judged(snapshot) else kind


def masked(snapshot: Snapshot) -> bool:
    """Whether a mask is in use."""
    return any(source != NO_MASK for source in _sources(snapshot))


def keyed(snapshot: Snapshot) -> bool:
    """Whether reflections of a keyed screen are removed from the kept pixels."""
    return "chroma" in _sources(snapshot) and snapshot.number("/streamvace/mask/chroma_spill") > 0


def _sources(snapshot: Snapshot) -> tuple[str, str]:
    return snapshot.text("/streamvace/mask_source"), snapshot.text("/streamvace/mask/second")
