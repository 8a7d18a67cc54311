"""The map file on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streamvace.midi.map_file import MOST_BYTES, MapFile
from streamvace.midi.map_format import MidiMap, build
from streamvace.system.errors import UserError
from tests.midi.rows import SCHEMA

ONE = '{"version": 1, "maps": [{"control": "cc 7", "to": "level"}]}'


def save(path: Path, text: str, at: int) -> None:
    path.write_text(text, "utf-8")
    os.utime(path, ns=(at, at))


def test_a_file_is_read_when_it_has_changed_and_only_then(tmp_path: Path) -> None:
    path = tmp_path / "midi.json"
    file = MapFile(path, SCHEMA)
    assert file.news() is None
    save(path, ONE, 1_000)
    found = file.news()
    assert found is not None
    assert len(found.mappings) == 1
    assert file.news() is None
    save(path, ONE.replace("7", "8"), 2_000)
    assert file.news() is not None
    path.unlink()
    assert file.news() == MidiMap()


def test_a_broken_file_is_said_once_and_read_again_when_it_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "midi.json"
    file = MapFile(path, SCHEMA)
    save(path, "{", 1_000)
    with pytest.raises(UserError, match=r"midi.json isn't valid JSON: .* line 1 column 2"):
        file.news()
    assert file.news() is None
    save(path, ONE, 2_000)
    assert file.news() is not None


def test_what_is_written_is_no_news_and_can_be_read(tmp_path: Path) -> None:
    file = MapFile(tmp_path / "new" / "midi.json", SCHEMA)
    written = build([{"control": "cc 7", "to": "level", "note": "größer"}], {}, SCHEMA, "midi.json")
    file.write(written)
    assert file.news() is None
    assert file.read() == written
    assert [path.name for path in file.path.parent.iterdir()] == ["midi.json"]


def test_a_file_of_notepad_is_read_and_the_wrong_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "midi.json"
    file = MapFile(path, SCHEMA)
    path.write_bytes(b"\xef\xbb\xbf" + ONE.encode())
    assert len(file.read().mappings) == 1
    path.write_bytes(b'{"caf\xe9')
    with pytest.raises(UserError, match=r"not UTF-8 \(byte 5\)"):
        file.read()
    path.write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(UserError, match="larger than 1 MB"):
        file.read()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UserError, match="cannot be written"):
        MapFile(tmp_path / "taken" / "midi.json", SCHEMA).write(MidiMap())
