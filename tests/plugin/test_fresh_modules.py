"""After an update, the same line in TouchDesigner builds with the new code."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

import pytest
from fresh_modules import forget


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a package, on the module path."""
    (tmp_path / "updated_part").mkdir()
    (tmp_path / "updated_part" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "streamvace_td.child", types.SimpleNamespace(running=lambda: False))  # type: ignore[arg-type]
    return tmp_path


def version(folder: Path, text: str) -> object:
    """Write a module of the package and import it."""
    (folder / "updated_part" / "version.py").write_text(text)
    importlib.invalidate_caches()
    return importlib.import_module("updated_part.version").VALUE


def test_what_was_imported_from_the_folder_is_imported_again(folder: Path) -> None:
    assert version(folder, "VALUE = 1  # old") == 1
    assert version(folder, "VALUE = 22") == 1, "Python keeps what it has"
    json = sys.modules["json"]
    assert forget([folder]) == ""
    assert version(folder, "VALUE = 333") == 333
    assert sys.modules["json"] is json


def test_the_code_of_a_running_process_stays_and_that_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version(folder, "VALUE = 1")
    before = sys.modules["updated_part.version"]
    monkeypatch.setitem(sys.modules, "streamvace_td.child", types.SimpleNamespace(running=lambda: True))  # type: ignore[arg-type]
    assert "press Stop" in forget([folder])
    assert sys.modules["updated_part.version"] is before
