"""The looks that ship have small pictures, which are those of what they hold now."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

import osc_schema
from streamvace.control import look_pictures
from streamvace.control.cue_file import built_in_cues
from streamvace.control.look_pictures import FOLDER, name_of, with_pictures

LOOKS = built_in_cues("embedded", osc_schema.by_address())


def test_every_look_that_ships_has_a_picture_and_all_of_them_are_small() -> None:
    without = [look.name for look in LOOKS if not look.picture]
    assert without == [], "make docs/looks.jpg with benchmarks/gallery.py, then run benchmarks/look_pictures.py"
    total = 0
    for look in LOOKS:
        data = look_pictures.read(look.picture)
        assert data is not None
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape[1] == 128
        assert picture.std() > 5, f"{look.name} is empty"
        total += len(data)
    assert total < 300_000
    assert len(list(FOLDER.iterdir())) == len(LOOKS), "pictures of looks that are no more"


def test_a_look_that_holds_something_else_has_no_picture_until_it_is_made() -> None:
    look = LOOKS[0]
    other = replace(look, values={**look.values, "/streamvace/prompt": LOOKS[1].values["/streamvace/prompt"]})
    assert name_of(other) != name_of(look) != name_of(replace(look, name="x"))
    (changed,) = with_pictures([replace(other, picture="")])
    assert changed.picture == ""
    assert look_pictures.read(name_of(other)) is None
