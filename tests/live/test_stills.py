"""Which pictures a snapshot asks for, and what a chunk gets of them."""

from __future__ import annotations

import numpy as np

from streamvace.live.parameters import Parameters
from streamvace.live.pictures import Wish
from streamvace.live.stills import fit_still, stills, wishes


def test_references_come_in_their_order_and_one_that_is_not_there_yet_is_left_out() -> None:
    snapshot = Parameters({"/streamvace/references": ("a.png", "b.png", "c.png")}).snapshot()
    shelf = {
        Wish(name, "reference"): np.full((4, 4, 3), value, np.uint8) for name, value in (("c.png", 3), ("a.png", 1))
    }
    assert wishes(snapshot) == tuple(Wish(name, "reference") for name in ("a.png", "b.png", "c.png"))
    references = stills(snapshot, shelf.get).references
    assert references is not None
    assert references[:, 0, 0, 0].tolist() == [1, 3]
    assert stills(snapshot, {}.get).references is None


def test_a_reference_stands_whole_on_white_and_what_is_transparent_is_white() -> None:
    picture = np.zeros((10, 20, 4), np.uint8)
    picture[:, 10:, 3] = 255
    fitted = fit_still(picture, "reference", (40, 40))
    assert fitted.shape == (40, 40, 3)
    assert (fitted[:10] == 255).all()
    assert (fitted[20, :18] == 255).all()
    assert (fitted[20, 22:] == 0).all()
