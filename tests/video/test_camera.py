from __future__ import annotations

import sys
import threading
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.video.camera import CameraSource, open_camera
from streamvace.video.endpoints import open_source
from tests.video.helpers import next_frame, until


class Machine:
    """Cameras plugged into a machine. Strict: a camera is read only while open, by the thread that opened it."""

    def __init__(self, *plugged: int) -> None:
        self.plugged = set(plugged)
        self.opened: list[int] = []
        self.open_now = 0
        self.picture: NDArray[Any] = np.full((48, 64, 3), (10, 20, 200), np.uint8)
        self.turn = threading.Semaphore(0)
        """One permit lets one picture be read."""

    def open(self, index: int) -> FakeCamera:
        self.opened.append(index)
        return FakeCamera(self, index)


class FakeCamera:
    def __init__(self, machine: Machine, index: int) -> None:
        self.machine, self.index = machine, index
        self.thread = threading.get_ident()
        self.open = index in machine.plugged
        self.machine.open_now += self.open

    def isOpened(self) -> bool:
        return self.open

    def read(self) -> tuple[bool, NDArray[Any] | None]:
        assert self.open, "read after release"
        assert threading.get_ident() == self.thread, "read on a thread that did not open it"
        if not self.machine.turn.acquire(timeout=0.05):
            return (True, self.machine.picture) if self.index in self.machine.plugged else (False, None)
        return (self.index in self.machine.plugged), self.machine.picture

    def release(self) -> None:
        self.machine.open_now -= self.open
        self.open = False


def test_a_camera_gives_rgba_of_the_asked_size() -> None:
    source = CameraSource(0, (32, 32), Machine(0).open)
    frame = next_frame(source)
    assert frame.pixels.shape == (32, 32, 4)
    assert frame.pixels[5, 5].tolist() == [200, 20, 10, 255]
    assert frame.source == "camera:0"
    source.close()


def test_a_camera_faster_than_its_reader_drops_and_counts() -> None:
    machine = Machine(0)
    source = CameraSource(0, (32, 32), machine.open)
    for _ in range(20):
        machine.turn.release()
    until(lambda: source.frames >= 20)
    frame = source.poll()
    assert frame is not None
    assert source.dropped >= 19
    assert frame.sequence >= 19
    source.close()


def test_a_camera_that_was_pulled_out_comes_back_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CameraSource, "REOPEN_SECONDS", 0.01)
    machine = Machine(0)
    source = CameraSource(0, (32, 32), machine.open)
    next_frame(source)
    machine.plugged.clear()
    until(lambda: source.losses == 1 and len(machine.opened) > 3)
    before = source.frames
    source.poll()
    assert source.poll() is None
    machine.plugged.add(0)
    frame = next_frame(source)
    assert frame.sequence == before
    assert source.faults == 1
    source.close()


@pytest.mark.parametrize(
    ("picture", "red"), [(np.full((48, 64), 0x8012, np.uint16), 128), (np.full((48, 64, 3), 0.2, np.float32), 51)]
)
def test_a_camera_of_more_than_eight_bits_is_a_source_too(picture: NDArray[Any], red: int) -> None:
    machine = Machine(0)
    machine.picture = picture
    source = CameraSource(0, (32, 32), machine.open)
    frame = next_frame(source)
    assert frame.pixels[5, 5, 0] == red
    source.close()


def test_an_empty_picture_of_a_camera_is_left_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(0)
    machine.picture = np.zeros((0, 0, 3), np.uint8)
    source = CameraSource(0, (32, 32), machine.open)
    until(lambda: source.faults >= 3)
    assert source.frames == 0
    assert [record.message for record in caplog.records] == [
        "source camera:0: a picture of uint8 [0, 0, 3]; it takes [H, W] with 1, 3 or 4 channels"
    ]
    machine.picture = np.full((48, 64, 3), 9, np.uint8)
    next_frame(source)
    source.close()


def test_closing_releases_the_camera() -> None:
    machine = Machine(0)
    source = CameraSource(0, (32, 32), machine.open)
    source.close()
    source.close()
    assert machine.open_now == 0


def test_a_camera_that_is_not_there_names_those_that_are() -> None:
    machine = Machine(1, 2)
    with pytest.raises(UserError, match=r"Can't open camera 0; use camera:1, camera:2\."):
        CameraSource(0, (32, 32), machine.open)
    assert machine.open_now == 0


def test_a_machine_without_a_camera_says_what_to_do(capfd: pytest.CaptureFixture[str]) -> None:
    if open_camera(9).isOpened():
        pytest.skip("this machine has ten cameras")
    with pytest.raises(UserError, match="Can't open camera 9; ") as caught:
        open_source("camera:9", (32, 32))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_windows_drivers_are_tried_in_turn_and_ffmpeg_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Driver:
        def __init__(self, index: int, backend: int = cv2.CAP_ANY) -> None:
            self.backend = backend
            asked.append(backend)

        def isOpened(self) -> bool:
            return self.backend == cv2.CAP_DSHOW

        def set(self, name: int, value: float) -> None: ...

    monkeypatch.setattr(cv2, "VideoCapture", Driver)
    monkeypatch.setattr(sys, "platform", "win32")
    assert open_camera(1).isOpened()
    assert asked == [cv2.CAP_MSMF, cv2.CAP_DSHOW]


def test_a_driver_that_hangs_while_opening_does_not_hang_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CameraSource, "OPEN_SECONDS", 0.05)
    monkeypatch.setattr(CameraSource, "CLOSE_SECONDS", 0.05)
    hang = threading.Event()

    def never(index: int) -> FakeCamera:
        hang.wait(20)
        return Machine(0).open(index)

    with pytest.raises(UserError, match="camera:0 did not answer within 0 s; close the program"):
        CameraSource(0, (32, 32), never)
    hang.set()


def test_real_opencv_has_what_the_camera_uses() -> None:
    capture = cv2.VideoCapture()
    assert not capture.isOpened()
    assert capture.read()[0] is False
    capture.release()
