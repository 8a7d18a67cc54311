"""The source poller: frames reach the ring, and a source that fails is reopened."""

from __future__ import annotations

import threading

import pytest

from streamvace.live.inputs import source_poller
from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.live.inputs.source_poller import SourcePoller
from streamvace.records.frame import Frame, Source
from streamvace.system.errors import UserError
from streamvace.telemetry.reporter import Reporter
from streamvace.video.core.threaded import ThreadedSource
from tests.live.show import frame, wait_until


class Camera:
    """Gives a frame at every poll; fails after `lasts` frames."""

    def __init__(self, lasts: int = 1 << 30) -> None:
        self.name = "camera"
        self.lasts = lasts
        self.given = 0
        self.closed = 0
        self.threads: set[str] = {threading.current_thread().name}

    def poll(self) -> Frame | None:
        self.threads.add(threading.current_thread().name)
        if self.given >= self.lasts:
            raise OSError("unplugged")
        self.given += 1
        return frame(self.given, sequence=self.given)

    def close(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.closed += 1


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_poller, "_REOPEN_FIRST_S", 0.01)
    monkeypatch.setattr(source_poller, "_REOPEN_LAST_S", 0.02)


def test_a_source_that_fails_is_reopened_and_every_one_is_closed() -> None:
    made: list[Camera] = []
    lines: list[str] = []
    ring = FrameRing()

    def opener() -> Source:
        made.append(Camera(lasts=5))
        return made[-1]

    poller = SourcePoller(opener, ring, Reporter(lines.append))
    poller.start()
    wait_until(lambda: len(made) > 3, "the source was opened again")
    poller.stop()
    assert all(each.closed == 1 for each in made)
    assert ring.counters().received >= 15
    figures = poller.stats()
    assert int(figures["source_faults"]) >= 3
    assert figures["source_reopened"] == len(made) - 1
    assert lines[0] == "input camera: OSError: unplugged"


def test_reopening_is_retried_until_it_works() -> None:
    made: list[Camera] = []
    attempts = 0

    def opener() -> Source:
        nonlocal attempts
        attempts += 1
        if 1 < attempts < 5:
            raise OSError("not back yet")
        made.append(Camera(lasts=2))
        return made[-1]

    poller = SourcePoller(opener, FrameRing(), Reporter(lambda line: None))
    poller.start()
    wait_until(lambda: len(made) >= 2, "the source came back")
    poller.stop()


def test_the_error_of_the_first_opening_is_raised_by_start() -> None:
    def opener() -> Source:
        raise UserError("no file nope.mp4; check the name")

    with pytest.raises(UserError, match=r"no file nope\.mp4"):
        SourcePoller(opener, FrameRing(), Reporter(lambda line: None)).start()


def test_one_thread_owns_the_source() -> None:
    made: list[Camera] = []

    def opener() -> Source:
        made.append(Camera())
        return made[-1]

    poller = SourcePoller(opener, FrameRing(), Reporter(lambda line: None))
    poller.start()
    wait_until(lambda: made[0].given > 3, "frames came")
    poller.stop()
    poller.stop()
    assert made[0].threads == {"source"}


def test_a_source_whose_thread_died_is_reopened_and_reported_once() -> None:
    class Fragile(ThreadedSource):
        def __init__(self) -> None:
            super().__init__("fragile")
            self._thread.start()

        def _run(self) -> None:
            self._offer(frame(1).pixels, 1)
            raise ZeroDivisionError("a driver's bug")

    lines: list[str] = []
    ring = FrameRing()
    poller = SourcePoller(Fragile, ring, Reporter(lines.append))
    poller.start()
    wait_until(lambda: ring.counters().received >= 5, "it was reopened again and again")
    poller.stop()
    assert "input fragile: ZeroDivisionError: a driver's bug" in lines[0]


def test_faults_that_a_source_survives_count_as_well_and_stay_counted_when_it_is_reopened() -> None:
    class Film(Camera):
        """Breaks off and begins again twice, then fails for good."""

        faults = 2

    made: list[Camera] = []

    def opener() -> Source:
        made.append(Film(lasts=3) if not made else Camera())
        return made[-1]

    poller = SourcePoller(opener, FrameRing(), Reporter(lambda line: None))
    poller.start()
    wait_until(lambda: len(made) == 2 and made[1].given > 0, "it was opened again")
    assert poller.stats()["source_faults"] == 3
    poller.stop()


def test_the_same_fault_is_reported_once_until_frames_arrive() -> None:
    attempts = 0

    def opener() -> Source:
        nonlocal attempts
        attempts += 1
        raise UserError("no camera; plug it in")

    lines: list[str] = []
    poller = SourcePoller(opener, FrameRing(), Reporter(lines.append), "camera:0")
    poller.start_patiently()
    wait_until(lambda: attempts > 10, "tried again and again")
    poller.stop()
    assert lines == ["input camera:0: no camera; plug it in"]
    assert int(poller.stats()["source_faults"]) >= 10


@pytest.mark.parametrize(
    ("sent", "said"), [((1920, 1080), "1920x1080"), (None, "{1}x{0}".format(*frame(1).pixels.shape))]
)
def test_the_size_of_the_input_is_the_one_that_was_sent(sent: tuple[int, int] | None, said: str) -> None:
    class Sized(Camera):
        if sent is not None:
            sender_size = sent

    ring = FrameRing()
    poller = SourcePoller(Sized, ring, Reporter(lambda line: None))
    assert poller.stats()["input_size"] == ""
    poller.start()
    wait_until(lambda: ring.counters().received > 0, "a frame came")
    wait_until(lambda: poller.stats()["input_size"], "its size")
    poller.stop()
    assert poller.stats()["input_size"] == said
