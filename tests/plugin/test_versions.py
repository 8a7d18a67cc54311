"""Which Pythons and libraries the other runs of the tests use, and what they print."""

from __future__ import annotations

import importlib.util
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "versions.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = importlib.util.spec_from_file_location("versions", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_newest_supported_python_is_used_if_it_is_newer_than_the_main_one(script: ModuleType) -> None:
    found = [("a", (3, 9)), ("b", (3, 13)), ("c", (3, 12)), ("d", (3, 99)), ("shim", None)]
    assert script.newest(found, (3, 11)) == ("b", (3, 13))
    assert script.newest(found, (3, 13)) is None
    assert script.newest([], (3, 11)) is None


def test_a_python_that_does_not_start_is_ignored(script: ModuleType, tmp_path: Path) -> None:
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\necho not here >&2\nexit 127\n", "utf-8")
    shim.chmod(0o755)
    assert script.version_of(str(shim)) is None
    assert script.version_of(str(tmp_path / "gone")) is None


@pytest.mark.skipif(
    None in (find_spec("venv"), find_spec("ensurepip")),
    reason="Windows' embeddable Python has no venv",
)
def test_a_python_that_starts_is_known_by_its_version(script: ModuleType) -> None:
    assert script.version_of(sys.executable) == sys.version_info[:2]


def test_without_a_newer_python_it_prints_one_line_and_succeeds(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script, "candidates", lambda: iter([sys.executable]))
    monkeypatch.setattr(script, "venv_version", lambda venv: sys.version_info[:2])
    assert script.main([]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_a_failed_installation_fails_the_check(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(*_: object, **options: object) -> Path:
        raise script.BootstrapError("no wheel for this Python")

    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script, "candidates", lambda: iter(["python3.13"]))
    monkeypatch.setattr(script, "version_of", lambda python: (3, 13))
    monkeypatch.setattr(script, "venv_version", lambda venv: (3, 11))
    monkeypatch.setattr(script, "ensure", broken)
    assert script.main([]) == 1
    assert "no wheel" in capsys.readouterr().out


def test_every_test_path_exists(script: ModuleType) -> None:
    assert [name for name in (*script.TESTS, *script.EVERY_LIBRARY) if not (SCRIPT.parents[1] / name).exists()] == []


def test_every_supported_python_runs_once_with_the_oldest_and_once_with_the_newest_libraries(
    script: ModuleType,
) -> None:
    found = [("a", (3, 9)), ("b", (3, 13)), ("c", (3, 10)), ("b2", (3, 13)), ("d", (3, 99)), ("shim", None)]
    assert script.rows(found) == [
        ((3, 10), "c", "oldest"),
        ((3, 10), "c", "newest"),
        ((3, 13), "b2", "oldest"),
        ((3, 13), "b2", "newest"),
    ]
    (_, oldest), (_, newest) = (script.uv_commands("b", Path("x"), libraries) for libraries in script.RESOLUTIONS)
    assert oldest[oldest.index("--resolution") + 1] == "lowest-direct"
    assert newest[newest.index("--resolution") + 1] == "highest"


@pytest.mark.parametrize(
    ("outcome", "code"), [("9 passed in 3s", 0), ("1 failed, 8 passed", 1), ("not installed: x", 1)]
)
def test_a_row_that_fails_is_in_the_table_and_fails_the_command(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], outcome: str, code: int
) -> None:
    monkeypatch.setattr(script, "candidates", lambda: iter(["python3.13", "python3.12"]))
    monkeypatch.setattr(script, "version_of", lambda python: (3, int(python[-2:])))
    monkeypatch.setattr(script, "result_of", lambda python, folder, libraries: outcome)
    assert script.main(["--all", "3.13-new"]) == code
    assert capsys.readouterr().out == f"| 3.13 | newest | {outcome} |\n"
