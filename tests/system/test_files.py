"""Files that are about to be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamvace.system.errors import UserError
from streamvace.system.files import check_output, check_writable


def test_a_file_that_cannot_be_written_is_refused_and_none_is_made(tmp_path: Path) -> None:
    check_writable(tmp_path / "figures.json", "stats file")
    with pytest.raises(UserError, match="there is no folder"):
        check_writable(tmp_path / "nowhere" / "figures.json", "stats file")
    with pytest.raises(UserError, match="is a folder"):
        check_writable(tmp_path, "stats file")
    assert list(tmp_path.iterdir()) == []


def test_a_film_is_never_lost_by_accident(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    check_output(film, overwrite=False)
    film.write_bytes(b"precious")
    with pytest.raises(UserError, match="--overwrite"):
        check_output(film, overwrite=False)
    check_output(film, overwrite=True)
    assert film.read_bytes() == b"precious"
