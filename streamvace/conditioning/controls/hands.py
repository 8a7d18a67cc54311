"""MediaPipe's hands (Zhang et al. 2020), located by the body's wrists and knuckles as in its holistic graph."""

from __future__ import annotations

import math

import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels
from streamvace.conditioning.controls.blaze_pose import Body
from streamvace.conditioning.controls.networks import LiteNetwork, Networks
from streamvace.conditioning.controls.squares import Square, alike, cut_out, enclosing, into, moved_up, upwards

FILE = "hand_landmark_lite.tflite"

JOINTS = 21
"""In OpenPose's order: the wrist, then four joints each of thumb, index, middle, ring and little finger."""

ARMS = ((15, 17, 19), (16, 18, 20))
"""The body's wrist, little and index knuckle, of the left and the right hand."""

_REACH, _SPAN, _AROUND_KNUCKLES = 0.795, 0.496, 2.7
"""Weights of the wrist-to-knuckles and the knuckle-to-knuckle distance in the size of the square at the end of an arm,
and its enlargement (MediaPipe's fit on the Panoptic hands, which replaces a detection network)."""

_RAISED = 0.1
"""Shift of squares towards the fingertips, as a fraction of the size they derive from (MediaPipe's graph)."""

_PALM = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Joints that define a hand's square; fingertips would make it jump with every gesture."""

_AROUND_PALM = 2.0
"""The square's size relative to the palm."""

_TURNED = math.radians(40)
"""Largest angle between a hand and its arm at which the hand is tracked by its own joints."""

_SEEN = 0.3
"""Visibility of a wrist below which its hand is not looked for."""

_MAYBE, _FOUND, _STILL_THERE = 0.1, 0.5, 0.25
"""Confidence needed for a second look, for drawing a new hand, and for keeping a tracked one, so that it does not
flicker while it turns."""


class Hands:
    """The hand network. Raises UserError if its file or LiteRT is missing."""

    def __init__(self, networks: Networks) -> None:
        self._network = LiteNetwork(networks.find(FILE, "drawing hands"))

    def find(self, picture: Pixels, body: Body, arm: tuple[int, int, int], before: Floats | None) -> Floats | None:
        """The joints of the hand of an arm (a row of ARMS), float32 `[21, 2]` in pixels, or None if it is not visible.

        picture: uint8 `[H, W, 3]`. before: this hand's joints in the previous picture.
        """
        if body.seen[arm[0]] < _SEEN:
            return None
        square = _from_arm(body.points[list(arm)])
        if before is not None and alike(followed := _from_joints(before), square, middle=0.3, side=0.5, angle=_TURNED):
            # While the hand is near the end of the arm, its own joints locate it better and more steadily.
            joints, there = self._look(picture, followed)
            if there >= _STILL_THERE:
                return joints
        joints, there = self._look(picture, square)
        if _MAYBE <= there < _FOUND:
            joints, there = self._look(picture, _from_joints(joints))
        return joints if there >= _FOUND else None

    def _look(self, picture: Pixels, square: Square) -> tuple[Floats, float]:
        """The joints of a hand in the square, and the confidence that there is one."""
        crop, to_picture = cut_out(picture, square, self._network.width)
        places, there, *_ = self._network(crop)
        return into(to_picture, places.reshape(JOINTS, 3)[:, :2]), float(there.ravel()[0])


def _from_arm(points: Floats) -> Square:
    """The square at the end of an arm. points: wrist, little and index knuckle, `[3, 2]`."""
    wrist, little, index = points
    knuckles = (2 * index + little) / 3
    reach, span = float(np.linalg.norm(knuckles - wrist)), float(np.linalg.norm(index - little))
    side = max(1.0, _AROUND_KNUCKLES * (_REACH * reach + _SPAN * span))
    square = Square(float(knuckles[0]), float(knuckles[1]), side, upwards(knuckles - wrist))
    return moved_up(square, 2 * _RAISED * reach)


def _from_joints(hand: Floats) -> Square:
    """The square around a hand `[21, 2]`, upright from the wrist to the joints of the three middle fingers."""
    fingers = ((hand[6] + hand[14]) / 2 + hand[10]) / 2
    return enclosing(hand[list(_PALM)], upwards(fingers - hand[0]), _AROUND_PALM, _RAISED)
