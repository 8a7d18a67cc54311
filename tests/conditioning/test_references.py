"""Reference pictures are fitted on white."""

from __future__ import annotations

import numpy as np

from streamvace.conditioning.references import fit_on_white


def test_a_reference_is_shown_whole_and_centred_on_white() -> None:
    tall = np.zeros((40, 10, 3), np.uint8)
    fitted = fit_on_white(tall, (64, 32))
    assert fitted.shape == (32, 64, 3)
    columns = np.flatnonzero((fitted == 0).all(axis=(0, 2)))
    assert (columns[0], columns[-1]) == (28, 35)
    assert (fitted[:, :28] == 255).all()
    assert (fitted[:, 36:] == 255).all()


def test_a_small_reference_is_enlarged_to_fill_the_frame() -> None:
    assert (fit_on_white(np.full((4, 8, 3), 9, np.uint8), (64, 32)) == 9).all()


def test_what_is_transparent_in_a_reference_is_white() -> None:
    image = np.zeros((32, 64, 4), np.uint8)
    image[:, 32:, 3] = 255
    fitted = fit_on_white(image, (64, 32))
    assert (fitted[:, :32] == 255).all()
    assert (fitted[:, 32:] == 0).all()
