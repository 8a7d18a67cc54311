"""Still pictures are read upright in RGBA, and one that is damaged or too large is one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from streamvace.system.errors import UserError
from streamvace.video.film.limits import FileLimits, set_file_limits
from streamvace.video.film.still import NAMED, load_picture
from tests.video.film.files import bomb


def draw(path: Path) -> Path:
    """A red picture whose left half is transparent."""
    picture = np.full((20, 30, 4), (10, 20, 200, 255), dtype=np.uint8)
    picture[:, :15, 3] = 0
    cv2.imwrite(str(path), picture)
    return path


@pytest.mark.parametrize("suffix", NAMED)
def test_every_picture_format_is_read_upright_in_rgba(tmp_path: Path, suffix: str) -> None:
    pixels = load_picture(draw(tmp_path / f"a{suffix}"))
    assert pixels.shape == (20, 30, 4)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels[10, 25, :3].astype(int) - (200, 20, 10)).max() <= 6  # JPEG is not exact
    opaque = suffix in (".jpg", ".jpeg")
    assert (pixels[:, :15, 3] == (255 if opaque else 0)).all()


def test_colours_under_transparency_stay_as_they_are(tmp_path: Path) -> None:
    assert load_picture(draw(tmp_path / "a.png"))[0, 0].tolist() == [200, 20, 10, 0]


def test_a_picture_with_the_suffix_of_another_kind_is_read(tmp_path: Path) -> None:
    assert load_picture(draw(tmp_path / "a.webp").rename(tmp_path / "a.png")).shape == (20, 30, 4)


def test_an_invalid_picture_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("#EXTM3U\n/etc/passwd\n")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "film.mp4").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    for name in ("text.png", "empty.jpg", "film.mp4", "folder.png", "missing.png"):
        with pytest.raises(UserError, match=name.replace(".", r"\.")) as caught:
            load_picture(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_picture_beyond_the_limit_is_not_decoded_even_to_look_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    opened = av.open

    def watched(*args: Any, **options: Any) -> Any:
        container = opened(*args, **options)
        seen.append(container.streams.video[0].codec_context.width)  # known once a frame was decoded
        return container

    monkeypatch.setattr(av, "open", watched)
    load_picture(draw(tmp_path / "a.png"))
    with pytest.raises(UserError, match=r"has 81 megapixels \(9000x9000\).*at most 64 .*--max-megapixels"):
        load_picture(bomb(tmp_path / "bomb.png", 9000))
    assert set(seen) <= {30, 0}


def test_the_limits_can_be_raised_and_lowered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamvace.video.film.limits._in_force", FileLimits())
    path = bomb(tmp_path / "large.png", 1200)
    set_file_limits(FileLimits(megapixels=1.5, side=1000))
    assert load_picture(path).shape == (1200, 1200, 4)
    set_file_limits(FileLimits(megapixels=1.4, side=1000))
    with pytest.raises(UserError, match=r"has 1 megapixels \(1200x1200\).*at most 1\.4 "):
        load_picture(path)
    set_file_limits(FileLimits(gigabytes=1e-8))
    with pytest.raises(UserError, match=r"has 0\.0 GB; at most 1e-08 .*--max-gigabytes"):
        load_picture(path)
