"""Paths as people write them: homes, addresses, and names whose accents the disk spells in the other way."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path

import pytest

from streamvace.system import paths
from streamvace.system.errors import UserError
from streamvace.system.paths import as_stored, from_uri, home_folder, user_path

NAMES = ["café.png", "각하.png", "ガギグ.png", "Ångström.png"]


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home folder."""

    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    monkeypatch.setattr(Path, "expanduser", lambda path: path if path.parts[:1] != ("~",) else nobody())


def test_without_a_home_folder_there_is_none_and_a_tilde_says_so_in_one_line(homeless: None) -> None:
    assert home_folder() is None
    assert user_path("clip.mp4") == Path("clip.mp4")
    with pytest.raises(UserError, match=r"^~[/\\]clip\.mp4: there is no home folder .*; write the whole path$"):
        user_path("~/clip.mp4")


@pytest.mark.skipif(os.name == "nt", reason="users of Windows have a home folder by another rule")
def test_a_user_whom_the_system_does_not_know_has_no_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert home_folder() is None


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    assert user_path("~/clip.mp4") == tmp_path / "clip.mp4"
    assert home_folder() == tmp_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("file:///clips/my%20clip.mp4", "/clips/my clip.mp4"),
        ("FILE://localhost/clips/100%25.mp4", "/clips/100%.mp4"),
        ("file:///caf%C3%A9.png", "/café.png"),
        ("file:///C:/clips/my%20clip.mp4", "C:/clips/my clip.mp4"),
        ("file:///c:", "c:"),
        ("file://host/share/a%20b.png", "//host/share/a b.png"),
        ("file:///a%2520b.png", "/a%20b.png"),
        ("file:clip%20a.mp4", "clip%20a.mp4"),
        ("my%20clip.mp4", "my%20clip.mp4"),
        (r"C:\clips\clip.mp4", r"C:\clips\clip.mp4"),
    ],
)
def test_an_address_is_decoded_once_and_anything_else_is_left_alone(text: str, path: str) -> None:
    assert from_uri(text) == path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stored", ["NFC", "NFD"])
def test_a_name_is_found_in_either_spelling_of_its_accents(tmp_path: Path, name: str, stored: str) -> None:
    folder = tmp_path / unicodedata.normalize(stored, "Überblendung") / "plain"  # type: ignore[arg-type]
    folder.mkdir(parents=True)
    file = folder / unicodedata.normalize(stored, name)  # type: ignore[arg-type]
    file.write_bytes(b"here")
    for given in ("NFC", "NFD"):
        asked = tmp_path / unicodedata.normalize(given, f"Überblendung/plain/{name}")  # type: ignore[arg-type]
        assert as_stored(asked).read_bytes() == b"here"
        assert user_path(str(asked)).read_bytes() == b"here"


def test_a_name_that_exists_as_it_is_given_is_that_file_and_a_new_one_keeps_its_spelling(tmp_path: Path) -> None:
    composed, decomposed = (tmp_path / unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD"))  # type: ignore[arg-type]
    assert as_stored(decomposed) == decomposed
    composed.write_bytes(b"composed")
    decomposed.write_bytes(b"decomposed")
    if composed.read_bytes() == b"composed":  # a file system that tells the spellings apart
        assert as_stored(composed).name == composed.name
        assert as_stored(decomposed).name == decomposed.name


@pytest.mark.parametrize(
    "name", ["con.mp4", "films/aux.mp4", "NUL", "lpt1.json", "com\u00b9.mov", "prn .png", "con/film.mp4"]
)
def test_on_windows_the_name_of_a_device_is_refused_before_it_is_opened(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "as_stored", lambda path: path)
    if os.name != "nt":
        assert user_path(name) == Path(name)
    monkeypatch.setattr(sys, "platform", "win32")
    assert user_path("console/film.con.mp4") == Path("console/film.con.mp4")
    with pytest.raises(UserError, match=r"Windows reserves the name .* for a device"):
        user_path(name)
