"""What a film in a process of its own promises: it is whole, whatever happens to either side; nobody waits for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import psutil
import pytest

from streamvace.records.frame import Frame
from streamvace.system.errors import UserError
from streamvace.video.film.decode import file_info
from streamvace.video.film.format import FORMATS
from streamvace.video.film.process import _HEAD, FilmProcess, frames
from streamvace.video.film.sink import FileSink
from streamvace.video.film.source import read_frames
from tests.links import needs_links
from tests.video.helpers import shade, shade_index, until

SIZE = (256, 192)
"""Large enough that a pipe of any system holds less than one picture."""


def frame(index: int) -> Frame:
    return Frame(np.full((SIZE[1], SIZE[0], 4), shade(index % 10), np.uint8), 0, "test", index)


def film(path: Path) -> FilmProcess:
    return FilmProcess(path, SIZE, 10.0, FORMATS["h264"])


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """An encoder that hangs: its process gets no time at all."""
    process = psutil.Process(pid)
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def test_a_film_holds_what_was_written_at_its_place(tmp_path: Path) -> None:
    made = film(tmp_path / "live ü.mp4")
    for index in range(5):
        made.write(frame(index).pixels, index)
    made.close()
    made.close()
    assert [shade_index(pixels) for pixels in read_frames(made.path, SIZE)] == list(range(5))
    assert [entry.name for entry in tmp_path.iterdir()] == ["live ü.mp4"]


def test_a_film_without_a_frame_is_no_file(tmp_path: Path) -> None:
    film(tmp_path / "out.mp4").close()
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_hangs_holds_up_nobody_and_the_film_goes_on_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileSink, "QUEUED", 4)
    monkeypatch.setattr(FileSink, "STARTING_BYTES", 0)
    made = film(tmp_path / "out.mp4")
    sink = FileSink(made, 10.0)
    with stopped(made.pid):
        for index in range(40):
            sink.publish(frame(index))  # returns although nobody reads
        assert sink.dropped >= 40 - 4 - 1
    until(lambda: sink._queue.empty())
    sink.publish(frame(40))
    sink.close()
    assert sink.faults == 0
    assert file_info(made.path).frames == 41 - sink.dropped


def test_an_encoder_that_dies_is_reported_once_and_the_show_goes_on(tmp_path: Path) -> None:
    made = film(tmp_path / "out.mp4")
    sink = FileSink(made, 10.0)
    sink.publish(frame(0))
    psutil.Process(made.pid).kill()
    for index in range(1, 4):
        sink.publish(frame(index))
    sink.close()
    assert sink.faults == 1
    assert "the encoder's process ended with code" in sink.last_fault
    assert sink.dropped >= 2


def test_what_the_encoder_finds_out_comes_back_as_its_own_words(tmp_path: Path) -> None:
    made = FilmProcess(tmp_path / "out.mp4", (1, 1), 10.0, FORMATS["h264"])  # 4:2:0 leaves nothing of it
    with pytest.raises((OSError, UserError), match=r"cannot write|Invalid argument"):
        made.close()
    made.close()


def test_a_film_that_cannot_get_its_name_is_kept_and_the_one_line_says_where(tmp_path: Path) -> None:
    lines: list[str] = []
    made = film(tmp_path / "out.mp4")
    sink = FileSink(made, 10.0, lines.append)
    for index in range(3):
        sink.publish(frame(index))
    until(lambda: sink._queue.empty())  # the encoder has started
    made.path.mkdir()
    sink.close()
    (line,) = lines
    assert line.startswith(f"{made.path} cannot be replaced (")
    assert line.endswith(f"); the film is complete in {made.part}")
    assert (sink.faults, sink.last_fault) == (1, line)
    assert [shade_index(pixels) for pixels in read_frames(made.part, SIZE)] == list(range(3))


@pytest.mark.windows
@pytest.mark.skipif(sys.platform != "win32", reason="elsewhere a file that is open can be replaced")
def test_a_film_whose_older_one_is_open_in_a_player_is_kept_and_its_place_is_named(tmp_path: Path) -> None:
    made = film(tmp_path / "out.mp4")
    made.write(frame(0).pixels, 0)
    made.path.write_bytes(b"older")
    with made.path.open("rb"), pytest.raises(UserError, match=r"cannot be replaced .*; the film is complete in .*part"):
        made.close()
    assert made.path.read_bytes() == b"older"
    assert file_info(made.part).frames == 1


def test_a_folder_that_cannot_be_written_to_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "out.part.mp4").mkdir()
    with pytest.raises(UserError, match="choose another name"):
        film(tmp_path / "out.mp4")
    with pytest.raises(UserError, match="create it first"):
        film(tmp_path / "nowhere" / "out.mp4")


@needs_links
def test_a_planted_link_is_removed_and_never_written_through(tmp_path: Path) -> None:
    victim, dangling = tmp_path / "victim", tmp_path / "nothing"
    victim.write_bytes(b"precious")
    (tmp_path / "a.part.mp4").symlink_to(victim)
    (tmp_path / "b.part.mp4").symlink_to(dangling)
    for name in ("a.mp4", "b.mp4"):
        made = film(tmp_path / name)
        made.write(frame(0).pixels, 0)
        made.close()
        assert file_info(tmp_path / name).frames == 1
    assert victim.read_bytes() == b"precious"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.mp4", "b.mp4", "victim"]


def test_a_show_that_is_killed_leaves_a_film_that_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    show = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tests.video.film.test_process import film, frame\n"
        "made = film(Path(sys.argv[1]))\n"
        "[made.write(frame(index).pixels, index) for index in range(5)]\n"
        "os._exit(9)\n"
    )
    root = Path(__file__).resolve().parents[3]
    assert subprocess.run([sys.executable, "-c", show, str(path)], cwd=root).returncode == 9
    until(path.exists)
    assert [shade_index(pixels) for pixels in read_frames(path, SIZE)] == list(range(5))


def test_a_frame_that_breaks_off_is_left_out() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    whole = _HEAD.pack(7, 2, 3, 4) + pixels.tobytes()
    for end in range(len(whole)):
        ((place, picture),) = frames(BytesIO(whole + whole[:end]))
        assert place == 7
        assert np.array_equal(picture, pixels)
