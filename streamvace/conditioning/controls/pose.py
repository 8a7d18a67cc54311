"""Pose as a control: who is there, followed from frame to frame, drawn as stick figures on black."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from streamvace.conditioning.controls.base import ControlSettings, Floats, Pixels, colours, share
from streamvace.conditioning.controls.blaze_pose import BlazePose, Body
from streamvace.conditioning.controls.faces import Faces
from streamvace.conditioning.controls.figure import Figure, draw
from streamvace.conditioning.controls.hands import ARMS, Hands
from streamvace.conditioning.controls.networks import Networks
from streamvace.system.errors import UserError

FACE, HANDS = "face", "hands"

DETAILS: Mapping[str, frozenset[str]] = {
    "none": frozenset(),
    "face": frozenset({FACE}),
    "hands": frozenset({HANDS}),
    "all": frozenset({FACE, HANDS}),
}
"""What `pose_details` may be: what is drawn of a figure besides its body."""

_SETTLE_S = 0.06
"""Joints settle within about two frames when they stand, and follow at once when they move."""

_SEEN_SETTLE_S = 0.2
"""And how surely each is seen: a joint on the edge of being seen must not flicker."""

_FAST, _FAST_DETAIL = 0.04, 0.1
"""A joint that moved this far in a frame is not smoothed at all: of the picture's height; of a hand's or a face's own
size."""

Part = TypeVar("Part", Faces, Hands)


class Pose:
    """Stick figures of up to `pose_people` people. Raises UserError without the body's networks; without those of hands
    or faces, which is said once when they are asked for, only bodies are drawn."""

    def __init__(self, networks: Networks) -> None:
        self._network = BlazePose(networks)
        self._say = networks.say
        self._lacking: dict[str, str] = {}
        self._faces = self._made(FACE, Faces, networks)
        self._hands = self._made(HANDS, Hands, networks)
        self.backend = ", ".join(
            ["MediaPipe BlazePose", *(name for name in (FACE, HANDS) if name not in self._lacking)]
        )
        self._last: list[Figure] = []
        self._seconds = 0.0

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control."""
        picture = colours(frame)
        parts = share(seconds - self._seconds, _SETTLE_S), share(seconds - self._seconds, _SEEN_SETTLE_S)
        wanted = DETAILS[settings.pose_details]
        for name in wanted & self._lacking.keys():
            if line := self._lacking[name]:
                self._say(line)
                self._lacking[name] = ""
        found = self._network.update(picture, seconds, settings.pose_people)
        self._last = [self._figure(picture, body, parts, wanted) for body in found]
        self._seconds = seconds
        canvas = np.zeros((*frame.shape[:2], 3), np.uint8)
        for figure in self._last:
            draw(canvas, figure)
        return canvas

    def reset(self) -> None:
        """See Control."""
        self._network.reset()
        self._last = []

    def _made(self, name: str, make: Callable[[Networks], Part], networks: Networks) -> Part | None:
        try:
            return make(networks)
        except UserError as error:
            self._lacking[name] = str(error)
            return None

    def _figure(self, picture: Pixels, body: Body, parts: tuple[float, float], wanted: frozenset[str]) -> Figure:
        """A body with its details, each joint on its way from where the same person's was a frame ago."""
        part, seen_part = parts
        before = _same_person(body, self._last)
        face, hands = None, tuple[Floats | None, ...]((None,) * len(ARMS))
        if self._faces is not None and FACE in wanted:
            face = _detail(self._faces.find(picture, body, before.face), before.face, part)
        if self._hands is not None and HANDS in wanted:
            hands = tuple(
                _detail(self._hands.find(picture, body, arm, last), last, part)
                for arm, last in zip(ARMS, before.hands, strict=True)
            )
        points = _steadied(body.points, before.body.points, part, _FAST * picture.shape[0])
        seen = before.body.seen + np.float32(seen_part) * (body.seen - before.body.seen)
        return Figure(Body(points, seen, body.square), face, hands)


def _same_person(body: Body, figures: list[Figure]) -> Figure:
    """Who stood there a frame ago; the body itself when nobody did."""
    for figure in figures:
        square = figure.body.square
        if math.dist((square.x, square.y), (body.square.x, body.square.y)) < 0.3 * square.side:
            return figure
    return Figure(body)


def _detail(found: Floats | None, before: Floats | None, part: float) -> Floats | None:
    if found is None or before is None:
        return found
    return _steadied(found, before, part, _FAST_DETAIL * float(np.ptp(found, axis=0).max()))


def _steadied(points: Floats, before: Floats, part: float, fast: float) -> Floats:
    """Points `[N, 2]` on their way from where they were: all of it for those that moved by `fast` pixels."""
    moved = points - before
    pace = np.linalg.norm(moved, axis=1, keepdims=True) / max(fast, 1e-6)
    return np.asarray(before + np.clip(np.maximum(pace, part), 0, 1) * moved, dtype=np.float32)
