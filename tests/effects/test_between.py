"""Pictures between two generated ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.effects.between import Between
from tests.effects.pictures import flat, noise

PLENTY_S = 1e9
SIZE = 128


def scene(at: float) -> NDArray[np.uint8]:
    """A bright, textured square with its left edge at `at`, on a dark ground; its alpha is its shape."""
    ground = np.full((SIZE, SIZE, 4), (30, 30, 40, 0), np.uint8)
    texture = cv2.GaussianBlur(np.random.default_rng(0).integers(120, 256, (32, 32), np.uint8), (0, 0), 2)
    square = np.dstack([texture, texture, texture, np.full((32, 32), 255, np.uint8)])
    shift = np.array([[1, 0, at], [0, 1, 48]], np.float32)
    return np.asarray(
        cv2.warpAffine(square, shift, (SIZE, SIZE), dst=ground, borderMode=cv2.BORDER_TRANSPARENT), np.uint8
    )


def middle(picture: NDArray[np.uint8]) -> float:
    """The column around which the bright pixels lie."""
    bright = picture[..., 0] > 80
    return float(np.nonzero(bright)[1].mean())


def test_at_the_earlier_picture_and_with_hold_it_is_the_picture_itself() -> None:
    between, earlier, later = Between(), scene(20), scene(30)
    assert between(earlier, later, 0.0, "flow", PLENTY_S) is earlier
    assert between(earlier, later, 0.7, "hold", PLENTY_S) is earlier


def test_blend_is_a_mix_of_the_two() -> None:
    assert (Between()(flat(100, alpha=0), flat(200, alpha=200), 0.25, "blend", PLENTY_S) == flat(125, alpha=50)).all()


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_flow_moves_what_moves_and_keeps_its_edges(share: float) -> None:
    earlier, later = scene(30), scene(42)
    between = Between()(earlier, later, share, "flow", PLENTY_S)
    true = scene(30 + 12 * share)
    assert middle(between) == pytest.approx(middle(true), abs=1.0)
    mixed = Between()(earlier, later, share, "blend", PLENTY_S)
    errors = [np.abs(each.astype(float) - true).mean() for each in (between, mixed)]
    assert errors[0] < errors[1] / 2
    assert np.abs(between[..., 3].astype(float) - true[..., 3]).mean() < 8, "its alpha moves with it"


def test_at_the_end_it_is_the_later_picture() -> None:
    later = scene(42)
    assert np.abs(Between()(scene(30), later, 1.0, "flow", PLENTY_S).astype(int) - later).max() <= 1


def test_every_pair_is_searched_on_its_own() -> None:
    between = Between()
    first = between(scene(30), scene(42), 0.5, "flow", PLENTY_S)
    second = between(scene(42), scene(30), 0.25, "flow", PLENTY_S)
    assert middle(first) == pytest.approx(middle(scene(36)), abs=1.0)
    assert middle(second) == pytest.approx(middle(scene(39)), abs=1.0)


def test_another_picture_after_the_same_one_is_another_pair() -> None:
    between, earlier = Between(), scene(40)
    between(earlier, scene(52), 0.5, "flow", PLENTY_S)
    assert middle(between(earlier, scene(28), 0.5, "flow", PLENTY_S)) == pytest.approx(middle(scene(34)), abs=1.0)


def test_a_picture_that_is_too_small_for_the_search_is_blended() -> None:
    earlier, later = noise(62, 200, seed=1), noise(62, 200, seed=2)
    mixed = Between()(earlier, later, 0.5, "blend", PLENTY_S)
    assert (Between()(earlier, later, 0.5, "flow", PLENTY_S) == mixed).all()


def test_an_odd_size_is_no_fault() -> None:
    earlier, later = scene(30)[:-1, :-1].copy(), scene(42)[:-1, :-1].copy()
    assert middle(Between()(earlier, later, 0.5, "flow", PLENTY_S)) == pytest.approx(middle(scene(36)), abs=1.0)


class Clock:
    """Every piece of work takes `takes` seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.takes = 0.0
        self._begins = False

    def __call__(self) -> float:
        self._begins = not self._begins
        self.now += 0.0 if self._begins else self.takes
        return self.now


def test_what_would_come_too_late_is_held_and_counted_and_tried_again_later() -> None:
    clock = Clock()
    between, pairs = Between(clock), [(scene(30 + step), scene(31 + step)) for step in range(30)]
    clock.takes = 0.010
    earlier, later = pairs[0]
    assert between(earlier, later, 0.5, "flow", 0.015) is not earlier, "the first costs are not known before"
    earlier, later = pairs[1]
    assert between(earlier, later, 0.5, "flow", 0.015) is earlier
    assert between.held == 1
    clock.takes = 0.001
    shown = [between(*pair, 0.5, "flow", 0.015) is not pair[0] for pair in pairs[2:]]
    assert shown.index(True) < 10
    assert all(shown[shown.index(True) + 12 :])
    assert between.held == 1 + shown.count(False)
