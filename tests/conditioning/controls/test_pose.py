"""The pose control without its networks: following people, drawing them, doing without what is missing."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import osc_schema
from streamvace.conditioning.controls import CONTROLS, blaze_pose
from streamvace.conditioning.controls import pose as pose_module
from streamvace.conditioning.controls.base import ControlSettings, Floats
from streamvace.conditioning.controls.blaze_pose import BlazePose, Body, anchors
from streamvace.conditioning.controls.faces import Faces
from streamvace.conditioning.controls.figure import (
    BONE_COLOURS,
    BONES,
    FACE_POINT,
    HAND_JOINT,
    LIMBS,
    PALETTE,
    Figure,
    draw,
    joints,
)
from streamvace.conditioning.controls.hands import Hands
from streamvace.conditioning.controls.networks import Networks
from streamvace.conditioning.controls.pose import DETAILS, Pose
from streamvace.conditioning.controls.squares import Square, alike, around, distinct, enclosing, square_transform
from streamvace.system.errors import UserError


def standing(x: float = 160.0, y: float = 60.0) -> Body:
    """Somebody upright, arms spread, 100 pixels tall."""
    points = np.zeros((33, 2), np.float32)
    points[:11] = x, y
    places = {11: (20, 20), 12: (-20, 20), 13: (40, 20), 14: (-40, 20), 15: (60, 20), 16: (-60, 20)}
    places |= {23: (12, 60), 24: (-12, 60), 25: (12, 80), 26: (-12, 80), 27: (12, 100), 28: (-12, 100)}
    for landmark, (dx, dy) in places.items():
        points[landmark] = x + dx, y + dy
    for hand, wrist in ((17, 15), (18, 16), (19, 15), (20, 16), (21, 15), (22, 16)):
        points[hand] = points[wrist]
    return Body(points, np.ones(33, np.float32), Square(x, y + 60, 150, 0.0))


class FakeLite:
    """The two networks for one person whose middle is `at`, in a 320x184 picture."""

    at = (160.0, 92.0)
    shift = 0.0
    there = True
    passes: list[str]

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.width = self.height = 224 if self.name == blaze_pose.FINDER_FILE else 256

    def __call__(self, picture: Floats) -> list[Floats]:
        type(self).passes.append(self.name)
        assert picture.shape == (self.height, self.width, 3)
        if self.name == blaze_pose.FINDER_FILE:
            assert picture.min() >= -1
            return self._found()
        assert picture.min() >= 0
        table = np.zeros((39, 5), np.float32)
        table[:, :2] = 128.0
        table[:, 3:] = 9.0
        table[33:35, 0] += self.shift
        table[34, 1] = 128.0 - 102.4  # the rim: the next square is as large as this one
        sure = np.array([[0.99 if self.there else 0.01]], np.float32)
        return [table.reshape(1, 195), sure, np.zeros((1, 64, 64, 39), np.float32), np.zeros((1, 117), np.float32)]

    def _found(self) -> list[Floats]:
        rows, scores = np.zeros((1, 2254, 12), np.float32), np.full((1, 2254, 1), -9.0, np.float32)
        scale = 224 / 320
        middle = np.array([self.at[0] * scale, self.at[1] * scale + (224 - 184 * scale) / 2])
        nearest = int(np.linalg.norm(anchors(224) * 224 - middle, axis=1).argmin())
        offset = middle - anchors(224)[nearest] * 224
        rows[0, nearest, 4:6] = offset
        rows[0, nearest, 6:8] = offset + np.array([0, -40 * scale])
        scores[0, nearest] = 5.0 if self.there else -9.0
        return [rows, scores]


def nothing(networks: Networks) -> None:
    raise UserError("no details here")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeLite]:
    kind = type("Fake", (FakeLite,), {"passes": []})
    monkeypatch.setattr(blaze_pose, "LiteNetwork", kind)
    monkeypatch.setattr(pose_module, "Faces", nothing)
    monkeypatch.setattr(pose_module, "Hands", nothing)
    monkeypatch.setattr(Networks, "find", lambda self, name, what: Path(name))
    return kind


def test_the_finder_has_as_many_anchors_as_its_network_answers() -> None:
    found = anchors(224)
    assert found.shape == (2254, 2)
    assert found.min() > 0
    assert found.max() < 1


def test_a_square_is_cut_out_and_its_points_come_back() -> None:
    square = Square(100.0, 50.0, 80.0, 0.7)
    transform = square_transform(square, 256)
    middle = transform @ np.array([128.0, 128.0, 1.0])
    assert middle == pytest.approx([100.0, 50.0], abs=1e-3)
    top = transform @ np.array([128.0, 0.0, 1.0])
    assert math.dist(top, middle) == pytest.approx(40.0, abs=1e-3)
    again = around(np.asarray(middle, np.float32), np.asarray(middle + (top - middle) / 1.25, np.float32), 1.25)
    assert again.angle == pytest.approx(0.7, abs=1e-4)
    assert again.side == pytest.approx(80.0, abs=1e-2)


def test_a_square_encloses_its_points_turned_with_them() -> None:
    upright = np.array([[0, 0], [40, 0], [40, 60], [0, 60]], np.float32)
    square = enclosing(upright, 0.0, 1.5, raised=0.1)
    assert (square.x, square.y, square.side) == pytest.approx((20, 30 - 6, 90))
    turn = np.array([[math.cos(0.5), -math.sin(0.5)], [math.sin(0.5), math.cos(0.5)]], np.float32)
    turned = enclosing(upright @ turn.T, 0.5, 1.5, raised=0.1)
    assert turned.side == pytest.approx(90, abs=1e-3)
    assert (turned.x, turned.y) == pytest.approx(tuple(turn @ (square.x, square.y)), abs=1e-3)


def test_squares_are_alike_when_they_lie_and_are_turned_alike() -> None:
    here = Square(100, 100, 50, 3.1)

    def like(other: Square) -> bool:
        return alike(other, here, middle=0.2, side=0.4, angle=0.3)

    assert like(Square(108, 100, 60, -3.1)), "a little past half a turn is a little turn"
    assert not like(Square(112, 100, 50, 3.1))
    assert not like(Square(100, 100, 75, 3.1))
    assert not like(Square(100, 100, 50, 2.7))


def test_one_person_is_one_square() -> None:
    same = [Square(10, 10, 100, 0), Square(20, 12, 90, 0.1), Square(200, 10, 100, 0), Square(0, 0, 0.2, 0)]
    assert distinct(same) == [same[0], same[2]]


def test_somebody_found_is_followed_without_searching_again(fake: type[FakeLite]) -> None:
    network = BlazePose(Networks(Path()))
    picture = np.zeros((184, 320, 3), np.uint8)
    (body,) = network.update(picture, 0.0, 1)
    assert body.points[0] == pytest.approx(fake.at, abs=1.0)
    assert body.seen.min() > 0.99
    for k in range(1, 24):
        assert len(network.update(picture, k / 24, 1)) == 1
    assert fake.passes.count(blaze_pose.FINDER_FILE) == 1
    assert fake.passes.count(blaze_pose.LANDMARK_FILE) == 24


def test_somebody_who_leaves_is_forgotten_and_looked_for_now_and_then(fake: type[FakeLite]) -> None:
    network = BlazePose(Networks(Path()))
    picture = np.zeros((184, 320, 3), np.uint8)
    network.update(picture, 0.0, 1)
    fake.there = False
    fake.passes.clear()
    assert [len(network.update(picture, k / 24, 1)) for k in range(1, 49)] == [0] * 48
    assert fake.passes.count(blaze_pose.LANDMARK_FILE) == 1
    assert 4 <= fake.passes.count(blaze_pose.FINDER_FILE) <= 6, "twice or three times a second, not with every frame"


def test_the_control_draws_who_is_there_and_black_otherwise(fake: type[FakeLite]) -> None:
    pose = Pose(Networks(Path()))
    picture = np.zeros((184, 320, 4), np.uint8)
    assert pose.update(picture, 0.0, ControlSettings()).any()
    fake.there = False
    pose.reset()
    assert not pose.update(picture, 1.0, ControlSettings()).any()


def test_figures_have_openposes_joints_and_colours() -> None:
    body = standing()
    points, seen = joints(body)
    assert points[1] == pytest.approx([160, 80]), "the neck is between the shoulders"
    assert points[4][0] < points[1][0] < points[7][0], "the right hand is on the picture's left"
    assert seen.min() == 1
    canvas = np.zeros((184, 320, 3), np.uint8)
    draw(canvas, Figure(body))
    assert canvas[80, 100].tolist() == list(PALETTE[4]), "right wrist: yellow-green"
    upper_arm = [round(0.6 * part) for part in PALETTE[LIMBS.index((2, 3))]]
    assert np.abs(canvas[80, 130].astype(int) - upper_arm).max() <= 2
    assert PALETTE[:4] == ((255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0))


def test_a_hand_is_openposes_rainbow_and_a_face_is_white_dots() -> None:
    hand = np.stack([np.linspace(40, 280, 21), np.full(21, 120.0)], 1).astype(np.float32)
    hand[0] = 20, 60
    face = np.full((468, 2), -50.0, np.float32)
    face[[162, 152]] = (100, 30), (130, 40)  # of the 68 that are drawn
    face[9] = 200, 30  # of the others
    canvas = np.zeros((184, 320, 3), np.uint8)
    draw(
        canvas,
        Figure(Body(np.zeros((33, 2), np.float32), np.zeros(33, np.float32), Square(0, 0, 1, 0)), face, (hand, None)),
    )
    assert len(BONES) == 20
    assert BONES[0] == (0, 1)
    assert [BONES[finger] for finger in (4, 8, 12, 16)] == [(0, 5), (0, 9), (0, 13), (0, 17)]
    assert canvas[120, round(hand[7, 0])].tolist() == list(HAND_JOINT)
    between = np.round((hand[6] + hand[7]) / 2).astype(int)
    assert np.abs(canvas[between[1], between[0]] - np.array(BONE_COLOURS[6])).max() < 30, "between two blue dots"
    assert canvas[30, 100].tolist() == canvas[40, 130].tolist() == list(FACE_POINT)
    assert not canvas[20:45, 190:210].any()


def test_what_is_hidden_is_not_drawn() -> None:
    body = standing()
    hidden = Body(body.points, np.where(np.arange(33) >= 25, 0.0, 1.0).astype(np.float32), body.square)
    canvas = np.zeros((184, 320, 3), np.uint8)
    draw(canvas, Figure(hidden))
    assert not canvas[130:].any()
    assert canvas[:118].any()


@pytest.mark.parametrize("value", [1e9, -1e9])
def test_a_joint_far_outside_is_no_harm(value: float) -> None:
    body = standing()
    points = body.points.copy()
    points[15] = value
    canvas = np.zeros((48, 64, 3), np.uint8)
    draw(canvas, Figure(Body(points, body.seen, body.square)))
    assert canvas.any(), "the joints inside are drawn all the same"


def test_without_its_files_the_mend_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="models pull vision") as told:
        CONTROLS["pose"](Networks(tmp_path))
    assert "\n" not in str(told.value)


class Everywhere:
    """Finds a hand or a face at every wrist and every nose; keeps what it was told of the picture before."""

    before: list[Floats | None]

    def __init__(self, networks: Networks) -> None:
        type(self).before = []

    def find(self, picture: Floats, body: Body, *rest: object) -> Floats:
        arm, last = rest if len(rest) > 1 else ((0,), rest[0])
        assert last is None or isinstance(last, np.ndarray)
        self.before.append(last)
        count = 21 if len(rest) > 1 else 468
        around = np.linspace(-6, 6, count, dtype=np.float32)
        return np.asarray(body.points[arm[0]] + np.stack([around, -around], 1), dtype=np.float32)  # type: ignore[index]


@pytest.mark.parametrize(
    ("details", "faces", "hands"), [("none", 0, 0), ("face", 3, 0), ("hands", 0, 6), ("all", 3, 6)]
)
def test_only_the_details_that_are_asked_for_are_looked_for(
    fake: type[FakeLite], monkeypatch: pytest.MonkeyPatch, details: str, faces: int, hands: int
) -> None:
    face, hand = type("Face", (Everywhere,), {}), type("Hand", (Everywhere,), {})
    monkeypatch.setattr(pose_module, "Faces", face)
    monkeypatch.setattr(pose_module, "Hands", hand)
    pose = Pose(Networks(Path()))
    assert pose.backend == "MediaPipe BlazePose, face, hands"
    for k in range(3):
        drawn = pose.update(
            np.zeros((184, 320, 3), np.uint8), k / 24, ControlSettings(pose_people=1, pose_details=details)
        )
    assert (len(face.before), len(hand.before)) == (faces, hands)
    assert ((drawn == 255).all(-1).any()) == (faces > 0)
    for each, count in ((face, 1), (hand, 2)):
        assert all(last is None for last in each.before[:count]), "nobody was there before the first picture"
        assert all(last is not None for last in each.before[count:])
    pose.reset()
    pose.update(np.zeros((184, 320, 3), np.uint8), 1.0, ControlSettings(pose_people=1, pose_details="all"))
    assert face.before[-1] is None
    assert hand.before[-1] is None


def test_without_the_files_of_hands_and_faces_bodies_are_drawn_and_each_is_said_once(
    tmp_path: Path, fake: type[FakeLite], monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(self: Networks, name: str, what: str) -> Path:
        if name.startswith("pose"):
            return Path(name)
        raise UserError(f"{what} needs {name}, which is not in {tmp_path}; `streamvace models pull vision`")

    monkeypatch.setattr(Networks, "find", find)
    monkeypatch.setattr(pose_module, "Faces", Faces)
    monkeypatch.setattr(pose_module, "Hands", Hands)
    said: list[str] = []
    pose = Pose(Networks(tmp_path, say=said.append))
    assert pose.backend == "MediaPipe BlazePose"
    picture = np.zeros((184, 320, 3), np.uint8)
    pose.update(picture, 0.0, ControlSettings(pose_details="none"))
    assert said == [], "what nobody asked for is not missed"
    for k in range(1, 4):
        assert pose.update(picture, k / 24, ControlSettings(pose_details="face")).any()
    assert len(said) == 1
    assert "drawing faces" in said[0]
    pose.update(picture, 1.0, ControlSettings(pose_details="all"))
    assert len(said) == 2
    assert "drawing hands" in said[1]


def test_the_choices_of_the_schema_are_what_the_control_knows() -> None:
    (row,) = [row for row in osc_schema.load() if row.address == "/streamvace/pose/details"]
    assert tuple(row.choices) == tuple(DETAILS)
    assert row.default == ControlSettings().pose_details


def test_a_joint_on_the_edge_of_being_seen_does_not_flicker(
    fake: type[FakeLite], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody whose arm is now surely, now hardly seen, picture by picture."""
    pose = Pose(Networks(Path()))
    body, seen = standing(), np.ones(33, np.float32)
    seen[16] = 0.2
    flickering = [body, Body(body.points, seen, body.square)]
    monkeypatch.setattr(
        pose, "_network", SimpleNamespace(update=lambda picture, seconds, people: [flickering[round(seconds * 24) % 2]])
    )
    drawn = [
        pose.update(np.zeros((184, 320, 3), np.uint8), k / 24, ControlSettings(pose_details="none")) for k in range(24)
    ]
    assert len({bool(picture[80, 100].any()) for picture in drawn[4:]}) == 1


def test_the_square_around_somebody_who_stands_does_not_move(fake: type[FakeLite]) -> None:
    network = BlazePose(Networks(Path()))
    picture = np.zeros((184, 320, 3), np.uint8)
    network.update(picture, 0.0, 1)
    before = network._squares[0]
    fake.shift = 1.0
    network.update(picture, 0.1, 1)
    assert network._squares[0] == before, "by a trembling"
    fake.shift = 30.0
    network.update(picture, 0.2, 1)
    assert network._squares[0].x > before.x + 10, "by a step to the side"
