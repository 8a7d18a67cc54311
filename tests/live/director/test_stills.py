"""Which pictures a snapshot asks for, and what a chunk gets of them."""

from __future__ import annotations

import numpy as np

from streamvace.control.parameters import Parameters
from streamvace.control.refusals import Lack
from streamvace.live.director.stills import fit_still, picture_lacks, stills, wishes
from streamvace.live.inputs.pictures import Wish


def test_references_come_in_their_order_and_one_that_is_not_there_yet_is_left_out() -> None:
    snapshot = Parameters({"/streamvace/references": ("a.png", "b.png", "c.png")}).snapshot()
    loaded = {
        Wish(name, "reference"): np.full((4, 4, 3), value, np.uint8) for name, value in (("c.png", 3), ("a.png", 1))
    }
    assert wishes(snapshot) == tuple(Wish(name, "reference") for name in ("a.png", "b.png", "c.png"))
    references = stills(snapshot, loaded.get, anchored=False).references
    assert references is not None
    assert references[:, 0, 0, 0].tolist() == [1, 3]
    assert stills(snapshot, {}.get, anchored=False).references is None


def test_every_parameter_that_names_a_missing_picture_says_so() -> None:
    snapshot = Parameters(
        {"/streamvace/references": ("a.png", "b.png"), "/streamvace/first_frame": "b.png", "/streamvace/last_frame": ""}
    ).snapshot()
    assert picture_lacks(snapshot, {}) == {}
    assert picture_lacks(snapshot, {"b.png": "there is no b.png"}) == {
        "/streamvace/references": Lack("b.png", "there is no b.png"),
        "/streamvace/first_frame": Lack("b.png", "there is no b.png"),
    }


def test_a_reference_stands_whole_on_white_and_what_is_transparent_is_white() -> None:
    picture = np.zeros((10, 20, 4), np.uint8)
    picture[:, 10:, 3] = 255
    fitted = fit_still(picture, "reference", (40, 40))
    assert fitted.shape == (40, 40, 3)
    assert (fitted[:10] == 255).all()
    assert (fitted[20, :18] == 255).all()
    assert (fitted[20, 22:] == 0).all()


def test_frames_are_wanted_as_soon_as_they_are_named_and_given_to_anchored_chunks_only() -> None:
    snapshot = Parameters({"/streamvace/first_frame": "a.png", "/streamvace/last_frame": "b.png"}).snapshot()
    assert wishes(snapshot) == (Wish("a.png", "frame"), Wish("b.png", "frame"))
    loaded = {wish: np.full((4, 4, 3), number, np.uint8) for number, wish in enumerate(wishes(snapshot))}
    free = stills(snapshot, loaded.get, anchored=False)
    assert (free.first_frame, free.last_frame) == (None, None)
    anchored = stills(snapshot, loaded.get, anchored=True)
    assert anchored.first_frame is loaded[Wish("a.png", "frame")]
    assert anchored.last_frame is loaded[Wish("b.png", "frame")]


def test_a_frame_fills_the_picture_over_black() -> None:
    picture = np.full((20, 40, 4), 200, np.uint8)
    picture[:, :20, 3] = 0
    picture[:, 20:, 3] = 255
    fitted = fit_still(picture, "frame", (20, 20))
    assert fitted.shape == (20, 20, 3)
    assert (fitted[:, :10] == 0).all()
    assert (fitted[:, 10:] == 200).all()
