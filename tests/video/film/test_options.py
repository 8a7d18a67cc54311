"""How a file is played: speed, beginning, end, and pictures in a folder."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamvace.system.errors import UserError
from streamvace.video.endpoints import open_source
from streamvace.video.film.sequence import sequence_files
from streamvace.video.film.source import FileOptions, FileSource, clip_info, parse_file, read_frames
from tests.video.helpers import HandClock, next_frame, shade, shade_index, until, write_clip, write_exr

SIZE = (64, 48)

Play = Callable[..., list[int]]


def write_picture(path: Path, grey: int) -> Path:
    assert cv2.imwrite(str(path), np.full((48, 64, 3), grey, np.uint8))
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Eleven pictures, numbered without leading zeros: 10 comes after 9, not after 1. Beside them what is no picture:
    notes, and the files that systems and editors hide."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for index in range(11):
        write_picture(folder / f"shot_{index}.png", shade(index))
    for name in ("notes.txt", "._shot_3.png", ".shot_4.png", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (folder / name).write_bytes(b"\x00\x05\x16\x07 no picture")
    return folder


@pytest.fixture
def played(hand_clock: HandClock) -> Iterator[Play]:
    """Plays an address on the hand clock; gives the shade seen at each moment asked for."""
    opened: list[FileSource] = []

    def play(address: str, *seconds: float) -> list[int]:
        path, options = parse_file(address)
        source = FileSource(path, SIZE, clock=hand_clock, options=options)
        opened.append(source)
        seen = []
        for moment in seconds:
            hand_clock.move_to(moment)
            seen.append(shade_index(next_frame(source).pixels))
        return seen

    yield play
    for source in opened:
        source.close()


def test_half_speed_holds_every_frame_twice_as_long(counting_clip: Path, played: Play) -> None:
    assert played(f"{counting_clip}?rate=0.5", 0, 0.2, 0.4, 0.6) == [0, 1, 2, 3]


def test_double_speed_ends_a_pass_in_half_the_time(counting_clip: Path, played: Play) -> None:
    moments = [index / 20 for index in range(12)]
    assert played(f"{counting_clip}?rate=2", *moments) == [*range(10), 0, 1]


def test_a_start_is_left_out_of_every_pass(counting_clip: Path, played: Play) -> None:
    moments = [index / 10 for index in range(9)]
    assert played(f"{counting_clip}?start=0.6", *moments) == [6, 7, 8, 9] * 2 + [6]


def test_without_a_loop_the_last_frame_is_held(counting_clip: Path, played: Play) -> None:
    moments = [*(index / 10 for index in range(10)), 1.0, 1.1, 9.0]
    assert played(f"{counting_clip}?loop=0", *moments) == [*range(10), 9, 9, 9]


@settings(max_examples=15)
@given(start=st.integers(0, 9))
def test_a_start_falls_on_its_frame_wherever_the_key_frames_are(
    start: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    clip = tmp_path_factory.getbasetemp() / "keyed.mp4"
    if not clip.exists():
        write_clip(clip, 10)
    source = FileSource(clip, SIZE, clock=HandClock(), options=FileOptions(start=start / 10))
    assert shade_index(next_frame(source).pixels) == start
    source.close()


@pytest.mark.parametrize("written", ["", "/*.png", "/shot_*.png", "/shot_%d.png"])
def test_a_folder_or_a_pattern_is_a_sequence_in_the_order_of_its_numbers(pictures: Path, written: str) -> None:
    path = Path(f"{pictures}{written}")
    assert [shade_index(pixels) for pixels in read_frames(path, SIZE)] == list(range(11))
    info = clip_info(path)
    assert (info.width, info.height, info.rate, info.frames) == (64, 48, 24.0, 11)


def test_a_picture_that_windows_hides_is_left_out(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Path.stat

    def stat(path: Path, **how: bool) -> object:
        found = known(path, **how)
        attributes = 2 if path.name == "shot_5.png" else 32
        return SimpleNamespace(st_mode=found.st_mode, st_file_attributes=attributes)

    monkeypatch.setattr(Path, "stat", stat)
    assert [path.name for path in sequence_files(pictures)] == [f"shot_{n}.png" for n in range(11) if n != 5]


def test_a_sequence_plays_at_its_rate_from_its_start(pictures: Path, played: Play) -> None:
    assert played(f"{pictures}?fps=10&start=0.9", 0, 0.1, 0.2, 0.3) == [9, 10, 9, 10]


def test_a_picture_that_cannot_be_read_is_said_once_and_the_one_before_it_stays(
    pictures: Path, hand_clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    (pictures / "shot_1.png").write_bytes(b"not a picture")
    source = FileSource(pictures, SIZE, clock=hand_clock, options=FileOptions(fps=10))
    seen = []
    for index in (0, 2, 3, *range(4, 11), 11, 13):
        hand_clock.move_to(index / 10)
        seen.append(shade_index(next_frame(source).pixels))
    assert seen == [0, 2, 3, *range(4, 11), 0, 2]
    source.close()
    assert len([line for line in caplog.messages if "shot_1.png" in line]) == 1
    with pytest.raises(UserError, match=r"shot_1\.png is no video or picture"):
        list(read_frames(pictures, SIZE))


def test_a_sequence_of_sixteen_bits_and_one_of_floats_are_sources(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)
    deep = np.broadcast_to(ramp[None, :, None], (48, 64, 3))
    assert cv2.imwrite(str(tmp_path / "deep.png"), np.ascontiguousarray(deep))
    light = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], (48, 64, 3))
    write_exr(tmp_path / "light.exr", light, "gbrpf32le", "float")
    (deep_pixels,) = read_frames(tmp_path / "deep.png", SIZE)
    assert np.abs(deep_pixels[0, :, 0].astype(int) - ramp / 257).max() <= 2
    (light_pixels,) = read_frames(tmp_path / "light.exr", SIZE)
    linear = np.linspace(0, 1, 64)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055) * 255
    assert np.abs(light_pixels[0, :, 0].astype(int) - srgb).max() <= 2


def test_a_video_damaged_in_the_middle_plays_what_is_whole_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "broken.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=100)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        for index in range(10):
            grey = np.random.default_rng(index).integers(0, 255, (48, 64, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey)))
        container.mux(stream.encode())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes(3000) + whole[len(whole) // 2 + 3000 :])
    source = FileSource(path, SIZE)
    until(lambda: source.passes + source.faults >= 3)
    assert source.frames + source.late >= 9
    source.close()
    assert len(caplog.messages) == len(set(caplog.messages)) <= 1


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("rate=0", "rate is from 0.01 to 100, not 0"),
        ("fps=0", "fps is from 0.1 to 1000, not 0"),
        ("start=-1", "start is 0 seconds or more, not -1"),
        ("start=5", "lasts 1.0 s and start is 5; start earlier"),
        ("speed=2", "there is loop, rate, start, fps"),
    ],
)
def test_a_wrong_option_is_one_line(counting_clip: Path, options: str, line: str) -> None:
    with pytest.raises(UserError, match=line) as caught:
        open_source(f"file:{counting_clip}?{options}", SIZE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_pattern_with_accents_finds_names_in_both_spellings(tmp_path: Path, form: Literal["NFC", "NFD"]) -> None:
    forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
    for number, stored in enumerate(forms):
        _, png = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))  # imwrite knows no accents on Windows
        (tmp_path / f"{unicodedata.normalize(stored, 'é')}_{number}.png").write_bytes(png.tobytes())
    pattern = unicodedata.normalize(form, "é_%d.png")
    assert [path.name[-5] for path in sequence_files(tmp_path / pattern)] == ["0", "1"]


def test_a_folder_without_pictures_says_what_a_sequence_is_of(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no pictures in .*: a sequence is of .*\.png"):
        open_source(f"file:{tmp_path}", SIZE)
    with pytest.raises(UserError, match="no pictures in"):
        sequence_files(tmp_path / "shot_*.png")


def test_a_name_with_a_question_mark_is_that_file(tmp_path: Path, counting_clip: Path) -> None:
    odd = tmp_path / "why?rate=2.mp4"
    try:
        counting_clip.rename(odd)
    except OSError:
        warnings.warn("this system allows no such name", stacklevel=1)
        return
    assert parse_file(str(odd)) == (odd, FileOptions())
