"""What the media folder promises: a name means a file inside it, or one clear line; never anything else."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.system.errors import UserError
from streamvace.system.media import MAX_STORED, MediaFolder, default_media_folder, parts_below, safe_name
from tests.links import needs_links


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
        "/",
        "C:\\elsewhere\\x.png",
        "c:a.png",
        "C:",
        "\\\\.\\pipe\\x",
        "\\\\?\\C:\\x.png",
        "file:///etc/passwd",
        "file:///C:/elsewhere/x.png",
        "file://host/share/x.png",
        "file:///%2e%2e/%2e%2e/etc/passwd",
        "file:../secret.png",
    ],
)
def test_nothing_outside_the_folder_is_reached(media: MediaFolder, name: str) -> None:
    assert "outside the media folder" in refused(media, name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            ".",
            "cat.png:stream",
            "cat.png::$DATA",
            "refs:secret",
            "CON",
            "nul.png",
            "refs/com1.png",
            "LPT\u00b9.txt",
        ),
        *("aux .png", "a\0b.png", "a\nb.png", "cat.png.", "cat.png ", "what?.png", "\ud800.png", "refs /x.png"),
    ],
)
def test_names_that_windows_reads_otherwise_are_refused_everywhere(media: MediaFolder, name: str) -> None:
    assert "media folder" in refused(media, name)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (r"C:\Shows\Media\refs\a cat.png", ("refs", "a cat.png")),
        ("c:/shows/media/refs/a cat.png", ("refs", "a cat.png")),
        (r"\\HOST\share\media\a.png", ("a.png",)),
        (r"refs\a.png", ("refs", "a.png")),
        (r"C:\Shows\Media", ()),
        (r"C:\Shows\Media\..\secret.png", None),
        (r"C:\Shows\Media2\a.png", None),
        (r"C:\elsewhere\x.png", None),
        ("C:x.png", None),
        (r"\Shows\Media\a.png", None),
        (r"\\host\other\x.png", None),
        (r"\\?\UNC\host\other\x.png", None),
        ("//host/other/x.png", None),
        (r"x.png?\..\..\secret.mp4", None),
        ("D:\\Ku\u0308nstler\\a.png", ("a.png",)),
    ],
)
def test_windows_paths_are_judged_as_text_alone(name: str, parts: tuple[str, ...] | None) -> None:
    roots = (r"C:\Shows\Media", r"\\host\share\media", "D:\\K\u00fcnstler")  # no disk behind them
    assert parts_below([PureWindowsPath(root) for root in roots], name) == parts


def test_the_text_is_judged_before_the_disk_is_touched(media: MediaFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at a network path sends the user's credentials there, and an answer tells what exists."""
    touched: list[str] = []
    for call in ("stat", "lstat", "listdir", "scandir", "readlink"):
        monkeypatch.setattr(os, call, _noting(touched, getattr(os, call)))
    for name in ("\\\\host\\share\\a.png", "//host/a.png", "/etc/passwd", "../secret.png", "file://host/a.png"):
        refused(media, name)
    root = str(media.root)
    assert [path for path in touched if not root.startswith(path)] == [], "only the folder itself is looked at"


def _noting(touched: list[str], call: Callable[..., Any]) -> Callable[..., Any]:
    def noted(path: Any = ".", *arguments: Any, **named: Any) -> Any:
        touched.append(os.fspath(path) if not isinstance(path, int) else "")
        return call(path, *arguments, **named)

    return noted


@needs_links
def test_what_exists_outside_gets_the_answer_of_what_does_not(media: MediaFolder, tmp_path: Path) -> None:
    (media.root / "away").symlink_to(tmp_path)
    (media.root / "gone.png").symlink_to(tmp_path / "nothing.png")
    (media.root / "there.png").symlink_to(tmp_path / "secret.png")
    pairs = [
        (str(tmp_path / "secret.png"), str(tmp_path / "nothing.png")),
        ("../secret.png", "../nothing.png"),
        ("away/secret.png", "away/nothing.png"),
        ("there.png", "gone.png"),
    ]
    for exists, does_not in pairs:
        answers = [refused(media, name).partition(" is outside the media folder ")[2] for name in (exists, does_not)]
        assert answers == [f"{media.root}; only files in it can be used"] * 2


@needs_links
def test_a_folder_is_not_made_through_a_link_that_leads_out(media: MediaFolder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (media.root / "away").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="is outside the media folder"):
        media.place("away/new/take.mp4")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@needs_links
@pytest.mark.parametrize("stored", ["NFC", "NFD"])
def test_a_name_in_the_other_spelling_of_its_accents_is_found_and_confined_as_before(
    media: MediaFolder, tmp_path: Path, stored: Literal["NFC", "NFD"]
) -> None:
    folder = media.root / unicodedata.normalize(stored, "참조")
    folder.mkdir()
    (folder / unicodedata.normalize(stored, "café.png")).write_bytes(b"accent")
    (media.root / unicodedata.normalize(stored, "löst.png")).symlink_to(tmp_path / "secret.png")
    forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
    for form in forms:
        name = unicodedata.normalize(form, "참조/café.png")
        for asked in (name, str(media.root / name), f"file://{media.root}/{name}".replace(" ", "%20")):
            assert media.find(asked).read_bytes() == b"accent"
        assert media.place(name) == media.find(name), "written over, not beside it"
        assert "is outside" in refused(media, unicodedata.normalize(form, "löst.png"))


def test_an_address_into_the_folder_is_taken_as_browsers_and_file_managers_give_it(media: MediaFolder) -> None:
    assert media.find((media.root / "refs" / "a cat.png").as_uri()).read_bytes() == b"another"
    assert media.find("file:refs/a cat.png").read_bytes() == b"another"


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


@needs_links
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
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"\(it is empty\)"):
        MediaFolder(tmp_path / "empty").find("cat.png")
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
    with monkeypatch.context() as homeless:
        homeless.setattr("streamvace.system.media.home_folder", lambda: None)
        assert default_media_folder() == tmp_path / "media", "a working default"
        assert MediaFolder().place("takes/a.mp4") == tmp_path / "media" / "takes" / "a.mp4"
    (tmp_path / "media" / "takes").rmdir()
    (tmp_path / "media").rmdir()
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


@given(st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=8).map("".join)))
def test_a_safe_name_is_one_plain_part_of_a_path_and_stays_the_same_when_it_is_made_safe_again(wanted: str) -> None:
    try:
        name = safe_name(wanted)
    except UserError:
        return
    assert 0 < len(name) <= MAX_STORED + 1
    assert parts_below((Path("/media"),), name) == (name,)
    assert not name.startswith(".")
    assert safe_name(name) == name
