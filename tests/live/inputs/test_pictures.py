"""The picture shelf: no chunk waits for a disk, the newest request wins, a bad file is reported in one line."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamvace.live.inputs.pictures import PictureShelf, Pixels, Wish, load_picture
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter
from tests.live.show import PATIENCE_S, wait_until


def draw(path: Path, value: int = 200) -> Path:
    """A picture whose left half is transparent; red is `value`."""
    picture = np.full((20, 30, 4), (10, 20, value, 255), dtype=np.uint8)
    picture[:, :15, 3] = 0
    cv2.imwrite(str(path), picture)
    return path


class Disk:
    """A loader that waits for its gate."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, path: Path) -> Pixels:
        self.read.append(path.name)
        assert self.gate.wait(PATIENCE_S)
        return load_picture(path)


class Shelf:
    """A shelf on a folder of pictures; fitting changes nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("a.png", "b.png", "c.png"):
            draw(folder / name)
        self.disk = Disk()
        self.lines: list[str] = []
        self.shelf = PictureShelf(
            MediaFolder(folder), lambda pixels, use: pixels, Reporter(self.lines.append), self.disk
        )

    def want(self, *names: str) -> None:
        self.shelf.want(Wish(name, "reference") for name in names)

    def red(self, name: str) -> int | None:
        pixels = self.shelf.take(Wish(name, "reference"))
        return None if pixels is None else int(pixels[0, 0, 0])


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    made.disk.gate.set()
    made.shelf.stop()


def test_a_picture_is_there_once_it_is_read_and_gone_when_no_longer_wanted(shelf: Shelf) -> None:
    assert shelf.red("a.png") is None
    shelf.want("a.png", "b.png")
    assert shelf.shelf.settle(PATIENCE_S)
    assert (shelf.red("a.png"), shelf.red("b.png"), shelf.red("c.png")) == (200, 200, None)
    shelf.want("b.png")
    assert shelf.shelf.settle(PATIENCE_S)
    assert (shelf.red("a.png"), shelf.red("b.png")) == (None, 200)
    assert shelf.disk.read == ["a.png", "b.png"]


def test_a_hanging_disk_delays_nobody_and_the_newest_request_wins(shelf: Shelf) -> None:
    shelf.disk.gate.clear()
    shelf.want("a.png", "b.png")
    wait_until(lambda: shelf.disk.read == ["a.png"], "the first file is read")
    shelf.want("c.png")  # returns at once
    assert shelf.red("c.png") is None
    assert not shelf.shelf.settle(0.0)
    shelf.disk.gate.set()
    assert shelf.shelf.settle(PATIENCE_S)
    assert (shelf.red("a.png"), shelf.red("c.png")) == (None, 200)
    assert shelf.disk.read == ["a.png", "c.png"]


def test_a_missing_file_is_reported_once_and_the_others_are_read(shelf: Shelf) -> None:
    shelf.shelf.LOOK_S = 0.01
    shelf.want("nothing.png", "a.png", "../a.png", "later.png")
    assert shelf.shelf.settle(PATIENCE_S)
    draw(shelf.folder / "later.png")
    wait_until(lambda: shelf.red("later.png") == 200, "all files are looked at again")
    assert shelf.red("a.png") == 200
    assert shelf.shelf.stats() == {"pictures": 4, "picture_loads": 2, "picture_faults": 3}
    assert "nothing.png" in shelf.lines[0]


def test_a_file_that_appears_later_or_changes_is_read_and_a_broken_one_keeps_the_picture(shelf: Shelf) -> None:
    shelf.shelf.LOOK_S = 0.01
    shelf.want("later.png")
    assert shelf.shelf.settle(PATIENCE_S)
    assert "later.png" in shelf.shelf.faults()["later.png"]
    draw(shelf.folder / "later.png", 50)
    wait_until(lambda: shelf.red("later.png") == 50, "the file that appeared later")
    assert shelf.shelf.faults() == {}
    draw(shelf.folder / "later.png", 90)
    os.utime(shelf.folder / "later.png", ns=(1, 1))
    wait_until(lambda: shelf.red("later.png") == 90, "the file that changed")
    (shelf.folder / "later.png").write_bytes(b"half a pic")
    wait_until(lambda: shelf.shelf.stats()["picture_faults"] == 2, "the broken file is noticed")
    assert shelf.red("later.png") == 90


def test_a_fault_in_fitting_is_reported_and_other_pictures_are_read(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    draw(tmp_path / "b.png", 7)

    def fit(pixels: Pixels, use: str) -> Pixels:
        if pixels[0, 0, 0] == 200:
            raise ZeroDivisionError("a bug")
        return pixels

    lines: list[str] = []
    shelf = PictureShelf(MediaFolder(tmp_path), fit, Reporter(lines.append))
    shelf.want([Wish("a.png", "reference"), Wish("b.png", "reference")])
    assert shelf.settle(PATIENCE_S)
    assert shelf.take(Wish("a.png", "reference")) is None
    assert shelf.take(Wish("b.png", "reference")) is not None
    assert "a bug" in lines[0]
    shelf.stop()
    shelf.stop()
