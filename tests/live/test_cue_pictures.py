"""A cue's picture is the look on show when it was stored, small, and gone with the last cue that names it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import osc_schema
from streamvace.control.cue_file import built_in_cues
from streamvace.live.cue_pictures import WIDTH, CuePictures
from streamvace.records.frame import Frame
from streamvace.telemetry.reporter import Reporter


def picture(value: int) -> Frame:
    pixels = np.full((320, 512, 4), 255, np.uint8)
    pixels[..., 0] = value
    return Frame(pixels, 0, "streamvace", 0)


class Rig:
    def __init__(self, folder: Path) -> None:
        self.lines: list[str] = []
        self.pictures = CuePictures(folder / "cues.json", Reporter(self.lines.append))

    def take(self, value: int, *kept: str) -> str:
        self.pictures.show(lambda: picture(value))
        return self.pictures.take(frozenset(kept))


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_a_picture_is_small_and_shows_what_was_on_show(rig: Rig) -> None:
    name = rig.take(40)
    rig.pictures.close()
    jpeg = rig.pictures.read(name)
    assert jpeg is not None
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (120, WIDTH, 3)
    assert decoded[60, 96].tolist() == pytest.approx([255, 255, 40], abs=4)
    assert rig.pictures.folder.name == "cues-pictures"
    assert len(jpeg) < 20_000


def test_pictures_that_no_cue_names_go_with_the_next_one_and_other_files_stay(rig: Rig) -> None:
    first, second = rig.take(1), rig.take(2)
    third = rig.take(3, second)
    rig.pictures.folder.mkdir(exist_ok=True)
    (rig.pictures.folder / "holiday.jpg").touch()
    rig.take(4, second, third)
    rig.pictures.close()
    assert rig.pictures.read(first) is None
    assert rig.pictures.read(second) is not None
    assert (rig.pictures.folder / "holiday.jpg").exists()


def test_before_the_first_picture_a_cue_has_none(rig: Rig) -> None:
    assert rig.pictures.take(frozenset()) == ""


@pytest.mark.parametrize("name", ["", "../cues", "0" * 15, "0" * 17, "A" * 16, "0" * 16, "0" * 15 + "\n"])
def test_only_names_of_pictures_are_read(rig: Rig, name: str) -> None:
    rig.pictures.folder.mkdir()
    (rig.pictures.folder.parent / "cues.jpg").touch()
    assert rig.pictures.read(name) is None


def test_the_looks_that_ship_have_pictures_too(rig: Rig) -> None:
    (look, *_) = built_in_cues("embedded", osc_schema.by_address())
    jpeg = rig.pictures.read(look.picture)
    assert jpeg is not None
    assert jpeg[:2] == b"\xff\xd8"


def test_a_folder_that_cannot_be_written_costs_the_picture_and_is_reported(rig: Rig) -> None:
    rig.pictures.folder.touch()
    assert rig.take(1) != ""
    rig.pictures.close()
    assert [line.partition(":")[0] for line in rig.lines] == ["cue pictures"]
