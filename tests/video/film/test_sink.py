from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.records.frame import Frame
from streamvace.system.errors import UserError
from streamvace.video.core.rate import exact_rate
from streamvace.video.endpoints import open_sink
from streamvace.video.film import writer as writer_module
from streamvace.video.film.decode import Video, file_info, to_rgba
from streamvace.video.film.format import FORMATS
from streamvace.video.film.sink import FileSink
from streamvace.video.film.source import read_frames
from streamvace.video.film.writer import VideoWriter
from tests.patience import PATIENCE_S
from tests.video.helpers import shade, shade_index, until

SIZE = (64, 48)


def grey(index: int) -> NDArray[np.uint8]:
    return np.full((SIZE[1], SIZE[0], 4), shade(index), np.uint8)


def frame(index: int) -> Frame:
    return Frame(grey(index), 0, "test", index)


class SlowWriter(VideoWriter):
    """A writer that waits for a permit before each frame."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, SIZE, 10.0)
        self.permits = threading.Semaphore(0)
        self.asked = 0

    def write(self, pixels: NDArray[np.uint8], index: int | None = None) -> None:
        self.asked += 1
        assert self.permits.acquire(timeout=20)
        super().write(pixels, index)


class FullDisk(VideoWriter):
    def write(self, pixels: NDArray[np.uint8], index: int | None = None) -> None:
        raise OSError(28, "No space left on device")


def test_everything_written_offline_comes_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with VideoWriter(path, SIZE, 24) as writer:
        for index in range(10):
            writer.write(grey(index))
    assert [shade_index(pixels) for pixels in read_frames(path, SIZE)] == list(range(10))
    info = file_info(path)
    assert (info.width, info.height, info.rate, info.frames) == (64, 48, 24.0, 10)


def test_colours_survive_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    patches = np.zeros((48, 96, 4), np.uint8)
    for column, colour in enumerate([(220, 30, 40), (30, 200, 60), (40, 60, 230)]):
        patches[:, column * 32 : column * 32 + 32, :3] = colour
    with VideoWriter(path, (96, 48), 24) as writer:
        writer.write(patches)
    (back,) = read_frames(path, (96, 48))
    inner = np.abs(back.astype(int) - patches)[8:40, [16, 48, 80], :3]
    assert inner.max() <= 4


def test_there_is_no_half_written_file_under_the_final_name(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    writer = VideoWriter(path, SIZE, 24)
    writer.write(grey(0))
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.part.mp4"]
    writer.close()
    writer.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]


def test_a_failure_while_rendering_leaves_nothing_and_keeps_the_older_film(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"older")
    writer = VideoWriter(path, SIZE, 24)

    def render() -> None:
        with writer:
            writer.write(grey(0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]
    assert path.read_bytes() == b"older"


def test_a_film_whose_name_is_in_use_is_kept_and_its_place_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows, while a player has the older film open."""

    def in_use(source: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(writer_module, "replace_file", in_use)
    writer = VideoWriter(tmp_path / "film.mp4", SIZE, 24)
    for index in range(3):
        writer.write(grey(index))
    with pytest.raises(UserError, match=r"film\.mp4 cannot be replaced .*; the film is complete in .*film\.part\.mp4"):
        writer.close()
    assert len(list(read_frames(tmp_path / "film.part.mp4", SIZE))) == 3


def test_a_film_without_a_frame_is_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", SIZE, 24):
        pass
    assert list(tmp_path.iterdir()) == []


def test_odd_sides_lose_a_pixel_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.mov"
    with VideoWriter(path, (65, 49), 24) as writer:
        writer.write(np.zeros((49, 65, 4), np.uint8))
    assert (file_info(path).width, file_info(path).height) == (64, 48)


def test_a_recording_holds_what_was_published(tmp_path: Path) -> None:
    path = tmp_path / "live ü.mp4"
    sink = open_sink(str(path), SIZE, 10.0)
    assert isinstance(sink, FileSink)
    for index in range(10):
        sink.publish(frame(index))
    sink.close()
    sink.close()
    assert [shade_index(pixels) for pixels in read_frames(path, SIZE)] == list(range(10))
    assert sink.dropped == sink.faults == 0


def test_a_slow_file_sink_drops_and_counts_and_keeps_the_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileSink, "QUEUED", 2)
    path = tmp_path / "slow.mp4"
    writer = SlowWriter(path)
    sink = FileSink(writer, 10.0)
    sink.publish(frame(0))
    writer.permits.release()
    until(lambda: writer.frames == 1)
    sink.publish(frame(1))
    until(lambda: writer.asked == 2)  # frame 1 is being written, so the queue is empty
    for index in range(2, 9):
        sink.publish(frame(index))
    assert sink.dropped == 5
    for _ in range(4):
        writer.permits.release()
    until(lambda: writer.asked == 4)
    sink.publish(frame(9))
    sink.close()
    shown = [(round(start * 10), shade_index(to_rgba(picture))) for start, _, picture in Video(path).frames()]
    assert shown == [(0, 0), (1, 1), (2, 2), (3, 3), (9, 9)]


def test_nothing_is_lost_while_the_encoder_starts_and_afterwards_a_second_may_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileSink, "QUEUED", 2)
    writer = SlowWriter(tmp_path / "late.mp4")
    sink = FileSink(writer, 10.0)
    for index in range(10):
        sink.publish(frame(index))
    assert sink.dropped == 0
    for _ in range(10):
        writer.permits.release()
    until(lambda: writer.frames == 10)
    sink.publish(frame(0))
    until(lambda: writer.asked == 11)  # what piled up is written, and this one is being written
    for index in range(9):
        sink.publish(frame(index))
    assert sink.dropped == 9 - 2
    for _ in range(3):
        writer.permits.release()
    sink.close()
    assert file_info(tmp_path / "late.mp4").frames == 13


def test_an_encoder_that_never_starts_holds_a_bounded_amount_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileSink, "QUEUED", 2)
    monkeypatch.setattr(FileSink, "STARTING_BYTES", 5 * grey(0).nbytes)
    writer = SlowWriter(tmp_path / "never.mp4")
    sink = FileSink(writer, 10.0)
    sink.publish(frame(0))
    until(lambda: writer.asked == 1)
    for index in range(1, 9):
        sink.publish(frame(index))
    assert sink.dropped == 8 - 5
    for _ in range(6):
        writer.permits.release()
    sink.close()


def test_what_waits_at_the_end_is_written_as_long_as_the_encoder_takes_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty seconds for each frame, without waiting for them."""
    writer = SlowWriter(tmp_path / "slow.mp4")
    sink = FileSink(writer, 10.0)
    for index in range(5):
        sink.publish(frame(index))
    join = sink._thread.join

    def half_a_minute(timeout: float) -> None:
        written = writer.frames
        writer.permits.release()
        until(lambda: writer.frames == written + 1)
        if writer.frames == 5:
            join(PATIENCE_S)
        else:
            until(lambda: writer.asked == written + 2)

    monkeypatch.setattr(sink._thread, "join", half_a_minute)
    sink.close()
    assert (sink.faults, sink.dropped) == (0, 0)
    assert file_info(tmp_path / "slow.mp4").frames == 5


def test_an_encoder_that_hangs_at_the_end_is_given_up_and_the_part_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    writer = SlowWriter(tmp_path / "hangs.mp4")
    sink = FileSink(writer, 10.0, lines.append)
    sink.publish(frame(0))
    until(lambda: writer.asked == 1)
    join = sink._thread.join
    monkeypatch.setattr(sink._thread, "join", lambda timeout: None)
    sink.close()
    assert lines == [f"the encoder did nothing for 30 s; see {writer.part}"]
    writer.permits.release()
    join(PATIENCE_S)


def test_a_full_disk_is_reported_once_and_the_show_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "full.mp4"
    sink = FileSink(FullDisk(path, SIZE, 10.0), 10.0)
    for index in range(5):
        sink.publish(frame(index))
    sink.close()
    assert sink.faults == 1
    assert "No space left on device" in sink.last_fault
    assert sink.dropped == 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [("out.avi", r"ends in \.mp4 or \.mov; try out\.mp4"), ("nowhere/out.mp4", "does not exist; create it first")],
)
def test_a_name_that_cannot_be_written_says_so_at_once(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        VideoWriter(tmp_path / name, SIZE, 24)


@pytest.mark.parametrize("folder", ["out.part.mp4", "out.mp4"])
def test_a_name_that_is_a_folder_says_so_at_once(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    with pytest.raises(UserError, match="choose another name"):
        VideoWriter(tmp_path / "out.mp4", SIZE, 24)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (24.0, Fraction(24)),
        (23.976, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (60.0, Fraction(60)),
        (12.5, Fraction(25, 2)),
        (0.5, Fraction(1, 2)),
    ],
)
def test_rates_are_written_as_video_knows_them(rate: float, expected: Fraction) -> None:
    assert exact_rate(rate) == expected


class Ledger(VideoWriter):
    """Notes which picture went to which place of the film."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, SIZE, 10.0)
        self.places: list[tuple[int, int | None]] = []

    def write(self, pixels: NDArray[np.uint8], index: int | None = None) -> None:
        self.places.append((shade_index(pixels), index))
        super().write(pixels, index)


@pytest.mark.parametrize(
    ("rate", "places"),
    [(20.0, [(1, 0), (3, 1), (5, 2)]), (5.0, [(0, 0), (1, 2), (2, 4), (3, 6), (4, 8), (5, 10)])],
)
def test_a_film_keeps_its_speed_when_the_output_rate_changes(
    tmp_path: Path, rate: float, places: list[tuple[int, int]]
) -> None:
    writer = Ledger(tmp_path / "out.mp4")
    sink = FileSink(writer, 10.0)
    sink.set_rate(rate)
    for index in range(6):
        sink.publish(frame(index))
    sink.close()
    assert (sink.dropped, writer.places) == (0, places)


def coloured() -> NDArray[np.uint8]:
    """Smooth colours, with a mask that has every alpha."""
    pixels = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    pixels[..., 0] = np.linspace(30, 220, SIZE[0])[None, :]
    pixels[..., 1] = np.linspace(220, 30, SIZE[1])[:, None]
    pixels[..., 2] = 90
    pixels[..., 3] = np.linspace(0, 255, SIZE[0])[None, :]
    return pixels


@pytest.mark.parametrize(("name", "colour", "alpha"), [("prores", 4, 1), ("png", 0, 0), ("qtrle", 0, 0)])
def test_a_film_with_alpha_holds_colours_and_alpha(tmp_path: Path, name: str, colour: int, alpha: int) -> None:
    path = tmp_path / "alpha.mov"
    sink = open_sink(f"file:{path}?format={name}", SIZE, 25.0)
    for index in range(5):
        sink.publish(Frame(coloured(), 0, "test", index))
    sink.close()
    frames = list(read_frames(path, SIZE))
    assert len(frames) == 5
    difference = np.abs(frames[-1].astype(int) - coloured())
    assert difference[..., :3].max() <= colour
    assert difference[..., 3].max() <= alpha


def test_a_picture_without_alpha_is_opaque_in_a_film_that_has_one(tmp_path: Path) -> None:
    path = tmp_path / "opaque.mov"
    with VideoWriter(path, SIZE, 25.0, FORMATS["png"]) as writer:
        writer.write(coloured()[..., :3])
    (frame,) = read_frames(path, SIZE)
    assert (frame[..., 3] == 255).all()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("take.mp4?format=prores", r"cannot write take\.mp4: a video file ends in \.mov; try take\.mov"),
        ("take.mov?format=gif", "unknown format 'gif': there is h264, prores, png, qtrle"),
    ],
)
def test_a_format_that_does_not_fit_says_what_does(tmp_path: Path, address: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        open_sink(f"file:{tmp_path}/{address}", SIZE, 25.0)


def test_a_film_whose_writer_was_killed_can_be_played_almost_to_its_end(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "killed.mp4", SIZE, 10.0)
    noise = np.random.default_rng(0)
    for _ in range(200):
        writer.write(noise.integers(0, 255, (SIZE[1], SIZE[0], 4), dtype=np.uint8))
    left = tmp_path / "left.mp4"
    left.write_bytes(writer.part.read_bytes())
    writer.abort()
    count = 0
    try:
        for _ in read_frames(left, SIZE):
            count += 1
    except UserError:  # where it breaks off
        pass
    assert count >= 100
