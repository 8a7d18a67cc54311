"""MediaPipe's hands (Zhang et al. 2020), found from the body's wrists and knuckles as its holistic graph does."""

from __future__ import annotations

import math

import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels
from streamvace.conditioning.controls.blaze_pose import Body
from streamvace.conditioning.controls.networks import LiteNetwork, Networks
from streamvace.conditioning.controls.squares import Square, alike, cut_out, enclosing, into, moved_up, upwards

FILE = "hand_landmark_lite.tflite"

JOINTS = 21
"""OpenPose's order: the wrist, then four joints each of thumb, index, middle, ring and little finger."""

ARMS = ((15, 17, 19), (16, 18, 20))
"""The body's wrist, little and index knuckle: of the left hand, and of the right."""

_REACH, _SPAN, _AROUND_KNUCKLES = 0.795, 0.496, 2.7
"""The square at the end of an arm: so much of the way from wrist to knuckles and of that between the knuckles, enlarged
(MediaPipe's fit on the Panoptic hands, which it put in the place of a network that looks for the hand)."""

_RAISED = 0.1
"""Squares are moved towards the fingertips by this part of what they are made from (MediaPipe's graph)."""

_PALM = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Joints that a hand's square is made of: fingertips would make it jump with every gesture."""

_AROUND_PALM = 2.0

_TURNED = math.radians(40)
"""A hand is followed unless the arm turned by more."""

_SEEN = 0.3
"""How surely a wrist is visible for its hand to be looked for."""

_MAYBE, _FOUND, _STILL_THERE = 0.1, 0.5, 0.25
"""How surely a hand is there to be looked at once more, to be drawn, and to be drawn on: it must not flicker while it
turns."""


class Hands:
    """Raises UserError without its file or without LiteRT."""

    def __init__(self, networks: Networks) -> None:
        self._network = LiteNetwork(networks.find(FILE, "drawing hands"))

    def find(self, picture: Pixels, body: Body, arm: tuple[int, int, int], before: Floats | None) -> Floats | None:
        """The hand at the end of an arm (a row of ARMS), float32 `[21, 2]` in pixels; None when it isn't seen.

        picture: uint8 `[H, W, 3]`. before: where this hand was in the picture before.
        """
        if body.seen[arm[0]] < _SEEN:
            return None
        square = _from_arm(body.points[list(arm)])
        if before is not None and alike(followed := _from_joints(before), square, middle=0.3, side=0.5, angle=_TURNED):
            # While the hand is about where the arm ends, its own joints are the better guide, and the steadier one.
            joints, there = self._look(picture, followed)
            if there >= _STILL_THERE:
                return joints
        joints, there = self._look(picture, square)
        if _MAYBE <= there < _FOUND:
            joints, there = self._look(picture, _from_joints(joints))
        return joints if there >= _FOUND else None

    def _look(self, picture: Pixels, square: Square) -> tuple[Floats, float]:
        """Where a hand would be in the square, and how surely there is one."""
        crop, to_picture = cut_out(picture, square, self._network.width)
        places, there, *_ = self._network(crop)
        return into(to_picture, places.reshape(JOINTS, 3)[:, :2]), float(there.ravel()[0])


def _from_arm(points: Floats) -> Square:
    """points: wrist, little and index knuckle."""
    wrist, little, index = points
    knuckles = (2 * index + little) / 3
    reach, span = float(np.linalg.norm(knuckles - wrist)), float(np.linalg.norm(index - little))
    side = max(1.0, _AROUND_KNUCKLES * (_REACH * reach + _SPAN * span))
    square = Square(float(knuckles[0]), float(knuckles[1]), side, upwards(knuckles - wrist))
    return moved_up(square, 2 * _RAISED * reach)


def _from_joints(hand: Floats) -> Square:
    """hand: `[21, 2]`. Upright along the way from the wrist to the middle joints of the three fingers in between."""
    fingers = ((hand[6] + hand[14]) / 2 + hand[10]) / 2
    return enclosing(hand[list(_PALM)], upwards(fingers - hand[0]), _AROUND_PALM, _RAISED)
