"""Pose as a control: stick figures in OpenPose's colours on black, as VACE's pose annotator draws them."""

from __future__ import annotations

import colorsys
import math

import cv2
import numpy as np

from streamvace.conditioning.controls.base import ControlSettings, Floats, Pixels, colours, share
from streamvace.conditioning.controls.blaze_pose import BlazePose, Body
from streamvace.conditioning.networks import Networks

NOSE, NECK = 0, 1
_FROM_BLAZE = {
    0: 0, 2: 12, 3: 14, 4: 16, 5: 11, 6: 13, 7: 15, 8: 24, 9: 26, 10: 28, 11: 23, 12: 25, 13: 27, 14: 5, 15: 2, 16: 8,
    17: 7,
}  # fmt: skip
"""OpenPose's 18 joints (COCO order: nose, neck, right arm, left arm, right leg, left leg, eyes, ears) from BlazePose's
33. The neck is the middle of the shoulders."""

_SHOULDERS = (11, 12)

LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
"""OpenPose's 17 limbs, in the order of their colours."""

PALETTE = tuple(tuple(round(255 * part) for part in colorsys.hsv_to_rgb(number / 18, 1.0, 1.0)) for number in range(18))
"""OpenPose's wheel: 18 hues in equal steps from red, one a joint; limbs are drawn at 60 % of it."""

_LIMB_SHARE = 0.6

_SEEN = 0.3
"""A joint that is less surely visible is not drawn: a guessed leg behind a table pulls the picture apart."""

_FINGERS = ((15, 17), (15, 19), (15, 21), (17, 19), (16, 18), (16, 20), (16, 22), (18, 20))
_FACE = (1, 3, 4, 6, 9, 10)
"""BlazePose's hints of hands and face, drawn as OpenPose draws those: thin coloured lines, white dots."""

_SETTLE_S = 0.06
"""Joints settle within about two frames when they stand, and follow at once when they move."""

_FAST = 0.04
"""Of the picture's height: a joint that moved this far in a frame is not smoothed at all."""


class Pose:
    """Stick figures of up to `pose_people` people. Raises UserError without the network's files."""

    backend = "MediaPipe BlazePose"

    def __init__(self, networks: Networks) -> None:
        self._network = BlazePose(networks)
        self._last: list[Body] = []
        self._seconds = 0.0

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control."""
        found = self._network.update(colours(frame), seconds, settings.pose_people)
        part = share(seconds - self._seconds, _SETTLE_S)
        self._last = [_steadied(body, self._last, part, frame.shape[0]) for body in found]
        self._seconds = seconds
        canvas = np.zeros((*frame.shape[:2], 3), np.uint8)
        for body in self._last:
            draw(canvas, body, details=settings.pose_details)
        return canvas

    def reset(self) -> None:
        """See Control."""
        self._network.reset()
        self._last = []


def _steadied(body: Body, before: list[Body], part: float, height: int) -> Body:
    """The body with each joint on its way from where the same person's was a frame ago."""
    near = [each for each in before if math.dist((each.square.x, each.square.y), (body.square.x, body.square.y))
            < 0.3 * each.square.side]  # fmt: skip
    if not near:
        return body
    moved = body.points - near[0].points
    pace = np.linalg.norm(moved, axis=1, keepdims=True) / (_FAST * height)
    points = near[0].points + np.clip(np.maximum(pace, part), 0, 1) * moved
    return Body(points.astype(np.float32), body.seen, body.square)


def joints(body: Body) -> tuple[Floats, Floats]:
    """OpenPose's 18 joints `[18, 2]` in pixels, and how surely each is seen `[18]`."""
    points, seen = np.zeros((18, 2), np.float32), np.zeros(18, np.float32)
    for joint, landmark in _FROM_BLAZE.items():
        points[joint], seen[joint] = body.points[landmark], body.seen[landmark]
    points[NECK] = body.points[list(_SHOULDERS)].mean(0)
    seen[NECK] = body.seen[list(_SHOULDERS)].min()
    return points, seen


def draw(canvas: Pixels, body: Body, *, details: bool) -> None:
    """One figure onto uint8 `[H, W, 3]`. Widths follow the picture's height: 4 pixels at 480, as the annotator's."""
    width = max(1, round(canvas.shape[0] / 120))
    points, seen = joints(body)
    for number, (start, end) in enumerate(LIMBS):
        if min(seen[start], seen[end]) >= _SEEN:
            shade = tuple(int(_LIMB_SHARE * part) for part in PALETTE[number])
            _limb(canvas, points[start], points[end], width, shade)
    if details:
        _details(canvas, body, max(1, width // 2))
    for joint in np.flatnonzero(seen >= _SEEN):
        cv2.circle(canvas, _pixel(points[int(joint)]), width, PALETTE[joint], -1, cv2.LINE_AA)


def _limb(canvas: Pixels, start: Floats, end: Floats, width: int, shade: tuple[int, ...]) -> None:
    """An ellipse from joint to joint."""
    middle = np.asarray((start + end) / 2, dtype=np.float32)
    length = float(np.linalg.norm(end - start)) / 2
    angle = math.degrees(math.atan2(float(end[1] - start[1]), float(end[0] - start[0])))
    outline = cv2.ellipse2Poly(_pixel(middle), (max(1, round(length)), width), round(angle), 0, 360, 5)
    cv2.fillConvexPoly(canvas, outline, shade, cv2.LINE_AA)


def _details(canvas: Pixels, body: Body, width: int) -> None:
    for number, (start, end) in enumerate(_FINGERS):
        if min(body.seen[start], body.seen[end]) >= _SEEN:
            shade = PALETTE[(number * 5) % len(PALETTE)]
            cv2.line(canvas, _pixel(body.points[start]), _pixel(body.points[end]), shade, width, cv2.LINE_AA)
    for landmark in _FACE:
        if body.seen[landmark] >= _SEEN:
            cv2.circle(canvas, _pixel(body.points[landmark]), width, (255, 255, 255), -1, cv2.LINE_AA)


def _pixel(point: Floats) -> tuple[int, int]:
    """Whole pixels, kept where OpenCV can count them."""
    x, y = np.clip(point, -10_000, 10_000)
    return round(float(x)), round(float(y))
