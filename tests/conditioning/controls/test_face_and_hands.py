"""Hands and faces: where they are looked for, and with the real networks on a photograph and on a painted hand.

The real ones are tested where `streamvace models pull vision` has fetched them.
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamvace.conditioning.controls import faces as faces_module
from streamvace.conditioning.controls import hands as hands_module
from streamvace.conditioning.controls.base import ControlSettings, Floats, Pixels
from streamvace.conditioning.controls.blaze_pose import FINDER_FILE, BlazePose, Body
from streamvace.conditioning.controls.blaze_pose import LANDMARK_FILE as BODY_FILE
from streamvace.conditioning.controls.faces import FILE as FACE_FILE
from streamvace.conditioning.controls.faces import OUTLINE, Faces, outline
from streamvace.conditioning.controls.hands import ARMS, Hands
from streamvace.conditioning.controls.hands import FILE as HAND_FILE
from streamvace.conditioning.controls.networks import Networks
from streamvace.conditioning.controls.pose import Pose
from streamvace.conditioning.controls.squares import Square
from streamvace.models.manifest import models_folder
from tests.conditioning.footage import flicker, noisy

LEFT, RIGHT = ARMS
FILES = (FINDER_FILE, BODY_FILE, HAND_FILE, FACE_FILE)
REAL = Networks(models_folder())
with_the_real_ones = pytest.mark.skipif(
    not all(REAL.place(name).exists() for name in FILES),
    reason=f"not all of {', '.join(FILES)} are in {REAL.place('')}: streamvace models pull vision",
)

HAND = np.array([
    (50, 92), (36, 82), (26, 70), (19, 61), (13, 53), (38, 52), (35, 38), (33.5, 29), (32, 21), (49, 50), (49, 34),
    (49, 24), (49, 15), (59, 52), (62, 38), (63.5, 29), (65, 21), (68, 57), (74, 46), (77.5, 39), (81, 32),
], np.float32)  # fmt: skip
"""The joints of the painted hand, in hundredths of its picture."""

SKIN = (214, 160, 130)
SIDE = 400


def painted_hand(turn: float = 0.0) -> tuple[Pixels, Floats]:
    """An open hand on grey, uint8 `[400, 400, 3]`, and where its joints are `[21, 2]`; turned around the middle."""
    joints = (HAND - 50) * 0.8 + 50
    turned = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]], np.float32)

    def placed(points: Floats) -> Floats:
        return np.asarray(((points - 50) @ turned.T + 50) * SIDE / 100, dtype=np.float32)

    picture = np.full((SIDE, SIDE, 3), (60, 80, 70), np.uint8)
    palm = np.array([(40, 120), (30, 78), (32, 52), (72, 57), (68, 80), (62, 120)], np.float32)
    cv2.fillPoly(picture, [placed((palm - 50) * 0.8 + 50).astype(np.int32)], SKIN)
    for finger in range(5):
        places = placed(joints[1 + 4 * finger : 5 + 4 * finger]).astype(int)
        for shade, wider in ((tuple(int(0.8 * part) for part in SKIN), 4), (SKIN, 0)):
            for (start, end), width in zip(pairwise(places), (27, 24, 21), strict=True):
                cv2.line(picture, start.tolist(), end.tolist(), shade, width + wider, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(picture, (5, 5), 0), dtype=np.uint8), placed(joints)


def with_hand(joints: Floats, arm: tuple[int, int, int]) -> Body:
    """Somebody of whom only that wrist and its knuckles are seen."""
    points, seen = np.zeros((33, 2), np.float32), np.zeros(33, np.float32)
    points[list(arm)] = joints[[0, 17, 5]]
    seen[list(arm)] = 1.0
    return Body(points, seen, Square(200, 200, 400, 0.0))


def mirrored(picture: Pixels) -> Pixels:
    return np.ascontiguousarray(picture[:, ::-1])


class FakeLite:
    """Answers what the test says; keeps the pictures it was shown."""

    answers: dict[str, list[list[Floats]]]
    shown: list[tuple[str, Floats]]

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.width = self.height = {HAND_FILE: 224, FACE_FILE: 192}[path.name]

    def __call__(self, picture: Floats) -> list[Floats]:
        assert picture.shape == (self.height, self.width, 3)
        assert 0 <= picture.min() <= picture.max() <= 1
        self.shown.append((self.name, picture))
        queue = self.answers[self.name]
        return queue.pop(0) if len(queue) > 1 else queue[0]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeLite]:
    kind = type("Fake", (FakeLite,), {"answers": {}, "shown": []})
    monkeypatch.setattr(hands_module, "LiteNetwork", kind)
    monkeypatch.setattr(faces_module, "LiteNetwork", kind)
    monkeypatch.setattr(Networks, "find", lambda self, name, what: Path(name))
    return kind


def hand_answer(joints: Floats, there: float) -> list[Floats]:
    """joints: `[21, 2]` in pixels of the cut-out."""
    places = np.concatenate([joints, np.zeros((21, 1), np.float32)], 1).astype(np.float32)
    sure, side = np.array([[there]], np.float32), np.array([[0.5]], np.float32)
    return [places.reshape(1, 63), sure, side, np.zeros((1, 63), np.float32)]


def test_a_hand_is_looked_for_at_the_end_of_its_arm(fake: type[FakeLite]) -> None:
    fake.answers = {HAND_FILE: [hand_answer(HAND * 2.24, 0.9)]}
    picture, joints = painted_hand()
    found = Hands(REAL).find(picture, with_hand(joints, LEFT), LEFT, None)
    assert found is not None
    assert np.abs(found.mean(0) - joints.mean(0)).max() < 40
    assert 0.7 < np.ptp(found[:, 1]) / np.ptp(joints[:, 1]) < 1.4
    assert len(fake.shown) == 1


def test_a_hand_that_is_hardly_seen_is_looked_at_once_more(fake: type[FakeLite]) -> None:
    picture, joints = painted_hand()
    for first, second, looks in ((0.3, 0.9, 2), (0.3, 0.4, 2), (0.05, 0.9, 1)):
        fake.shown.clear()
        fake.answers = {HAND_FILE: [hand_answer(HAND * 2.24, there) for there in (first, second)]}
        found = Hands(REAL).find(picture, with_hand(joints, LEFT), LEFT, None)
        assert (found is not None) == (looks == 2 and second >= 0.5)
        assert len(fake.shown) == looks


def test_a_hand_that_is_not_seen_costs_nothing_and_one_that_was_there_stays_longer(fake: type[FakeLite]) -> None:
    fake.answers = {HAND_FILE: [hand_answer(HAND * 2.24, 0.3)]}
    picture, joints = painted_hand()
    hands, body = Hands(REAL), with_hand(joints, LEFT)
    assert hands.find(picture, body, RIGHT, None) is None
    assert fake.shown == []
    assert hands.find(picture, body, LEFT, None) is None
    assert hands.find(picture, body, LEFT, joints) is not None
    assert hands.find(picture, body, LEFT, joints + 300) is None, "not one that was elsewhere"


def test_a_face_is_looked_for_twice_at_first_and_then_followed(fake: type[FakeLite]) -> None:
    mesh = np.random.default_rng(0).uniform(48, 144, (468, 3)).astype(np.float32)
    mesh[33, :2], mesh[263, :2] = (60, 96), (132, 96)
    sure = np.array([[[[9.0]]]], np.float32)
    fake.answers = {FACE_FILE: [[mesh.reshape(1, 1, 1, -1), sure]]}
    points, seen = np.zeros((33, 2), np.float32), np.ones(33, np.float32)
    points[[2, 5]], points[[9, 10]] = (200, 180), (200, 220)
    body, faces = Body(points, seen, Square(200, 200, 400, 0.0)), Faces(REAL)
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    first = faces.find(picture, body, None)
    assert first is not None
    assert len(fake.shown) == 2
    assert faces.find(picture, body, first) is not None
    assert len(fake.shown) == 3
    assert faces.find(picture, body, first + 200) is not None
    assert len(fake.shown) == 5, "a face elsewhere is another one"
    fake.answers = {FACE_FILE: [[mesh.reshape(1, 1, 1, -1), -sure]]}
    assert faces.find(picture, body, first) is None
    shown = len(fake.shown)
    assert faces.find(picture, Body(points, 0 * seen, body.square), None) is None, "of somebody's back"
    assert len(fake.shown) == shown


def test_a_face_is_drawn_as_68_different_points_without_pupils() -> None:
    """Two corners of the inner lips stand twice among them, as in every table of the mesh's nearest points."""
    assert len(OUTLINE) == 68
    assert len(set(OUTLINE)) >= 66
    assert max(OUTLINE) < 468


@with_the_real_ones
def test_a_face_on_a_photograph_lies_on_the_face_and_its_features_where_they_belong() -> None:
    from skimage import data

    picture = data.astronaut()
    for flipped in (False, True):
        shown = mirrored(picture) if flipped else picture
        (body,) = BlazePose(REAL).update(shown, 0.0, 1)
        mesh = Faces(REAL).find(shown, body, None)
        assert mesh is not None
        points = outline(mesh)
        seen = np.array([511, 0]) - points * (1, -1) if flipped else points
        assert seen[:, 0].min() > 165
        assert seen[:, 0].max() < 280
        assert seen[:, 1].min() > 75
        assert seen[:, 1].max() < 190
        features = (points[17:27], points[36:48], points[27:36], points[48:68], points[8:9])
        heights = [feature[:, 1].mean() for feature in features]
        assert heights == sorted(heights), "brows, eyes, nose, mouth, chin"
        assert points[0, 0] < points[36, 0] < points[45, 0] < points[16, 0], "counted from the picture's left"
        places = np.stack([points[36:42].mean(0), points[42:48].mean(0), points[48], points[54]])
        truth = np.array(PUPILS_AND_CORNERS_OF_THE_MOUTH)
        if flipped:
            truth = np.array([511, 0]) - truth[[1, 0, 3, 2]] * (1, -1)
        assert np.linalg.norm(places - truth, axis=-1).max() < 3


PUPILS_AND_CORNERS_OF_THE_MOUTH = ((203.5, 101), (246.6, 103.5), (203.8, 140.2), (244, 141.2))
"""Read off the photograph, enlarged eight times; each from the picture's left."""


@with_the_real_ones
@pytest.mark.parametrize("turn", [0.0, 0.7, -1.2, 2.5])
@pytest.mark.parametrize("flipped", [False, True])
def test_a_painted_hand_has_its_joints_where_they_were_painted(turn: float, flipped: bool) -> None:
    picture, joints = painted_hand(turn)
    if flipped:
        picture, joints = mirrored(picture), np.asarray([SIDE - 1, 0] - joints * (1, -1), dtype=np.float32)
    arm = LEFT if flipped else RIGHT
    hands, found = Hands(REAL), None
    for _ in range(3):
        found = hands.find(picture, with_hand(joints, arm), arm, found)
    assert found is not None
    assert np.linalg.norm(found - joints, axis=1).mean() < 0.06 * SIDE
    tips = found[4::4]
    apart = np.linalg.norm(tips[:, None] - tips[None], axis=-1) + 1e3 * np.eye(5)
    assert apart.min() > 0.08 * SIDE, "five fingertips are five places"
    assert np.array_equal(np.linalg.norm(tips[:, None] - joints[None, 4::4], axis=-1).argmin(1), np.arange(5))


@with_the_real_ones
def test_where_there_is_no_hand_none_is_drawn() -> None:
    _, joints = painted_hand()
    rng = np.random.default_rng(0)
    for picture in (np.full((SIDE, SIDE, 3), 90, np.uint8), rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)):
        assert Hands(REAL).find(picture, with_hand(joints, LEFT), LEFT, None) is None


@with_the_real_ones
@pytest.mark.parametrize("details", ["none", "face", "all"])
def test_somebody_who_stands_is_steadier_than_the_camera(details: str) -> None:
    from skimage import data

    rng, still = np.random.default_rng(0), data.astronaut()
    pictures = [noisy(still, rng) for _ in range(20)]
    pose, settings = Pose(REAL), ControlSettings(pose_people=1, pose_details=details)
    drawn = [pose.update(picture, k / 24, settings) for k, picture in enumerate(pictures)]
    assert drawn[-1].any()
    assert flicker(drawn[8:]) < 0.35 * flicker(pictures[8:])
