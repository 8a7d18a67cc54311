"""Stick figures in OpenPose's colours, as VACE's pose annotator (DWPose) draws bodies, faces and hands.

VACE's annotator swaps red and blue in its last step. Whether VACE was trained on such pictures is unknown
(ali-vilab/VACE issue 134). This module uses the standard colours.
"""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels
from streamvace.conditioning.controls.blaze_pose import Body
from streamvace.conditioning.controls.faces import outline
from streamvace.conditioning.controls.hands import JOINTS

NECK = 1
_FROM_BLAZE = {
    0: 0, 2: 12, 3: 14, 4: 16, 5: 11, 6: 13, 7: 15, 8: 24, 9: 26, 10: 28, 11: 23, 12: 25, 13: 27, 14: 5, 15: 2, 16: 8,
    17: 7,
}  # fmt: skip
"""OpenPose's 18 joints (COCO order: nose, neck, right arm, left arm, right leg, left leg, eyes, ears) from BlazePose's
33. The neck is the midpoint of the shoulders."""

_SHOULDERS = (11, 12)

LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
"""OpenPose's 17 limbs as pairs of joints, in the order of their colours."""

Colour = tuple[int, ...]


def _wheel(count: int) -> tuple[Colour, ...]:
    turns = (colorsys.hsv_to_rgb(number / count, 1.0, 1.0) for number in range(count))
    return tuple(tuple(round(255 * part) for part in colour) for colour in turns)


PALETTE = _wheel(18)
"""OpenPose's colours: 18 hues in equal steps from red, one per joint."""

_LIMB_SHARE = 0.6
"""Brightness of limbs relative to joints."""

BONES = tuple((joint - 1 if joint % 4 != 1 else 0, joint) for joint in range(1, JOINTS))
"""Bones of a hand, along each finger from the wrist, in the order of their colours."""

BONE_COLOURS = _wheel(len(BONES))
HAND_JOINT, FACE_POINT = (0, 0, 255), (255, 255, 255)

_SEEN = 0.3
"""Visibility below which a joint is not drawn: a guessed leg behind a table spoils the picture."""

_BODY_PARTS, _FINE_PARTS = 256, 400
"""Half widths of limbs and of finer parts are the picture's shorter side divided by these numbers. The annotator draws
4 and 2 to 3 pixels on a shorter side of 1024."""


@dataclass(frozen=True)
class Figure:
    """One person. face: float32 `[468, 2]` in pixels, or None. hands: per row of ARMS, float32 `[21, 2]` or None."""

    body: Body
    face: Floats | None = None
    hands: tuple[Floats | None, ...] = (None, None)


def joints(body: Body) -> tuple[Floats, Floats]:
    """OpenPose's 18 joints, float32 `[18, 2]` in pixels, and their visibility, float32 `[18]`."""
    points, seen = np.zeros((18, 2), np.float32), np.zeros(18, np.float32)
    for joint, landmark in _FROM_BLAZE.items():
        points[joint], seen[joint] = body.points[landmark], body.seen[landmark]
    points[NECK] = body.points[list(_SHOULDERS)].mean(0)
    seen[NECK] = body.seen[list(_SHOULDERS)].min()
    return points, seen


def draw(canvas: Pixels, figure: Figure) -> None:
    """Draw one figure onto uint8 `[H, W, 3]`: body, then hands and face if known."""
    shorter = min(canvas.shape[:2])
    width, fine = max(1, round(shorter / _BODY_PARTS)), max(1, round(shorter / _FINE_PARTS))
    points, seen = joints(figure.body)
    for number, (start, end) in enumerate(LIMBS):
        if min(seen[start], seen[end]) >= _SEEN:
            shade = tuple(int(_LIMB_SHARE * part) for part in PALETTE[number])
            _limb(canvas, points[start], points[end], width, shade)
    for joint in np.flatnonzero(seen >= _SEEN):
        _dot(canvas, points[int(joint)], width, PALETTE[joint])
    for hand in figure.hands:
        if hand is not None:
            _hand(canvas, hand, fine)
    if figure.face is not None:
        for point in outline(figure.face):
            _dot(canvas, point, fine, FACE_POINT)


def _limb(canvas: Pixels, start: Floats, end: Floats, width: int, shade: Colour) -> None:
    """Draw an ellipse from joint to joint."""
    middle = np.asarray((start + end) / 2, dtype=np.float32)
    length = float(np.linalg.norm(end - start)) / 2
    angle = math.degrees(math.atan2(float(end[1] - start[1]), float(end[0] - start[0])))
    outline = cv2.ellipse2Poly(_pixel(middle), (max(1, round(length)), width), round(angle), 0, 360, 5)
    cv2.fillConvexPoly(canvas, outline, shade, cv2.LINE_AA)


def _hand(canvas: Pixels, hand: Floats, width: int) -> None:
    for (start, end), shade in zip(BONES, BONE_COLOURS, strict=True):
        cv2.line(canvas, _pixel(hand[start]), _pixel(hand[end]), shade, width, cv2.LINE_AA)
    for point in hand:
        _dot(canvas, point, width, HAND_JOINT)


def _dot(canvas: Pixels, point: Floats, radius: int, shade: Colour) -> None:
    cv2.circle(canvas, _pixel(point), radius, shade, -1, cv2.LINE_AA)


def _pixel(point: Floats) -> tuple[int, int]:
    """Rounded coordinates, clipped to a range that OpenCV can draw in."""
    x, y = np.clip(point, -10_000, 10_000)
    return round(float(x)), round(float(y))
