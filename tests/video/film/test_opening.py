"""A file that cannot be opened is one line with its own reason; converting is advised only where that helps."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import islice
from pathlib import Path
from random import Random

import av
import cv2
import numpy as np
import pytest

from streamvace.system.errors import UserError
from streamvace.video.film.decode import Video, file_info
from streamvace.video.film.limits import FileLimits
from streamvace.video.film.source import read_frames
from streamvace.video.film.writer import VideoWriter
from tests.video.film.files import cut_off, exif_picture, film, frame_of, tiled_avif
from tests.video.helpers import shade, write_clip


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        Video(path)
    line = str(caught.value)
    assert "\n" not in line
    assert "Errno" not in line
    return line


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", r"clip.mp4 is empty (0 bytes); copy or record it again"),
        (b"\x00\x05\x16\x07" + bytes(100), "holds no picture: macOS keeps notes in it"),
        (b"not a video at all", "is no video or picture that can be read here"),
        (bytes(1000), "is no video or picture that can be read here"),
        (b"\x1aE\xdf\xa3" + bytes(100), "is damaged or not complete"),
        (b"RIFF\0\0\0\0AVI " + bytes(100), "is damaged or not complete"),
    ],
)
def test_each_reason_is_named_and_none_asks_to_convert(tmp_path: Path, content: bytes, line: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    assert line in refusal(path)
    assert "convert" not in refusal(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif", ".ppm", ".jp2"])
def test_a_picture_opens_whose_file_is_longer_than_the_part_that_is_looked_at_first(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"photo{suffix}"
    cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 255, (96, 96, 3), np.uint8))
    assert path.stat().st_size > 4096
    assert file_info(path).width == 96
    if suffix == ".jpg":
        assert file_info(path.rename(tmp_path / "photo.png")).width == 96, "the content decides"


def test_a_name_is_a_name_and_not_a_pattern_of_other_names(tmp_path: Path) -> None:
    for name, level in (("shot_%d.png", 200), ("shot_0.png", 0)):
        cv2.imwrite(str(tmp_path / name), np.full((8, 8, 3), level, np.uint8))
    (pixels,) = read_frames(tmp_path / "shot_%d.png", (8, 8))
    assert pixels[0, 0, 0] == 200


@pytest.mark.skipif(os.name == "nt", reason="Windows has no names with a colon")
def test_a_name_is_a_name_and_not_a_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "clip.mp4", 2).rename("concat:a.mp4")
    assert len(list(read_frames(Path("concat:a.mp4"), (8, 8)))) == 2
    with VideoWriter(Path("take:2.mp4"), (64, 48), 10) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
    assert file_info(tmp_path / "take:2.mp4").frames == 1


def test_the_companion_that_macos_writes_names_the_film(tmp_path: Path) -> None:
    (tmp_path / "._clip.mp4").write_bytes(b"\x00\x05\x16\x07" + bytes(100))
    assert "name clip.mp4 beside it" in refusal(tmp_path / "._clip.mp4")


def test_a_film_that_was_never_finished_is_said_to_be_incomplete(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "take.mp4", 10)
    path.write_bytes(path.read_bytes()[:-600])
    assert "is damaged or not complete" in refusal(path)
    assert "convert" not in refusal(path)


def test_a_file_of_sound_says_so(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    assert "holds only sound; name a film or a picture" in refusal(path)


def test_an_unknown_codec_is_the_one_reason_to_convert(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "odd.mp4", 3)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    assert f'convert it with: ffmpeg -i "{path}"' in refusal(path)


@pytest.mark.skipif(not cv2.haveImageWriter(".avif"), reason="this OpenCV writes no AVIF, as on Windows")
def test_a_tiled_picture_is_refused_and_never_shows_one_tile(tmp_path: Path) -> None:
    line = refusal(tiled_avif(tmp_path / "phone.avif"))
    assert "is stored in 2 tiles, which cannot be assembled here; save it as .jpg or .png" in line


def test_texts_that_are_not_unicode_are_no_reason_to_refuse(tmp_path: Path) -> None:
    path = film(tmp_path / "a.avi", [frame_of(np.zeros((32, 32, 3), np.uint8))], "mpeg4", metadata={"title": "NAME"})
    path.write_bytes(path.read_bytes().replace(b"NAME", b"\xff\xfe\xe4\x80"))
    assert file_info(path).width == 32


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.avi"])
def test_a_film_that_is_cut_off_plays_what_is_there_and_then_says_what_is_missing(tmp_path: Path, name: str) -> None:
    codec = {".webm": "libvpx", ".avi": "mpeg4"}.get(Path(name).suffix, "libx264")
    path = cut_off(tmp_path / name, 0.5, codec)
    shown: list[object] = []
    with pytest.raises(UserError) as caught:
        shown.extend(read_frames(path, (64, 48)))
    count = len(shown)
    assert 0 < count < 40
    there = {".webm": "of 2.0 s"}.get(path.suffix, f"{count} of 50 frames")
    assert "is cut off" in str(caught.value)
    assert there in str(caught.value)
    assert "convert" not in str(caught.value)
    list(read_frames(cut_off(tmp_path / name, 1.0, codec), (64, 48)))


PLAYLISTS = {
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{film}\n#EXT-X-ENDLIST\n",
    "list.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
    "list.ffconcat": "ffconcat version 1.0\nfile {film}\n",
    "list.mkv": "ffconcat version 1.0\nfile {film}\n",
    "list.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    "list.mpd": "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>{film}</BaseURL></MPD>",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_plays_no_other_file_and_no_address(tmp_path: Path, name: str) -> None:
    (tmp_path / "media").mkdir()
    secret = write_clip(tmp_path / "secret.mp4", 3)
    for written in (str(secret), "../secret.mp4"):
        (tmp_path / "media" / name).write_text(PLAYLISTS[name].format(film=written))
        line = refusal(tmp_path / "media" / name)
        assert "is a playlist" in line
        assert "secret" not in line


def test_a_film_of_too_many_pixels_a_side_is_refused_with_both_numbers(tmp_path: Path) -> None:
    path = film(tmp_path / "wide.mkv", [frame_of(np.zeros((16, 8208, 3), np.uint8))], "ffv1")
    assert "is a film of 8208x16; at most 8192 pixels a side are read, raise it with --max-side" in refusal(path)


def test_a_film_that_grows_beyond_the_limit_while_it_plays_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [film(tmp_path / "small.h264", [frame_of(np.zeros((32, 32, 3), np.uint8))])]
    parts.append(film(tmp_path / "large.h264", [frame_of(np.zeros((128, 128, 3), np.uint8))]))
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert len(list(read_frames(path, (32, 32)))) == 2
    monkeypatch.setattr("streamvace.video.film.limits._in_force", FileLimits(megapixels=0.01, side=100))
    with pytest.raises(UserError, match="damaged"):
        list(read_frames(path, (32, 32)))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".png", ".webp"])
def test_bytes_changed_at_random_raise_nothing_but_the_error_for_the_user(tmp_path: Path, suffix: str) -> None:
    whole = tmp_path / f"whole{suffix}"
    if suffix in (".png", ".webp"):
        exif_picture(whole, 6)
    else:
        film(whole, [frame_of(np.full((32, 32, 3), shade(n), np.uint8)) for n in range(3)], metadata={"title": "abc"})
    data, random = whole.read_bytes(), Random(suffix)
    for _ in range(40):
        changed = bytearray(data)
        for _ in range(random.choice((1, 4, 16))):
            changed[random.randrange(len(changed))] = random.randrange(256)
        path = tmp_path / f"changed{suffix}"
        path.write_bytes(changed)
        for read in (file_info, lambda path: list(islice(read_frames(path, (32, 32)), 20))):
            with suppress(UserError):
                read(path)
