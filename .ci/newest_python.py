"""Runs the readers' tests and one show under the newest Python of this machine, in an environment of its own.

Libraries drop old Python versions first, so pip installs newer libraries here than in the main environment. The
environment is kept in `.venv-newest` and installed again only when the project or the Python changes. If no Python is
newer than the main environment's, the script prints one line and succeeds.
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
from install_plan import NEWEST_PYTHON, OLDEST_PYTHON, clean_environment, venv_version
from installer import ensure
from pip_step import BootstrapError

FOLDER = ".venv-newest"

TESTS = (
    "tests/video/film",
    "tests/live/inputs/test_pictures.py",
    "tests/system/test_media.py",
    "tests/live/test_references_in_a_show.py",
)

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


def main() -> int:
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
    sys.exit(main())
