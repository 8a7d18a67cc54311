"""A whole installation on Windows: the real lock, the real pip, and an environment like Windows' own.

Only `python -m venv` has a stand-in, and pip asks no index: everything is there already. The last test, marked slow,
gets every file of the lock from the index.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import installer
import pytest
from find_python import Found
from install_plan import LOCK, lock_command, lock_rows, platform_extras, read_stamp
from pip_step import BootstrapError
from torch_build import TORCH

from tests.plugin import venv_stand_in
from tests.real_parts import require_package

pytestmark = [
    pytest.mark.windows,
    pytest.mark.skipif(sys.platform != "win32", reason="Windows' environments; `python -m tests.windows.run plugin`"),
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in a folder with spaces and other scripts, on a machine without an index and without a card."""
    for package in ("hatchling", "editables"):
        require_package(package, f"pip install {package}")
    root = tmp_path / "Mein Projekt 舞台"
    for package in ("streamvace", "osc_schema"):
        (root / package).mkdir(parents=True)
        (root / package / "__init__.py").touch()
    for name in ("pyproject.toml", LOCK, "README.md", "LICENSE", "NOTICE"):
        (root / name).write_bytes((installer.ROOT / name).read_bytes())
    venv = tmp_path / "python.cmd"
    venv.write_text(f'@"{sys.executable}" "{venv_stand_in.__file__}" %3\n', "ascii")
    base = Found(str(venv), Path(sys.base_prefix), sys.version_info[:2], wide=True)
    monkeypatch.setattr(installer, "find_python", lambda _: base)
    for look in ("look", "driver_cuda"):
        monkeypatch.setattr(installer, look, lambda: None)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # pip reads it the wrong way round: 0 is no isolation
    monkeypatch.delenv("STREAMVACE_TORCH", raising=False)
    return root


def test_a_first_start_installs_and_the_second_finds_all_of_it(project: Path) -> None:
    said: list[str] = []

    def start() -> Path:
        return installer.ensure((), lambda step, of, text: said.append(f"{step}/{of} {text}"), root=project)

    python = start()
    scripts = project / ".venv" / "Scripts"
    assert python == scripts / "python.exe"
    assert not python.is_symlink()
    assert (scripts / "streamvace.exe").exists()
    assert [step for step in ("1/4", "2/4", "3/4", "4/4") if any(line.startswith(step) for line in said)] == [
        *("1/4", "2/4", "3/4", "4/4")
    ]
    stamp = read_stamp(project / ".venv")
    assert stamp is not None
    assert (stamp.extras, stamp.left_out, stamp.torch) == (("link", "ndi", "screen", "spout"), (), "cpu"), said
    assert f"torch=={TORCH}" in (project / ".venv" / "bootstrap.log").read_text("utf-8")
    said.clear()
    assert start() == python
    assert said == []


def test_a_broken_environment_with_an_open_file_is_reported_with_the_fix(project: Path) -> None:
    scripts = project / ".venv" / "Scripts"
    scripts.mkdir(parents=True)
    with (scripts / "python.exe").open("wb"), pytest.raises(BootstrapError, match="close streamvace and TouchDesigner"):
        installer.ensure((), root=project)


@pytest.mark.slow
def test_every_file_of_the_lock_has_the_hash_that_the_lock_says(tmp_path: Path) -> None:
    extras = platform_extras(sys.platform, platform.machine(), sys.version_info[:2])
    rows = tmp_path / "rows.txt"
    rows.write_text(lock_rows((installer.ROOT / LOCK).read_text("utf-8"), extras), "utf-8")
    target = tmp_path / "packages"
    command = [*lock_command(Path(sys.executable), rows), "--target", str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    installed = {found.metadata["Name"].lower() for found in distributions(path=[str(target)])}
    assert {"numpy", "av", "aiohttp", "ndi-python", "spoutgl"} <= installed
