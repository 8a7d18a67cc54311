"""What outpainting promises: the input stands where it was put, whole pixels, and all around it is painted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.control.parameters import Parameters
from streamvace.live.director.outpaint import UNKNOWN, Placement
from streamvace.records.chunk import Pixels

SHARE = st.floats(0, 1)


def pictures(frames: int = 3, size: int = 32) -> Pixels:
    return np.random.default_rng(5).integers(0, 128, (frames, size, size, 4), np.uint8)


def test_it_is_off_by_default_and_at_full_size_in_the_middle_all_is_kept() -> None:
    assert Placement.of(Parameters().snapshot()) is None
    placement = Placement.of(Parameters({"/streamvace/outpaint/on": True}).snapshot())
    assert placement == Placement()
    given = pictures()
    assert (placement.place(given) == given).all()
    assert not placement.outside(3, 32, 32).any()


def test_half_size_in_the_middle_leaves_three_quarters_to_be_painted() -> None:
    placement = Placement(scale=0.5)
    flat = np.full((1, 32, 32, 3), 77, np.uint8)
    placed, outside = placement.place(flat), placement.outside(1, 32, 32)
    assert (placed[0, 8:24, 8:24] == 77).all()
    assert (outside == 255).mean() == 0.75
    assert (placed[outside == 255] == UNKNOWN).all()


def test_aside_at_full_size_the_input_is_pasted_pixel_by_pixel() -> None:
    given = pictures()
    placed = Placement(x=0.75, y=0.25).place(given)
    assert (placed[:, :24, 8:] == given[:, 8:, :24]).all()
    assert (Placement(x=0.75, y=0.25).outside(1, 32, 32)[0, :24, 8:] == 0).all()


@given(x=SHARE, y=SHARE, scale=st.floats(0.1, 1), width=st.integers(4, 40), height=st.integers(4, 40))
def test_whatever_the_place_what_is_not_the_input_is_painted_and_nothing_else(
    x: float, y: float, scale: float, width: int, height: int
) -> None:
    placement = Placement(x, y, scale)
    placed = placement.place(np.zeros((2, height, width, 3), np.uint8))
    assert placed.shape == (2, height, width, 3)
    outside = placement.outside(2, width, height)
    assert ((placed == UNKNOWN).all(axis=3) == (outside == 255)).all()


@pytest.mark.parametrize("scale", [0.3, 0.5, 0.99])
def test_every_frame_is_placed_even_where_one_is_held(scale: float) -> None:
    given = pictures(1)
    film = np.concatenate((given, given, given // 2))
    placed = Placement(scale=scale).place(film)
    assert (placed[0] == placed[1]).all()
    assert (placed[2] == Placement(scale=scale).place(film[2:])[0]).all()
    assert (placed[2] != placed[0]).any()


def test_without_a_value_around_the_colours_of_the_edge_go_on() -> None:
    given = pictures()
    placed = Placement(x=0.25, scale=0.5).place(given, around=None)
    inside = Placement(x=0.25, scale=0.5).place(given)[:, 8:24, :16]
    assert (placed[:, 8:24, :16] == inside).all()
    assert (placed[:, 8:24, 16:] == inside[:, :, -1:]).all()
    assert (placed[:, :8, :16] == inside[:, :1]).all()
