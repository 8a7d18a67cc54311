"""The recorder: starts and stops by parameters, overwrites nothing, and never delays a tick."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from streamvace.control.parameters import Parameters
from streamvace.control.refusals import Refusals
from streamvace.live.output.outputs import Borrowed
from streamvace.live.output.recorder import Recorder, unused
from streamvace.records.frame import Frame
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter
from streamvace.video.film.decode import file_info
from streamvace.video.film.process import FilmProcess
from streamvace.video.film.sink import FileSink
from streamvace.video.film.source import read_frames
from tests.live.show import SIZE, picture, wait_until
from tests.live.virtual_show import VirtualShow


class Rig:
    """A recorder that follows parameters."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[str] = []
        self._reporters_ns = 0
        self.folder = folder
        self.parameters = Parameters()
        self.reporter = Reporter(self.lines.append, lambda: self._reporters_ns)
        refuse = partial(Refusals(self.parameters, self.reporter).take_back, "/streamvace/record", True)
        self.recorder = Recorder(
            MediaFolder(folder), SIZE, 25.0, self.reporter, refuse, wall_clock=lambda: "20261123-040000"
        )
        self.parameters.listen(lambda snapshot, changed: self.recorder.follow(snapshot))
        self._sequence = 0

    def set(self, name: str, value: object) -> None:
        assert self.parameters.set(f"/streamvace/{name}", (value,), "test").status == "set"

    def record(self, file: str = "") -> str:
        """Start recording; returns the path."""
        if file:
            self.set("record_file", file)
        self.set("record", True)
        wait_until(lambda: self.recording != "", f"recording; reported {self.lines}")
        return self.recording

    def stop(self) -> None:
        self.set("record", False)
        wait_until(lambda: self.recording == "", "stopped")

    @property
    def recording(self) -> str:
        return str(self.recorder.stats()["recording"])

    def publish(self, count: int) -> None:
        for _ in range(count):
            self.recorder.publish(Frame(picture(self._sequence), 0, "test", self._sequence))
            self._sequence += 1

    def flushed(self) -> int:
        """The number of lines, including those that the reporter held back: a minute passes for it."""
        self._reporters_ns += 60 * 10**9
        self.reporter.flush()
        return len(self.lines)

    def files(self) -> list[str]:
        return sorted(str(entry.relative_to(self.folder).as_posix()) for entry in self.folder.rglob("*.m*"))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.recorder.close()
    rig.recorder.close()


def test_what_is_published_between_start_and_stop_is_in_the_film(rig: Rig) -> None:
    rig.publish(3)
    path = rig.record("take.mp4")
    rig.publish(10)
    rig.stop()
    rig.publish(3)
    wait_until(lambda: rig.files() == ["take.mp4"], f"one film: {rig.files()}")
    assert path == str(rig.folder / "take.mp4")
    assert len(list(read_frames(Path(path), SIZE))) == 10
    assert rig.lines == []


def test_a_recording_without_a_name_is_named_by_its_time(rig: Rig) -> None:
    rig.record()
    rig.publish(2)
    rig.stop()
    wait_until(lambda: rig.files() == ["recordings/streamvace-20261123-040000.mp4"], f"{rig.files()}")


def test_a_finished_recording_is_told_by_its_name_in_the_media_folder(rig: Rig) -> None:
    rig.record("takes/first.mp4")
    assert rig.recorder.stats()["recorded"] == "", "not before it is finished"
    rig.publish(3)
    rig.stop()
    assert rig.recorder.stats()["recorded"] == "takes/first.mp4"


def test_nothing_is_overwritten(rig: Rig) -> None:
    (rig.folder / "take.mp4").write_bytes(b"an older take")
    (rig.folder / "take-2.part.mp4").write_bytes(b"what a power cut left")
    assert rig.record("take.mp4") == str(rig.folder / "take-3.mp4")
    rig.publish(2)
    rig.stop()
    wait_until(lambda: "take-3.mp4" in rig.files(), f"{rig.files()}")
    assert (rig.folder / "take.mp4").read_bytes() == b"an older take"
    assert (rig.folder / "take-2.part.mp4").read_bytes() == b"what a power cut left"


def test_a_stop_and_a_start_while_the_last_film_is_finished_make_one_more_film(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    finishing, go_on = threading.Event(), threading.Event()
    real = FilmProcess.close

    def slow(self: FilmProcess) -> None:
        finishing.set()
        assert go_on.wait(60)
        real(self)

    monkeypatch.setattr(FilmProcess, "close", slow)
    rig.record("take.mp4")
    rig.publish(3)
    rig.set("record", False)
    assert finishing.wait(60)
    rig.set("record", True)
    go_on.set()
    wait_until(lambda: rig.recording.endswith("take-2.mp4"), "the second film")
    rig.publish(3)
    rig.stop()
    wait_until(lambda: rig.files() == ["take-2.mp4", "take.mp4"], f"{rig.files()}")
    assert rig.recorder.stats()["recordings"] == 2


def test_a_stop_and_a_start_at_once_make_one_more_film(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def look(self: FileSink) -> None:
        busy.set()
        assert go_on.wait(60)

    monkeypatch.setattr(FileSink, "tell_if_slow", look)
    rig.record("take.mp4")
    assert busy.wait(60)
    rig.publish(2)
    rig.set("record", False)
    rig.set("record", True)
    go_on.set()
    wait_until(lambda: rig.recording.endswith("take-2.mp4"), "the second film")


def test_another_name_while_recording_begins_another_film(rig: Rig) -> None:
    rig.record("one.mp4")
    rig.publish(4)
    rig.set("record_file", "two.mov?format=png")
    wait_until(lambda: rig.recording.endswith("two.mov"), "the second film")
    rig.publish(3)
    rig.stop()
    wait_until(lambda: rig.files() == ["one.mp4", "two.mov"], f"{rig.files()}")
    assert file_info(rig.folder / "one.mp4").frames == 4
    assert file_info(rig.folder / "two.mov").frames == 3


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("../outside.mp4", "outside the media folder"),
        ("/etc/take.mp4", "outside the media folder"),
        ("take.gif", r"a video file ends in .mp4 or .mov; try take.mp4"),
        ("take.mp4?format=prores", "a video file ends in .mov"),
        ("take.mov?format=gif", "unknown format 'gif'"),
    ],
)
def test_a_name_that_cannot_be_recorded_to_is_one_line_and_the_next_one_works(rig: Rig, name: str, line: str) -> None:
    rig.set("record_file", name)
    rig.set("record", True)
    wait_until(lambda: bool(rig.lines), "a line")
    assert len(rig.lines) == 1
    assert line in rig.lines[0]
    rig.publish(2)
    wait_until(lambda: not rig.parameters.snapshot().flag("/streamvace/record"), "no surface says that it records")
    rig.set("record_file", "good.mp4")
    rig.set("record", True)
    wait_until(lambda: rig.recording.endswith("good.mp4"), "the next one")


def test_an_encoder_that_hangs_never_delays_a_tick_and_is_reported(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(FileSink, "QUEUED", 2)
    monkeypatch.setattr(FileSink, "STARTING_BYTES", 0)
    real = FilmProcess.write

    def slow(self: FilmProcess, pixels: object, index: int) -> None:
        assert go_on.wait(60)
        real(self, pixels, index)  # type: ignore[arg-type]

    monkeypatch.setattr(FilmProcess, "write", slow)
    rig.record("slow.mp4")
    rig.publish(20)  # returns although nothing is written
    wait_until(lambda: bool(rig.lines), "a report while the encoder accepts nothing")
    assert ["frames are left out" in line for line in rig.lines] == [True]
    go_on.set()
    rig.stop()
    wait_until(lambda: rig.flushed() > 1, "how many")
    assert re.search(r"1[78] of 20 frames were left out", rig.lines[1])
    assert int(rig.recorder.stats()["record_dropped"]) >= 17


def test_a_recorder_that_hangs_costs_no_tick_and_its_drops_are_counted(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute of a show on virtual time, with an encoder that takes nothing at all from its first frame on."""
    go_on = threading.Event()
    monkeypatch.setattr(FileSink, "STARTING_BYTES", 0)
    monkeypatch.setattr(FilmProcess, "write", lambda film, pixels, index: go_on.wait(60))
    rig.record("hangs.mp4")
    show = VirtualShow(60.0, sinks=[lambda: Borrowed(rig.recorder)], output_rate=30.0)
    show.telemetry.add(rig.recorder.stats)
    try:
        figures = show.play()
    finally:
        go_on.set()
    assert figures["missed"] == 0
    assert show.ledger.published == figures["ticks"]
    assert show.ledger.published >= 60 * 30 - 1
    assert figures["record_dropped"] in range(show.ledger.published - FileSink.QUEUED - 1, show.ledger.published)


def test_a_full_disk_ends_the_recording_with_one_line_and_nothing_else(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: FilmProcess, pixels: object, index: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FilmProcess, "write", full)
    rig.record("full.mp4")
    rig.publish(5)
    wait_until(lambda: rig.recording == "", "given up")
    rig.publish(5)
    assert ["No space left on device" in line for line in rig.lines] == [True]
    assert rig.reporter.recent() == rig.lines[0], "it reaches a controller on another machine too"
    assert rig.files() == []
    wait_until(lambda: not rig.parameters.snapshot().flag("/streamvace/record"), "no surface says that it records")


def test_closing_finishes_the_film(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.record("take.mp4")
    rig.publish(5)
    rig.recorder.close()
    assert file_info(tmp_path / "take.mp4").frames == 5


def test_the_first_free_name(tmp_path: Path) -> None:
    assert unused(tmp_path / "a.mp4") == tmp_path / "a.mp4"
    for name in ("a.mp4", "a-2.mp4"):
        (tmp_path / name).touch()
    assert unused(tmp_path / "a.mp4") == tmp_path / "a-3.mp4"


def test_the_recorded_time_runs_while_a_film_is_written(rig: Rig) -> None:
    assert rig.recorder.stats()["record_time"] == 0
    rig.record("take.mp4")
    wait_until(lambda: float(rig.recorder.stats()["record_time"]) > 0, "the time runs")
    rig.publish(3)
    rig.stop()
    assert rig.recorder.stats()["record_time"] == 0
