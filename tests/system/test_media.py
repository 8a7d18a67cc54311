"""What the media folder promises: a name means a file inside it, or one clear line; never anything else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder, default_media_folder


@pytest.fixture
def media(tmp_path: Path) -> MediaFolder:
    root = tmp_path / "media"
    (root / "refs").mkdir(parents=True)
    (root / "cat.png").write_bytes(b"cat")
    (root / "refs" / "a cat.png").write_bytes(b"another")
    (tmp_path / "secret.png").write_bytes(b"secret")
    return MediaFolder(root)


def refused(media: MediaFolder, name: str) -> str:
    with pytest.raises(UserError) as caught:
        media.find(name)
    line = str(caught.value)
    assert "\n" not in line
    with pytest.raises(UserError):
        media.place(name)
    return line


@pytest.mark.parametrize("name", ["refs/a cat.png", "refs\\a cat.png", "./refs//a cat.png"])
def test_a_name_is_found_however_its_parts_are_joined(media: MediaFolder, name: str) -> None:
    assert media.find(name).read_bytes() == b"another"


def test_an_absolute_path_into_the_folder_is_taken_as_a_file_dialogue_gives_it(media: MediaFolder) -> None:
    assert media.find(str(media.root / "cat.png")) == (media.root / "cat.png").resolve()


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        "refs/../../secret.png",
        "..\\secret.png",
        "/etc/passwd",
        "\\\\host\\share\\a.png",
        "//host/a.png",
    ],
)
def test_nothing_outside_the_folder_is_reached(media: MediaFolder, name: str) -> None:
    assert "outside the media folder" in refused(media, name)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "/", "C:\\a.png", "c:a.png", "cat.png:stream", "CON", "nul.png", "refs/com1.png", "LPT\u00b9.txt"),
        *("aux .png", "a\0b.png", "a\nb.png", "cat.png.", "cat.png ", "what?.png", "\ud800.png", "\\\\.\\pipe\\x"),
    ],
)
def test_names_that_windows_reads_otherwise_are_refused_everywhere(media: MediaFolder, name: str) -> None:
    assert "media folder" in refused(media, name)


def test_an_absolute_path_outside_is_refused(media: MediaFolder, tmp_path: Path) -> None:
    assert "outside the media folder" in refused(media, str(tmp_path / "secret.png"))
    assert "outside the media folder" in refused(media, str(media.root / ".." / "secret.png"))


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="links need rights on Windows")
def test_a_link_is_followed_inside_the_folder_and_refused_where_it_leads_out(
    media: MediaFolder, tmp_path: Path
) -> None:
    (media.root / "inner.png").symlink_to(media.root / "cat.png")
    (media.root / "outer.png").symlink_to(tmp_path / "secret.png")
    (media.root / "away").symlink_to(tmp_path)
    (media.root / "loop.png").symlink_to(media.root / "loop.png")
    assert media.find("inner.png").read_bytes() == b"cat"
    for name in ("outer.png", "away/secret.png"):
        refused(media, name)
    with pytest.raises(UserError):
        media.find("loop.png")


def test_a_folder_that_is_itself_a_link_serves_its_files(media: MediaFolder, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(media.root)
    linked = MediaFolder(tmp_path / "linked")
    assert linked.find("cat.png").read_bytes() == b"cat"
    assert linked.find(str(media.root / "cat.png")).read_bytes() == b"cat"


def test_a_missing_file_names_what_is_there_instead(media: MediaFolder, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cats\.png.*similar names: cat\.png"):
        media.find("cats.png")
    with pytest.raises(UserError, match="no file"):
        media.find("refs")
    with pytest.raises(UserError, match="--media"):
        MediaFolder(tmp_path / "nowhere").find("cat.png")
    with pytest.raises(UserError, match="no file"):
        media.find("x" * 600)


def test_a_file_to_be_written_gets_its_folder(media: MediaFolder) -> None:
    place = media.place("grabs/new.png")
    place.write_bytes(b"new")
    assert media.find("grabs/new.png").read_bytes() == b"new"
    with pytest.raises(UserError, match="cannot write"):
        media.place("cat.png/new.png")


def test_the_folder_must_be_one(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"")
    with pytest.raises(UserError, match="is a file"):
        MediaFolder(tmp_path / "film.mp4")


def test_the_folder_beside_the_user_goes_before_the_one_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_media_folder() == Path.home() / "streamvace" / "media"
    (tmp_path / "media").mkdir()
    assert default_media_folder() == tmp_path / "media"


PIECES = st.sampled_from(
    ["..", ".", "/", "\\", "refs", "cat.png", "a cat.png", ":", "C:", "~", "secret.png", " ", "\0"]
)


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=8).map("".join)))
def test_no_text_reaches_a_file_outside_or_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    base = tmp_path_factory.getbasetemp() / "any"
    (base / "media" / "refs").mkdir(parents=True, exist_ok=True)
    for inside in ("cat.png", "refs/a cat.png"):
        (base / "media" / inside).write_bytes(b"inside")
    (base / "secret.png").write_bytes(b"outside")
    try:
        found = MediaFolder(base / "media").find(name)
    except UserError:
        return
    assert found.read_bytes() == b"inside"
