"""The effects in their order."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import osc_schema
from streamvace.effects.effects import Effects
from streamvace.effects.look import NEUTRAL, ROWS, Look
from streamvace.effects.screens import SCREENS
from streamvace.effects.zoom import zoomed
from streamvace.video.core.enlarge import Enlarger
from tests.effects.pictures import flat, noise


def never() -> NDArray[np.uint8] | None:
    raise AssertionError("no control picture is needed")


def test_the_defaults_of_the_schema_are_neutral_and_pass_the_picture_itself() -> None:
    rows = osc_schema.by_address()
    held = {address: rows[address].default for address in ROWS.values()}
    look = Look.of(lambda address: float(held[address]), lambda address: str(held[address]))  # type: ignore[arg-type]
    assert look == NEUTRAL
    picture = noise()
    assert Effects()(picture, look, never) is picture


def test_the_control_picture_is_mixed_in_at_the_pictures_size_and_the_alpha_stays() -> None:
    picture, control = flat(200, alpha=90), np.full((32, 64, 4), 100, np.uint8)
    done = Effects()(picture, Look(control=0.25), lambda: control)
    assert (done[..., :3] == 175).all()
    assert (done[..., 3] == 90).all()


def test_without_a_control_picture_there_is_nothing_to_mix() -> None:
    picture = flat(200)
    assert (Effects()(picture, Look(control=1.0), lambda: None) == picture).all()


def test_the_control_is_coloured_and_zoomed_with_the_picture() -> None:
    picture, control = noise(seed=1), noise(seed=2)
    done = Effects()(picture, Look(control=1.0, saturation=0.0, zoom=2.0), lambda: control)
    assert (done[..., 0] == done[..., 1]).all(), "the control is grey too"
    shape = Effects()(control, Look(saturation=0.0), never)
    assert np.abs(done[..., :3].astype(int) - zoomed(shape, 2.0)[..., :3]).max() <= 1


def test_a_picture_that_comes_again_is_made_once_and_a_new_look_makes_it_anew() -> None:
    effects, picture = Effects(), noise()
    once = effects(picture, Look(zoom=2.0), never)
    assert effects(picture, Look(zoom=2.0), never) is once
    assert effects(picture, Look(zoom=2.1), never) is not once
    assert (effects(noise(seed=3), Look(zoom=2.0), never) != once).any()


def test_a_new_control_frame_makes_the_picture_anew() -> None:
    effects, picture = Effects(), flat(0)
    effects(picture, Look(control=0.5), lambda: flat(100))
    assert (effects(picture, Look(control=0.5), lambda: flat(200))[..., 0] == 100).all()


def test_a_trail_does_not_cross_into_another_history_nor_from_before_it_was_on() -> None:
    effects, look = Effects(), Look(trail=1.0)
    effects(flat(255), NEUTRAL, never)
    assert (effects(flat(0), look, never, elapsed_s=0.1)[..., 0] == 0).all()
    effects(flat(255), look, never, elapsed_s=10.0)
    assert (effects(flat(0), look, never, elapsed_s=0.1)[..., 0] > 200).all()
    assert (effects(flat(0), look, never, elapsed_s=0.1, history=1)[..., 0] == 0).all()


def test_a_screen_is_drawn_last_and_at_the_size_of_the_output() -> None:
    picture = noise(48, 64)
    large = Enlarger(3)(picture)
    done = Effects(3)(picture, Look(screen="pixels", screen_cells=12), never)
    assert done.shape == (144, 192, 4)
    assert (done == Effects()(large, Look(screen="pixels", screen_cells=12), never)).all()
    grey = Effects(3)(picture, Look(saturation=0.0, screen="pixels", screen_cells=12), never)
    assert (grey[..., 0] == grey[..., 1]).all(), "the picture is grey before it is drawn"


def test_without_a_screen_the_picture_is_only_enlarged() -> None:
    picture = noise()
    effects = Effects(2)
    assert (effects(picture, NEUTRAL, never) == Enlarger(2)(picture)).all()
    assert (effects.enlarge(picture) == Enlarger(2)(picture)).all()


def test_the_choices_of_the_schema_are_the_screens_there_are() -> None:
    assert osc_schema.by_address()["/streamvace/output/screen"].choices == ("none", *SCREENS)


@pytest.mark.parametrize(
    "look",
    [Look(brightness=0.5), Look(zoom=1.5), Look(trail=0.2), Look(control=0.3), Look(screen="tube", screen_mix=0.5)],
    ids=str,
)
def test_the_picture_that_is_given_is_never_written(look: Look) -> None:
    effects, picture = Effects(), noise()
    kept = picture.copy()
    for _ in range(2):
        effects(picture, look, lambda: noise(seed=1), elapsed_s=0.03)
    assert (picture == kept).all()
