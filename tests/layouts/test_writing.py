"""`streamvace surfaces DIR`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streamvace import cli
from tests.layouts.gear import properties, root_of

FILES = ["streamvace-open-stage-control.json", "streamvace.tosc"]


def test_the_command_writes_both_files_into_a_new_folder(tmp_path: Path) -> None:
    folder = tmp_path / "surfaces" / "tonight"
    assert cli.main(["surfaces", str(folder), "--reply-port", "9001"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert json.loads((folder / FILES[0]).read_text("utf-8"))["type"] == "session"
    script = properties(root_of((folder / FILES[1]).read_bytes()))["script"].text or ""
    assert "local PORT = 9001\n" in script


def test_a_file_that_exists_is_overwritten_only_when_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / FILES[1]).write_bytes(b"mine")
    assert cli.main(["surfaces", str(tmp_path)]) == 2
    assert f"{FILES[1]} exists; choose another folder, or add --overwrite" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [FILES[1]]
    assert (tmp_path / FILES[1]).read_bytes() == b"mine"
    assert cli.main(["surfaces", str(tmp_path), "--overwrite"]) == 0
    assert (tmp_path / FILES[1]).read_bytes() != b"mine"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert cli.main(["surfaces", str(tmp_path / "file" / "in")]) == 2
    assert "cannot be written" in capsys.readouterr().err
