"""What the drift watch promises: a slow change of look is noticed once, a new scene and a flash are none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.records.chunk import Pixels
from streamvace.telemetry.drift_watch import (
    ATTEMPTS,
    BASELINE,
    NONE,
    PATIENCE,
    RECENT,
    REST,
    SETTLING,
    Departure,
    DriftWatch,
    Look,
)

SEEN = SETTLING + BASELINE


def picture(brightness: float = 0.0, contrast: float = 1.0, blur: int = 0, seed: int = 1) -> Pixels:
    """A textured picture; `seed` is what is on it."""
    import cv2

    grain = np.random.default_rng(seed).normal(0, 30, (64, 64, 3)).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), 1 + blur) if blur else grain
    return np.clip(110 + brightness + contrast * grain, 0, 255).astype(np.uint8)


def watched(chunks: int = SEEN) -> DriftWatch:
    watch = DriftWatch()
    for number in range(chunks):
        watch.see(picture(seed=number), "scene", None)
    return watch


DRIFTS = {
    "brighter": {"brightness": 50.0},
    "darker": {"brightness": -50.0},
    "harder": {"contrast": 2.2},
    "flatter": {"contrast": 0.4},
    "blurred": {"blur": 3, "contrast": 5.0},
}


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS)
def test_every_kind_of_drift_is_noticed_and_said_with_both_values(drift: dict[str, float]) -> None:
    watch = watched()
    for _ in range(PATIENCE):
        assert not watch.drifted
        watch.see(picture(**drift), "scene", None)  # type: ignore[arg-type]
    assert watch.drifted
    assert watch.departure.share > 1
    assert ", was " in watch.departure.what


def test_other_pictures_of_the_same_look_are_no_drift() -> None:
    watch = watched()
    for number in range(100):
        watch.see(picture(seed=1000 + number), "scene", None)
        assert not watch.drifted
        assert watch.departure.share < 0.5


def test_one_flash_is_no_drift() -> None:
    watch = watched()
    for number in range(20):
        watch.see(picture(brightness=100.0 * (number % 3 == 0)), "scene", None)
        assert not watch.drifted


def test_a_new_scene_or_another_input_begins_anew() -> None:
    for scene, shown in (("another", None), ("scene", picture())):
        watch = watched()
        for _ in range(SEEN):
            watch.see(picture(brightness=80), scene, shown)
            assert not watch.drifted
    watch = DriftWatch()
    for number in range(SEEN + 5):
        watch.see(picture(brightness=0 if number < SEEN else 80), "scene", picture(0 if number < SEEN else 90))
        assert not watch.drifted, "the input became brighter, and so did the picture"


def test_a_scene_has_its_first_chunks_to_settle_and_they_are_no_part_of_its_look() -> None:
    watch = DriftWatch()
    for number in range(SEEN - 1):
        watch.see(picture(brightness=90.0 if number < SETTLING else 0.0), "scene", None)
        assert watch.departure == NONE
    watch.see(picture(), "scene", None)
    assert watch.departure.share == 0, "the scene looks as it does since it settled"


def test_of_two_pictures_that_are_as_good_the_newer_is_the_best() -> None:
    watch = DriftWatch()
    for seed in (1, 2):
        watch.see(picture(seed=seed), "scene", None)
    assert np.array_equal(watch.best, picture(seed=2))  # type: ignore[arg-type]


def test_the_best_picture_is_the_recent_one_nearest_to_the_scenes_look() -> None:
    watch = watched()
    for number in range(10):
        watch.see(picture(brightness=8.0 * number, seed=7), "scene", None)
    best = watch.best
    assert best is not None
    assert abs(best.mean() - picture().mean()) < 4


def test_the_best_picture_is_never_older_than_half_a_minute_of_chunks() -> None:
    watch = watched()
    for _ in range(RECENT):
        watch.see(picture(brightness=28.0, seed=7), "scene", None)
    best = watch.best
    assert best is not None
    assert best.mean() - picture().mean() > 20


def test_after_a_re_anchoring_there_is_a_rest_and_drift_that_comes_back_too_often_is_accepted() -> None:
    watch = watched()
    drifted = 0
    for _ in range(200):
        watch.see(picture(brightness=80.0), "scene", None)
        if watch.drifted:
            drifted += 1
            watch.rest()
            assert watch.try_again() == (drifted < ATTEMPTS)
            watch.see(picture(brightness=80.0), "scene", None)
            assert not watch.drifted
    assert drifted == ATTEMPTS
    assert REST > PATIENCE


def test_one_that_helped_is_not_counted_against_the_next() -> None:
    watch = watched()
    for _ in range(ATTEMPTS + 2):
        while not watch.drifted:
            watch.see(picture(brightness=80.0), "scene", None)
        watch.rest()
        assert watch.try_again()
        for _ in range(REST + 1):
            watch.see(picture(), "scene", None)


@given(st.integers(0, 255), st.integers(0, 255))
def test_flat_pictures_have_a_finite_departure(was: int, now: int) -> None:
    departure = Departure.between(*(Look.of(np.full((8, 8, 3), value, np.uint8)) for value in (was, now)))
    assert np.isfinite(departure.share)
    assert departure.share == pytest.approx(abs(was - now) / 32)
