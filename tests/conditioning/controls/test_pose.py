"""The pose control without its networks: finding squares, following people, drawing them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from streamvace.conditioning.controls import CONTROLS, blaze_pose
from streamvace.conditioning.controls.base import ControlSettings, Floats
from streamvace.conditioning.controls.blaze_pose import (
    BlazePose,
    Body,
    Square,
    anchors,
    around,
    distinct,
    square_transform,
)
from streamvace.conditioning.controls.pose import LIMBS, PALETTE, Pose, draw, joints
from streamvace.conditioning.networks import Networks
from streamvace.errors import UserError


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


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeLite]:
    kind = type("Fake", (FakeLite,), {"passes": []})
    monkeypatch.setattr(blaze_pose, "LiteNetwork", kind)
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
    again = around(np.asarray(middle, np.float32), np.asarray(middle + (top - middle) / 1.25, np.float32))
    assert again.angle == pytest.approx(0.7, abs=1e-4)
    assert again.side == pytest.approx(80.0, abs=1e-2)


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
    draw(canvas, body, details=False)
    assert canvas[80, 100].tolist() == list(PALETTE[4]), "right wrist: yellow-green"
    upper_arm = [round(0.6 * part) for part in PALETTE[LIMBS.index((2, 3))]]
    assert np.abs(canvas[80, 130].astype(int) - upper_arm).max() <= 2
    assert PALETTE[:4] == ((255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0))


def test_what_is_hidden_is_not_drawn() -> None:
    body = standing()
    hidden = Body(body.points, np.where(np.arange(33) >= 25, 0.0, 1.0).astype(np.float32), body.square)
    canvas = np.zeros((184, 320, 3), np.uint8)
    draw(canvas, hidden, details=True)
    assert not canvas[130:].any()
    assert canvas[:118].any()


@pytest.mark.parametrize("value", [1e9, -1e9])
def test_a_joint_far_outside_is_no_harm(value: float) -> None:
    body = standing()
    points = body.points.copy()
    points[15] = value
    canvas = np.zeros((48, 64, 3), np.uint8)
    draw(canvas, Body(points, body.seen, body.square), details=True)
    assert canvas.any(), "the joints inside are drawn all the same"


def test_without_its_files_the_mend_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="models pull vision") as told:
        CONTROLS["pose"](Networks(tmp_path))
    assert "\n" not in str(told.value)
