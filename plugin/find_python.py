"""Which Python an environment is built on: one that the user installed, never the one inside TouchDesigner.

An environment refers to the Python that it was created with. TouchDesigner replaces its own with every update, and on
macOS it may refuse libraries that Derivative did not sign. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from install_plan import (
    NEWEST_PYTHON,
    OLDEST_PYTHON,
    SPOUT_NEWEST_PYTHON,
    clean_environment,
    inside_touchdesigner,
)
from pip_step import NO_WINDOW, BootstrapError

GET_PYTHON = "install 64-bit Python 3.12 from python.org (Windows: winget install Python.Python.3.12)"

_PROBE = (
    "import sys; v = sys.version_info; "
    "print(v[0], v[1], sys.maxsize > 2**32, sys.base_prefix, sys.executable, sep='\\n')"
)
_PROBE_SECONDS = 20.0
"""The first start after a boot reads the library from a slow disk, under a virus scanner."""


@dataclass(frozen=True)
class Found:
    """An interpreter that answered. base: the folder of the installation that it belongs to. wide: 64 bits."""

    executable: str
    base: Path
    version: tuple[int, int]
    wide: bool

    def refusal(self) -> str:
        """Why no environment is built on it, with the fix; "" if it fits."""
        if inside_touchdesigner(self.base) or inside_touchdesigner(Path(self.executable)):
            return f"{self.executable} is TouchDesigner's own, which its updates replace: {GET_PYTHON}"
        if not (OLDEST_PYTHON <= self.version <= NEWEST_PYTHON and self.wide):
            have = f"{'64' if self.wide else '32'}-bit Python {self.version[0]}.{self.version[1]}"
            return f"streamvace needs 64-bit Python 3.10 to 3.14, {self.executable} is {have}: {GET_PYTHON}"
        return ""


def find_python(explicit: str = "") -> Found:
    """The Python to create the environment with. explicit: the only candidate, a path or a command.

    Raises BootstrapError with a one-line message that names what was refused.
    """
    if explicit:
        found = probe(explicit)
        if found is None:
            raise BootstrapError(f"no Python at {explicit}: correct the path, or {GET_PYTHON}")
        if found.refusal():
            raise BootstrapError(found.refusal())
        return found
    later: Found | None = None
    refusals: list[str] = []
    for candidate in dict.fromkeys(filter(None, _candidates())):
        found = probe(candidate)
        if found is None:
            continue
        if found.refusal():
            refusals.append(found.refusal())
        elif found.version <= SPOUT_NEWEST_PYTHON:
            return found
        else:
            later = later or found
    if later is not None:
        return later
    raise BootstrapError(refusals[0] if refusals else f"no Python found: {GET_PYTHON}, then try again")


def probe(program: str) -> Found | None:
    """Ask an interpreter what it is. None if it does not start."""
    command = [program, "-c", _PROBE]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired, ValueError):
        answer = subprocess.run(
            command,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            stdin=subprocess.DEVNULL,
            creationflags=NO_WINDOW,
            env={**clean_environment(os.environ), "PYTHONIOENCODING": "utf-8"},
        ).stdout.decode("utf-8")
        major, minor, wide, base, executable = answer.splitlines()
        return Found(executable, Path(base), (int(major), int(minor)), wide == "True")
    return None


def _candidates() -> Iterator[str]:
    """Paths of interpreters, the likeliest first. They need not exist."""
    own = Path(sys.executable or "")
    if own.stem.lower().startswith(("python", "pypy")):  # a host application names itself here
        yield str(own)
    if sys.platform == "win32":
        yield from _registered()
    # A program that is started from the macOS Finder has a short PATH.
    folders = [*os.get_exec_path(), "/opt/homebrew/bin", "/usr/local/bin"]
    framework = Path("/Library/Frameworks/Python.framework/Versions")
    names = ["python3.12", "python3.11", "python3.13", "python3.10", "python3", "python"]
    for name in names:
        yield shutil.which(name, path=os.pathsep.join(folders)) or ""
        yield str(framework / name.removeprefix("python") / "bin" / "python3")
    for folder in _uv_folders():
        yield from map(str, sorted(folder.glob("*/python.exe" if sys.platform == "win32" else "*/bin/python3")))


def _registered() -> Iterator[str]:
    """What installers of Python enter in the Windows registry (PEP 514): python.org, the Microsoft Store, conda, uv.
    The `py` launcher reads the same entries."""
    if sys.platform == "win32":
        import winreg

        def keys(key: winreg.HKEYType) -> Iterator[winreg.HKEYType]:
            for index in range(winreg.QueryInfoKey(key)[0]):
                with contextlib.suppress(OSError), winreg.OpenKey(key, winreg.EnumKey(key, index)) as inner:
                    yield inner

        for root in (winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE):
            with contextlib.suppress(OSError), winreg.OpenKey(root, r"Software\Python") as companies:
                for company in keys(companies):
                    for tag in keys(company):
                        with contextlib.suppress(OSError), winreg.OpenKey(tag, "InstallPath") as place:
                            yield str(winreg.QueryValueEx(place, "ExecutablePath")[0])
    else:
        yield from ()


def _uv_folders() -> Iterator[Path]:
    """Where uv keeps the Pythons that it installs."""
    if "UV_PYTHON_INSTALL_DIR" in os.environ:
        yield Path(os.environ["UV_PYTHON_INSTALL_DIR"])
    if sys.platform == "win32":
        yield Path(os.environ.get("APPDATA", "")) / "uv" / "python"
    yield Path(os.path.expanduser("~/.local/share/uv/python"))  # Path.home raises for a user without a home folder
