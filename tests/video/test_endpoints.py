from __future__ import annotations

from pathlib import Path

import pytest

from streamvace.system.errors import UserError
from streamvace.video.endpoints import SINKS, SOURCES, open_sink, open_source, split_uri


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("pattern", ("pattern", "")),
        ("pattern:edges", ("pattern", "edges")),
        ("ndi:", ("ndi", "")),
        ("ndi:Stage: left", ("ndi", "Stage: left")),
        ("clip.mp4", ("file", "clip.mp4")),
        ("C:\\clips\\a.mp4", ("file", "C:\\clips\\a.mp4")),
        ("file:C:\\clips\\a.mp4", ("file", "C:\\clips\\a.mp4")),
        ("folder/a clip.mov", ("file", "folder/a clip.mov")),
        ("file:///clips/a%20clip.mov?loop=0", ("file", "file:///clips/a%20clip.mov?loop=0")),
        ("//host/share/clip", ("file", "//host/share/clip")),
        (r"\\host\share\clip", ("file", r"\\host\share\clip")),
        ("~/clip", ("file", "~/clip")),
        ("spuot:x", ("spuot", "x")),
    ],
)
def test_a_uri_is_read_as_scheme_and_rest(uri: str, expected: tuple[str, str]) -> None:
    assert split_uri(uri, SOURCES) == expected


def test_an_address_is_split_without_a_look_at_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_bytes(b"")
    assert split_uri("secret", SOURCES) == ("secret", ""), "what exists here is nobody's business"


def test_a_folder_of_pictures_needs_no_scheme_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "frames").mkdir()
    with pytest.raises(UserError, match="no pictures in frames"):
        open_source("frames", (64, 64))


@pytest.mark.parametrize(("word", "guess"), [("patern", r" Did you mean pattern\?"), ("x", "")])
def test_an_unknown_source_names_what_there_is_and_only_a_near_guess(word: str, guess: str) -> None:
    line = rf"^Unknown input '{word}'\. Use pattern, a file, camera:N, ndi:NAME, .*, card or none\.{guess}$"
    with pytest.raises(UserError, match=line):
        open_source(word, (64, 64))


def test_an_unknown_sink_names_what_there_is() -> None:
    with pytest.raises(
        UserError, match=r"Unknown output 'hdmi'. Use null, window, ndi:NAME, a file, .* or syphon:NAME.$"
    ):
        open_sink("hdmi", (64, 64), 24.0)


def test_a_misspelt_path_is_a_missing_file_and_not_an_unknown_scheme() -> None:
    with pytest.raises(UserError, match=r"no file nothere\.mp4"):
        open_source("nothere.mp4", (64, 64))


def test_a_bare_existing_path_is_a_file(counting_clip: Path) -> None:
    source = open_source(str(counting_clip), (64, 64))
    assert source.name == "counting.mp4"
    source.close()


def test_an_address_of_a_file_manager_is_a_file(counting_clip: Path, tmp_path: Path) -> None:
    spaced = tmp_path / "a clip.mp4"
    spaced.write_bytes(counting_clip.read_bytes())
    source = open_source(f"{spaced.as_uri()}?loop=0", (64, 64))
    assert source.name == "a clip.mp4"
    source.close()


def test_the_pattern_is_light_by_default() -> None:
    source = open_source("pattern", (64, 64))
    assert source.name == "pattern:light"
    source.close()


def test_nothing_and_null_need_nothing() -> None:
    assert open_source("none", (64, 64)).poll() is None
    assert open_sink("null", (64, 64), 24.0).name == "null"


def test_a_camera_that_is_no_number_says_how_cameras_are_counted() -> None:
    with pytest.raises(UserError, match="counted from 0; try camera:0"):
        open_source("camera:front", (64, 64))


def test_both_tables_have_an_opener_for_every_promised_scheme() -> None:
    assert set(SOURCES) == {"pattern", "file", "camera", "ndi", "spout", "syphon", "screen", "card", "none"}
    assert set(SINKS) == {"null", "window", "ndi", "file", "spout", "syphon"}
