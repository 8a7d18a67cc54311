"""Pictures are decoded apart from the show: a bomb, a crash or a decoder that hangs costs one line and one picture."""

from __future__ import annotations

import os
import signal
import struct
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from streamvace.system.errors import UserError
from streamvace.video.film import picture_process
from streamvace.video.film.picture_process import PictureProcess
from streamvace.video.film.source import FileOptions, FileSource, read_frames
from streamvace.video.film.still import load_picture
from tests.video.film.files import bomb, corners, exif_picture
from tests.video.helpers import HandClock, next_frame, shade, shade_index, until

SIZE = (30, 20)


@pytest.fixture(scope="module")
def decoder() -> Iterator[PictureProcess]:
    made = PictureProcess()
    yield made
    made.close()


def test_it_gives_what_the_same_code_gives_here(decoder: PictureProcess, tmp_path: Path) -> None:
    path = exif_picture(tmp_path / "ä picture.png", 6)
    assert np.array_equal(decoder.load_picture(path), load_picture(path))
    ((start, seconds, picture),) = decoder.frames(path, SIZE, lambda line: None)
    assert (start, seconds) == (0.0, pytest.approx(1 / 24))
    assert np.array_equal(picture.frame.to_ndarray(format="rgba"), next(read_frames(path, SIZE)))


def test_it_starts_for_the_first_picture_and_stays(decoder: PictureProcess, tmp_path: Path) -> None:
    fresh = PictureProcess()
    assert fresh.pid is None
    path = exif_picture(tmp_path / "a.png", 1)
    decoder.load_picture(path)
    pid = decoder.pid
    decoder.load_picture(path)
    assert decoder.pid == pid
    assert pid not in (None, os.getpid())


def test_a_refusal_comes_back_in_its_own_words(decoder: PictureProcess, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no file none\.png"):
        decoder.load_picture(tmp_path / "none.png")
    with pytest.raises(UserError, match=r"has 81 megapixels .*--max-megapixels"):
        decoder.frames(bomb(tmp_path / "bomb.png", 9000), SIZE, lambda line: None)


def test_a_decoder_that_dies_costs_one_picture_and_the_next_one_is_read(
    decoder: PictureProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = exif_picture(tmp_path / "a.png", 1)
    decoder.load_picture(path)
    asked = picture_process._exchange

    def dies(child: object, request: dict[str, object]) -> object:
        assert decoder.pid is not None
        psutil.Process(decoder.pid).kill()
        return asked(child, request)  # type: ignore[arg-type]

    monkeypatch.setattr(picture_process, "_exchange", dies)
    with pytest.raises(UserError, match=r"a\.png ended its decoder \(code .*\); save it again"):
        decoder.load_picture(path)
    monkeypatch.undo()
    assert decoder.load_picture(path).shape == (32, 64, 4)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_picture_that_takes_for_ever_is_given_up(
    decoder: PictureProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = exif_picture(tmp_path / "a.png", 1)
    decoder.load_picture(path)
    assert decoder.pid is not None
    os.kill(decoder.pid, signal.SIGSTOP)
    monkeypatch.setattr(PictureProcess, "SECONDS", 0.05)
    with pytest.raises(UserError, match=r"takes longer than 0\.05 s"):
        decoder.load_picture(path)


@pytest.mark.skipif(sys.platform != "linux", reason="this system limits memory in another way, or not at all")
def test_its_memory_is_limited(decoder: PictureProcess, tmp_path: Path) -> None:
    decoder.load_picture(exif_picture(tmp_path / "a.png", 1))
    limit = psutil.Process(decoder.pid).rlimit(psutil.RLIMIT_DATA)[0]
    assert limit == picture_process.BASE_BYTES + 64_000_000 * picture_process.BYTES_A_PIXEL


@pytest.mark.parametrize("said", [b"\xff" * 100, struct.pack("<III", 2**31, 2**31, 0) + bytes(100), b""])
def test_an_answer_of_nonsense_is_none(said: bytes) -> None:
    class Child:
        stdin, stdout = BytesIO(), BytesIO(said)

    assert picture_process._exchange(Child(), {}) is None  # type: ignore[arg-type]


def test_the_process_ends_with_its_owner(tmp_path: Path) -> None:
    decoder = PictureProcess()
    decoder.load_picture(exif_picture(tmp_path / "a.png", 1))
    child = psutil.Process(decoder.pid)
    assert decoder._child is not None
    assert decoder._child.stdin is not None
    decoder._child.stdin.close()  # as when the owner is killed
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    decoder.close()
    decoder.close()


def test_a_still_input_is_decoded_there_and_costs_no_process_afterwards(
    tmp_path: Path, hand_clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[bool] = []
    start = picture_process._started
    monkeypatch.setattr(
        picture_process, "_started", lambda background: (started.append(background), start(background))[1]
    )
    path = exif_picture(tmp_path / "a.png", 8)
    source = FileSource(path, (32, 64), clock=hand_clock)
    shown = next_frame(source).pixels
    assert np.abs(shown[..., 0].astype(int) - corners()[:, ::-1, 0].T).max() < 2
    hand_clock.move_to(0.1)
    next_frame(source)
    assert source._pictures.pid is None
    assert started == [False]
    source.close()


def test_an_input_that_is_refused_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    start = picture_process._started

    def noted(in_background: bool) -> object:
        child = start(in_background)
        started.append(child.pid)
        return child

    monkeypatch.setattr(picture_process, "_started", noted)
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match="no video or picture"):
        FileSource(tmp_path / "a.png", SIZE)
    (pid,) = started
    assert not psutil.pid_exists(pid)


def test_a_sequence_is_decoded_there_picture_by_picture(tmp_path: Path, hand_clock: HandClock) -> None:
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((20, 30, 3), shade(index), np.uint8))
    source = FileSource(tmp_path, SIZE, clock=hand_clock, options=FileOptions(fps=10))
    seen = []
    for tick in range(4):
        hand_clock.move_to(tick / 10)
        seen.append(shade_index(next_frame(source).pixels))
    pid = source._pictures.pid
    assert seen == [0, 1, 2, 0]
    assert pid is not None
    source.close()
    assert not psutil.pid_exists(pid)


def test_a_picture_is_kept_at_no_more_pixels_than_a_show_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = exif_picture(tmp_path / "a.png", 1)
    monkeypatch.setattr("streamvace.video.film.still.LARGEST_PIXELS", 512)
    assert load_picture(path).shape == (16, 32, 4)


def test_a_picture_named_as_a_film_is_not_decoded_in_the_show(tmp_path: Path) -> None:
    path = exif_picture(tmp_path / "a.png", 1).rename(tmp_path / "a.mp4")
    with pytest.raises(UserError, match=r"holds a picture and has the name of a film; name it a\.png"):
        FileSource(path, SIZE)
