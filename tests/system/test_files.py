"""Files that are about to be written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streamvace.system import files
from streamvace.system.errors import UserError
from streamvace.system.files import check_output, check_writable, make_folders, new_file, read_text, replace_file
from tests.links import needs_links


def test_a_file_that_cannot_be_written_is_refused_and_none_is_made(tmp_path: Path) -> None:
    check_writable(tmp_path / "figures.json", "stats file")
    with pytest.raises(UserError, match="there is no folder"):
        check_writable(tmp_path / "nowhere" / "figures.json", "stats file")
    with pytest.raises(UserError, match="is a folder"):
        check_writable(tmp_path, "stats file")
    assert list(tmp_path.iterdir()) == []


class Busy:
    """Stands for a call that Windows refuses while another program has the file open."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.replace = os.replace

    def __call__(self, source: Path, target: Path) -> None:
        if self.refusals:
            self.refusals -= 1
            raise PermissionError(13, "Permission denied")
        self.replace(source, target)


def test_a_file_that_is_open_elsewhere_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"precious")
    check_output(film, overwrite=True)
    if os.name == "nt":
        with film.open("rb"), pytest.raises(UserError, match="close the program that uses it"):
            check_output(film, overwrite=True)
    monkeypatch.setattr(files.os, "rename", Busy(1))
    with pytest.raises(UserError, match=r"film\.mp4 cannot be replaced .*; close the program that uses it"):
        check_output(film, overwrite=True)
    assert film.read_bytes() == b"precious"


def test_a_file_is_replaced_as_soon_as_a_scanner_lets_it_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    new.write_bytes(b"new")
    old.write_bytes(b"old")
    monkeypatch.setattr(files, "_RETRY_S", 0.0)
    monkeypatch.setattr(files.os, "replace", Busy(3))
    replace_file(new, old)
    assert old.read_bytes() == b"new"
    new.write_bytes(b"newer")
    monkeypatch.setattr(files, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(files.os, "replace", Busy(2))
    with pytest.raises(PermissionError):
        replace_file(new, old)
    assert (new.read_bytes(), old.read_bytes()) == (b"newer", b"new")


@needs_links
def test_a_new_file_replaces_a_link_instead_of_following_it(tmp_path: Path) -> None:
    victim, part = tmp_path / "victim", tmp_path / "take.part"
    victim.write_bytes(b"precious")
    for target in (victim, tmp_path / "nothing"):
        part.symlink_to(target)
        with new_file(part) as file:
            file.write(b"new")
        assert not part.is_symlink()
        assert part.read_bytes() == b"new"
        part.unlink()
    assert [entry.name for entry in tmp_path.iterdir()] == ["victim"]
    assert victim.read_bytes() == b"precious"


@needs_links
def test_a_link_that_appears_while_a_file_is_made_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = tmp_path / "take.part"
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok: part.symlink_to(tmp_path / "nothing"))
    with pytest.raises(FileExistsError):
        new_file(part)
    assert not (tmp_path / "nothing").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows, which has no handles of folders")
def test_folders_are_made_inside_each_other_and_no_link_between_them_is_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "media", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    for _ in range(2):
        make_folders(root, root / "a" / "b")
    assert (root / "a" / "b").is_dir()
    (root / "a" / "link").symlink_to(outside)  # as if it came after the path was checked
    with pytest.raises(OSError, match="link"):
        make_folders(root, root / "a" / "link" / "new")
    assert list(outside.iterdir()) == []


def test_a_film_is_never_lost_by_accident(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    check_output(film, overwrite=False)
    film.write_bytes(b"precious")
    with pytest.raises(UserError, match="--overwrite"):
        check_output(film, overwrite=False)
    check_output(film, overwrite=True)
    assert film.read_bytes() == b"precious"


def test_a_text_is_read_without_its_byte_order_mark_and_what_is_no_text_of_that_size_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf{}")
    assert read_text(path, 1 << 20, "a list") == "{}"
    path.write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(UserError, match="larger than 1 MB; not a list"):
        read_text(path, 1 << 20, "a list")
    path.write_bytes(b"a\xff")
    with pytest.raises(UserError, match=r"not UTF-8 \(byte 1\); save it as UTF-8"):
        read_text(path, 1 << 20, "a list")
    with pytest.raises(UserError, match="cannot be read"):
        read_text(tmp_path, 1 << 20, "a list")
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "b.json", 1 << 20, "a list")
