"""The page's server looks at real files: what it stores was decoded, and thumbnails are pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamvace.live.media_parts import SIZE, OpenInputs, _look, check, kind_of, thumbnail
from streamvace.system.errors import UserError
from streamvace.video.film.picture_process import PictureProcess
from streamvace.video.film.writer import VideoWriter


@pytest.fixture(scope="module")
def decoder() -> Iterator[PictureProcess]:
    process = PictureProcess()
    yield process
    process.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    red = np.zeros((90, 160, 3), np.uint8)
    red[..., 0] = 220
    cv2.imwrite(str(folder / "red.png"), red[..., ::-1])
    with VideoWriter(folder / "red.mp4", (160, 90), 12) as writer:
        writer.write(red)
    for name in ("torn.png", "torn.mp4"):
        whole = (folder / name.replace("torn", "red")).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])
    (folder / "list.mp4").write_bytes(b"#EXTM3U\nhttp://example.com/a.ts\n")
    return folder


@pytest.mark.parametrize("name", ["red.png", "red.mp4"])
def test_a_good_file_is_taken_and_its_thumbnail_shows_it(name: str, files: Path, decoder: PictureProcess) -> None:
    check(decoder, files / name)
    picture = cv2.imdecode(np.frombuffer(thumbnail(decoder, files / name), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[1::-1] == SIZE
    blue, green, red = picture.reshape(-1, 3).mean(0)
    assert red > 180
    assert max(blue, green) < 60


@pytest.mark.parametrize("name", ["torn.png", "torn.mp4", "list.mp4"])
def test_a_file_that_cannot_be_decoded_is_refused(name: str, files: Path, decoder: PictureProcess) -> None:
    with pytest.raises(UserError, match=name.partition(".")[0]):
        check(decoder, files / name)


def test_kinds_go_by_the_name() -> None:
    assert [kind_of(name) for name in ("a.PNG", "b.mp4", "c.exe", "png", "d.mov.txt")] == [
        "picture",
        "film",
        "",
        "",
        "",
    ]


def test_the_pattern_has_a_thumbnail_and_a_device_that_is_not_open_has_none() -> None:
    nothing = OpenInputs()
    pattern = _look("pattern:depth", nothing)
    assert pattern is not None
    assert pattern.startswith(b"\xff\xd8")
    assert [_look(address, nothing) for address in ("camera:0", "screen:1", "ndi:", "1")] == [None] * 4
    with pytest.raises(UserError, match="unknown pattern"):
        _look("pattern:none", nothing)
