"""The Python of the environment is one that the user installed, never TouchDesigner's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import find_python as module
import pytest
from find_python import Found, find_python, probe
from install_plan import inside_touchdesigner
from pip_step import BootstrapError


@pytest.fixture
def touchdesigner(tmp_path: Path) -> Path:
    """TouchDesigner's folder on Windows, with its Python."""
    folder = tmp_path / "Derivative" / "TouchDesigner.2025.32820"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "TouchDesigner.exe").touch()
    return folder


def answers(monkeypatch: pytest.MonkeyPatch, known: dict[str, Found]) -> None:
    """Only these programs exist, in this order."""
    monkeypatch.setattr(module, "_candidates", lambda: iter(["/not/there", *known]))
    monkeypatch.setattr(module, "probe", known.get)


def found(path: str, version: tuple[int, int] = (3, 12), base: Path = Path("/usr"), wide: bool = True) -> Found:
    return Found(path, base, version, wide)


def test_touchdesigners_own_python_is_passed_over(monkeypatch: pytest.MonkeyPatch, touchdesigner: Path) -> None:
    own = str(touchdesigner / "bin" / "python.exe")
    answers(
        monkeypatch, {own: found(own, (3, 11), touchdesigner / "bin"), "/usr/bin/python3": found("/usr/bin/python3")}
    )
    assert find_python().executable == "/usr/bin/python3"


def test_an_environment_on_touchdesigners_python_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, touchdesigner: Path
) -> None:
    venv = "/home/artist/tdpy/bin/python"
    answers(monkeypatch, {venv: found(venv, (3, 11), touchdesigner / "bin")})
    with pytest.raises(BootstrapError) as refused:
        find_python()
    assert "TouchDesigner's own" in str(refused.value)
    assert "winget install Python.Python.3.12" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("/Applications/TouchDesigner.app/Contents/Frameworks/Python.framework/Versions/3.11/bin/python3.11", True),
        ("/Applications/TouchDesigner 2023.app/Contents", True),
        ("/Users/artist/TouchDesigner/streamvace/.venv/bin/python", False),
        ("/Library/Frameworks/Python.framework/Versions/3.12/bin/python3", False),
    ],
)
def test_on_a_mac_touchdesigner_is_known_by_its_app(path: str, inside: bool) -> None:
    assert inside_touchdesigner(Path(path)) is inside


def test_a_python_that_spout_has_a_wheel_for_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, {"new": found("new", (3, 14)), "old": found("old", (3, 11))})
    assert find_python().executable == "old"
    answers(monkeypatch, {"new": found("new", (3, 14))})
    assert find_python().executable == "new"


@pytest.mark.parametrize(
    ("version", "wide", "fits"),
    [
        ((3, 10), True, True),
        ((3, 14), True, True),
        ((3, 9), True, False),
        ((3, 15), True, False),
        ((3, 11), False, False),
    ],
)
def test_an_unsupported_python_is_named(version: tuple[int, int], wide: bool, fits: bool) -> None:
    refusal = found("/opt/python", version, wide=wide).refusal()
    assert bool(refusal) is not fits
    assert fits or f"/opt/python is {64 if wide else 32}-bit Python {version[0]}.{version[1]}" in refusal


def test_a_path_of_the_users_own_is_the_only_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, {"/usr/bin/python3": found("/usr/bin/python3"), "/mine": found("/mine", (3, 9))})
    with pytest.raises(BootstrapError, match=r"/mine is 64-bit Python 3\.9"):
        find_python("/mine")
    with pytest.raises(BootstrapError, match="no Python at /mistyped: correct the path"):
        find_python("/mistyped")


def test_without_any_python_the_installer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, {})
    with pytest.raises(BootstrapError, match=r"no Python found: install 64-bit Python 3\.12 from python\.org"):
        find_python()


def test_a_real_interpreter_says_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/touchdesigner/sets/this")  # no other Python would start with it
    assert probe(sys.executable) == Found(sys.executable, Path(sys.base_prefix), sys.version_info[:2], True)
    assert probe("/no/such/python") is None
    assert probe("true") is None  # a program that answers nothing, like the shortcut to the Microsoft Store


def test_asking_an_interpreter_opens_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
        asked.append(options["creationflags"])
        return subprocess.CompletedProcess(command, 0, b"")

    monkeypatch.setattr(module, "NO_WINDOW", 0x08000000)
    monkeypatch.setattr(module.subprocess, "run", run)
    probe("python")
    assert asked == [0x08000000]


def test_the_candidates_include_uvs_pythons_and_leave_a_host_program_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / "cpython-3.12.9" / ("python.exe" if sys.platform == "win32" else "bin/python3")
    python.parent.mkdir(parents=True)
    python.touch()
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path))
    monkeypatch.setattr(module.sys, "executable", "C:/Program Files/Derivative/TouchDesigner/bin/TouchDesigner.exe")
    candidates = list(module._candidates())
    assert str(python) in candidates
    assert not [each for each in candidates if "TouchDesigner" in each]


@pytest.mark.skipif(sys.platform == "win32", reason="users of Windows have a home folder by another rule")
def test_a_user_without_a_home_folder_has_the_pythons_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert list(module._candidates())
