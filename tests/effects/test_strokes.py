"""Hair of noise, combed in many directions, and the direction at each place."""

from __future__ import annotations

import numpy as np
import pytest

from streamvace.effects.strokes import COARSE, DIRECTIONS, FINE, PERIOD, bristles, combed, directions, hair


def tile(cell: int, number: int) -> np.ndarray:
    return hair(cell)[number * PERIOD : (number + 1) * PERIOD].astype(float)


@pytest.mark.parametrize("cell", [FINE, COARSE])
def test_each_tile_runs_in_its_own_direction_with_one_stroke_a_cell(cell: int) -> None:
    for number in range(DIRECTIONS):
        power = np.abs(np.fft.fft2(tile(cell, number) - 127.5)) ** 2
        fy, fx = np.meshgrid(*(np.fft.fftfreq(PERIOD),) * 2, indexing="ij")
        angle = np.pi * number / DIRECTIONS
        along = np.abs(fx * np.cos(angle) + fy * np.sin(angle))
        across = np.abs(fy * np.cos(angle) - fx * np.sin(angle))
        assert (power * along).sum() < 0.25 * (power * across).sum()
        assert cell * (power * across).sum() / power.sum() == pytest.approx(1.0, abs=0.35)


@pytest.mark.parametrize("cell", [FINE, COARSE])
def test_each_level_has_an_equal_share_of_a_tile(cell: int) -> None:
    for number in (0, 5, 11):
        for share in (0.1, 0.5, 0.9):
            assert (tile(cell, number) < 255 * share).mean() == pytest.approx(share, abs=0.01)


def test_tiles_join_without_a_seam() -> None:
    for number in (0, 3, 8):
        one = tile(COARSE, number)
        assert np.abs(one[0] - one[-1]).mean() < 1.5 * np.abs(np.diff(one, axis=0)).mean()
        assert np.abs(one[:, 0] - one[:, -1]).mean() < 1.5 * np.abs(np.diff(one, axis=1)).mean()


def test_the_relief_is_level_on_average() -> None:
    assert bristles(COARSE).mean() == pytest.approx(128, abs=1)
    assert bristles(COARSE).std() > 5


def test_between_two_directions_the_hair_is_a_mix_of_both_and_the_last_one_leads_to_the_first() -> None:
    def at(number: float) -> np.ndarray:
        return combed(hair(COARSE), np.full((300, 260), number, np.float32)).astype(float)

    assert (at(3.0) == np.tile(tile(COARSE, 3), (2, 2))[:300, :260]).all()
    assert np.abs(at(3.5) - (at(3.0) + at(4.0)) / 2).max() <= 1
    assert np.abs(at(15.5) - (at(15.0) + at(0.0)) / 2).max() <= 1


def test_directions_have_the_size_that_is_asked_for_and_stay_below_their_number() -> None:
    bright = np.random.default_rng(0).integers(0, 256, (24, 40), np.uint8)
    found = directions(bright, 2.0, (160, 96))
    assert found.shape == (96, 160)
    assert found.min() >= 0
    assert found.max() < DIRECTIONS
