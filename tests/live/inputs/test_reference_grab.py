"""Grabbing a reference: the current picture becomes a file and a reference, and nobody waits."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from streamvace.control.parameters import Parameters
from streamvace.control.reference_list import EDITS, REFERENCES
from streamvace.live.inputs import reference_grab
from streamvace.live.inputs.pictures import load_picture
from streamvace.live.inputs.reference_grab import GRAB, GRABS, Grabber
from streamvace.records.frame import Frame
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter
from tests.links import needs_links
from tests.live.show import frame, wait_until


class Stage:
    """Parameters and a grabber with a fixed output picture."""

    def __init__(self, folder: Path) -> None:
        self.media = MediaFolder(folder)
        self.lines: list[str] = []
        self.output: Frame | None = frame(1, 77)
        self.seconds = 0.0
        self.grabber = Grabber(self.media, Reporter(self.lines.append), lambda: time.gmtime(0), lambda: self.seconds)
        self.parameters = Parameters(edits={**EDITS, GRAB: self.grabber.ask})

    def start(self) -> None:
        self.grabber.start({"output": lambda: self.output, "input": lambda: None}, self.parameters.set)

    def grab(self, argument: str = "output") -> str:
        return self.parameters.set(GRAB, (argument,), "panel").line

    @property
    def names(self) -> tuple[str, ...]:
        return self.parameters.snapshot().texts(REFERENCES)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path / "media")
    made.start()
    yield made
    made.grabber.stop()


def test_the_current_picture_becomes_a_file_and_a_reference(stage: Stage) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (8, 8, 4), np.uint8)
    stage.output = Frame(pixels, 1, "test", 0)
    assert stage.grab() == ""
    stage.output = frame(2, 99)
    wait_until(lambda: len(stage.names) == 1, "the reference is listed")
    assert stage.names == ("grabs/output-19700101-000000-00.png",)
    assert (load_picture(stage.media.find(stage.names[0])) == pixels).all()


def test_two_grabs_within_a_second_are_two_files(stage: Stage) -> None:
    stage.grab()
    stage.grab()
    wait_until(lambda: len(stage.names) == 2, "both are listed")
    assert stage.grabber.stats() == {"grabs": 2, "grab_faults": 0}


@needs_links
def test_a_planted_link_is_removed_and_never_written_through(stage: Stage, tmp_path: Path) -> None:
    folder = stage.media.root / "grabs"
    folder.mkdir(parents=True)
    (folder / "output-19700101-000000-00.part").symlink_to(tmp_path / "planted")
    assert stage.grab() == ""
    wait_until(lambda: len(stage.names) == 1, "the reference is listed")
    assert not (tmp_path / "planted").exists()


def test_without_a_picture_the_grab_is_refused_in_one_line(stage: Stage) -> None:
    assert "no input picture yet" in stage.grab("input")
    assert "one of output, input" in stage.grab("nonsense")
    assert stage.parameters.snapshot().fired[GRAB] == 0


def test_when_the_disk_is_too_slow_further_grabs_are_refused(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "media")
    stage.grabber._pictures = {"output": lambda: stage.output}  # not started: nothing is ever written
    lines = [stage.grab() for _ in range(Grabber.QUEUED + 1)]
    assert [bool(line) for line in lines] == [False] * Grabber.QUEUED + [True]
    assert "the disk is slow" in lines[-1]


def test_grabs_are_limited_in_number_and_rate(stage: Stage) -> None:
    taken = 0
    for _ in range(500):
        taken += stage.grab() == ""
        assert taken <= GRABS[0] + 4
        wait_until(lambda taken=taken: stage.grabber.stats()["grabs"] == taken, "it is written")  # type: ignore[misc]
        stage.seconds += 0.01
    assert taken == GRABS[0] + 4
    assert "more than 8 pictures at once or 1 a second" in stage.grab()


def test_a_folder_full_of_pictures_takes_no_more(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_grab, "MOST_FILES", 2)
    for _ in range(3):
        stage.grab()
    wait_until(lambda: bool(stage.lines), "a report")
    assert "holds 2 pictures, the limit is 2" in stage.lines[0]
    assert len(stage.names) == 2


def test_an_almost_full_disk_is_left_to_the_recordings(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    used = shutil._ntuple_diskusage(500e9, 476e9, 24e9)  # type: ignore[attr-defined]
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: used)
    stage.grab()
    wait_until(lambda: bool(stage.lines), "a report")
    assert "24.0 GB free, and grabs leave 25.0 GB (5%)" in stage.lines[0]
    assert stage.grabber.stats() == {"grabs": 0, "grab_faults": 1}


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "media")
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "grabs").write_bytes(b"a file in the way")
    stage.start()
    stage.grab()
    wait_until(lambda: bool(stage.lines), "the fault is reported")
    assert "cannot write" in stage.lines[0]
    assert stage.names == ()
    stage.grabber.stop()


def test_with_a_full_list_the_file_is_kept_and_that_is_reported(stage: Stage) -> None:
    stage.parameters.set(REFERENCES, tuple(f"{number}.png" for number in range(8)), "panel")
    stage.grab()
    wait_until(lambda: bool(stage.lines), "a report")
    assert "is written, but" in stage.lines[0]
