"""Runs a part of the tests under other Pythons and other libraries than those of the main environment.

    python .ci/versions.py                   the readers' tests and one show under the newest Python
    python .ci/versions.py --all [TEXT]      every Python, with the oldest and the newest libraries that pyproject.toml
                                             allows; prints a table. TEXT: only rows with it, such as 3.13

Libraries drop old Python versions first, so the lock has newer libraries for the newest Python. Its environment is kept
in `.venv-newest` and installed again only when the project or the Python changes. If no Python is newer than the main
environment's, the script prints one line and succeeds.

`--all` needs uv (`pip install uv`), about 5 GB for each Python on Linux, and some minutes for each row.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "plugin"))

from bootstrap import ConsoleProgress
from install_plan import NEWEST_PYTHON, OLDEST_PYTHON, clean_environment, venv_python, venv_version
from installer import ensure
from pip_step import BootstrapError

FOLDER = ".venv-newest"

TESTS = (
    "tests/video/film",
    "tests/live/inputs/test_pictures.py",
    "tests/system/test_media.py",
    "tests/live/test_references_in_a_show.py",
)

EVERY_LIBRARY = (
    "tests/live/surfaces",
    "tests/control/test_beats.py",
    "tests/model/test_stored.py",
    "tests/models/test_manifest.py",
    "tests/embedded/train/test_sheets.py",
    "tests/video/test_screen.py",
    "tests/video/film/test_still.py",
    "tests/video/film/test_process.py",
    "tests/video/film/test_high_dynamic_range.py",
    "tests/osc/test_clients.py",
    "tests/osc/test_query_server.py",
    "tests/conditioning/masks/test_detector.py",
    "tests/conditioning/controls/test_networks.py",
    "tests/live/test_references_in_a_show.py",
)
"""Tests that use each library, the fast ones first."""

RESOLUTIONS = {"oldest": "lowest-direct", "newest": "highest"}
"""What uv is to choose of the versions that are allowed."""

Version = tuple[int, int]


def candidates() -> Iterator[str]:
    """Every Python of pyenv, and every `python3.x` on PATH."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from (str(path) for path in sorted(pyenv.glob("versions/*/bin/python")))
    for minor in range(OLDEST_PYTHON[1], NEWEST_PYTHON[1] + 1):
        if program := shutil.which(f"python3.{minor}"):
            yield program


def version_of(python: str) -> Version | None:
    """None if it does not start (a pyenv shim), has no venv, or few wheels exist for it (PyPy, free-threaded)."""
    ask = (
        "import ensurepip, sys, sysconfig, venv; "
        "sys.exit(sys.implementation.name != 'cpython' or bool(sysconfig.get_config_var('Py_GIL_DISABLED')) "
        "or print(*sys.version_info[:2]))"
    )
    try:
        done = subprocess.run([python, "-c", ask], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    except OSError:
        return None
    if done.returncode != 0:
        return None
    major, minor = done.stdout.split()
    return int(major), int(minor)


def newest(found: Iterable[tuple[str, Version | None]], main: Version) -> tuple[str, Version] | None:
    """The newest supported Python, if it is newer than the main environment's."""
    usable = [(python, version) for python, version in found if version and main < version <= NEWEST_PYTHON]
    return max(usable, key=lambda row: row[1], default=None)


def rows(found: Iterable[tuple[str, Version | None]]) -> list[tuple[Version, str, str]]:
    """(version, Python, name of a resolution) for every supported version that was found, each once."""
    pythons = {version: python for python, version in found if version and OLDEST_PYTHON <= version <= NEWEST_PYTHON}
    return [(version, pythons[version], libraries) for version in sorted(pythons) for libraries in RESOLUTIONS]


def uv_commands(python: str, folder: Path, libraries: str) -> list[list[str]]:
    """The commands that make an environment with the oldest or newest libraries. Wheels only, as for users."""
    inside = str(venv_python(folder))
    install = ["uv", "pip", "install", "--quiet", "--python", inside, "--resolution", RESOLUTIONS[libraries]]
    return [
        ["uv", "venv", "--quiet", "--clear", "--python", python, str(folder)],
        [*install, "--only-binary", ":all:", "--editable", f"{ROOT}[ndi,test]"],
    ]


def result_of(python: str, folder: Path, libraries: str) -> str:
    """Install, run the tests, and return the last line of what failed or of pytest's summary."""
    env = clean_environment(os.environ)
    for command in uv_commands(python, folder, libraries):
        done = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            return f"not installed: {done.stderr.strip().splitlines()[-1]}"
    command = [str(venv_python(folder)), "-m", "pytest", "-q", "-p", "no:cacheprovider", *EVERY_LIBRARY]
    done = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    folder.with_name(f"{folder.name}.log").write_text(done.stdout + done.stderr, "utf-8")
    return done.stdout.strip().splitlines()[-1]


def every(part: str) -> int:
    """Run every row whose name holds `part`, and print a row of the table after each. 1 if a test of any failed."""
    good = True
    for (major, minor), python, libraries in rows((python, version_of(python)) for python in candidates()):
        name = f"{major}.{minor}-{libraries}"
        if part in name:
            result = result_of(python, ROOT / ".cache" / "versions" / name, libraries)
            good = good and "passed" in result and "failed" not in result and "error" not in result
            print(f"| {major}.{minor} | {libraries} | {result} |", flush=True)
    return 0 if good else 1


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--all"]:
        return every("".join(arguments[1:2]))
    own = venv_version(ROOT / ".venv") or sys.version_info[:2]
    chosen = newest(((python, version_of(python)) for python in candidates()), own)
    if chosen is None:
        print(f"no Python newer than the main environment's {own[0]}.{own[1]}: nothing to do")
        return 0
    python, version = chosen
    print(f"Python {version[0]}.{version[1]}: {python}", flush=True)
    venv = ROOT / FOLDER
    if venv.exists() and venv_version(venv) != version:
        shutil.rmtree(venv)
    progress = ConsoleProgress()
    try:
        installed = ensure(["pytest"], progress, folder=FOLDER, python=python)
    except BootstrapError as error:
        print(error)
        return 1
    progress.done()
    command = [str(installed), "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    return subprocess.run(command, cwd=ROOT, env=clean_environment(os.environ)).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
