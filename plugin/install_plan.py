"""What an installation consists of: extras, commands, and the stamp that says it is complete. Runs nothing.

Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from torch_build import TORCH, TorchBuild

OLDEST_PYTHON, NEWEST_PYTHON = (3, 10), (3, 14)
SPOUT_NEWEST_PYTHON = (3, 13)
"""SpoutGL has wheels up to this version."""


LOCK = "requirements.lock"
"""Exact versions with hashes of everything but PyTorch, written by `.ci/lock.py`."""
BASE = "base"
"""What the lock calls the libraries that every installation needs."""


@dataclass(frozen=True)
class Extra:
    """An optional extra, and where wheels of its library exist: (sys.platform, machine) and Python versions."""

    name: str
    platforms: tuple[tuple[str, str], ...]
    oldest_python: tuple[int, int] = OLDEST_PYTHON
    newest_python: tuple[int, int] = NEWEST_PYTHON


_COMMON = (("win32", "amd64"), ("darwin", "arm64"), ("linux", "x86_64"), ("linux", "aarch64"))

EXTRAS = (
    Extra("ndi", (*_COMMON, ("linux", "armv7l")), oldest_python=(3, 11)),
    Extra("spout", (("win32", "amd64"),), newest_python=SPOUT_NEWEST_PYTHON),
    Extra("syphon", (("darwin", "arm64"), ("darwin", "x86_64"))),
    Extra("link", _COMMON),
    Extra("screen", _COMMON),
)
"""Installed on every platform that has wheels; an extra that still fails is skipped. Together they take 11 MB, nearly
all of it NDI. `vision` is not listed: its libraries take 50 MB and need networks that are downloaded separately;
`streamvace doctor` prints both commands."""


@dataclass(frozen=True)
class Stamp:
    """Written last, when the installation is complete. key: hash of everything the installation depends on.

    extras: installed ones. torch: tag of the build. left_out: extras that failed to install.
    """

    key: str
    extras: tuple[str, ...]
    torch: str
    left_out: tuple[str, ...] = ()

    def covers(self, key: str, extras: Iterable[str]) -> bool:
        return self.key == key and set(extras) <= set(self.extras) | set(self.left_out)


def platform_extras(system: str, machine: str, python: tuple[int, int]) -> tuple[str, ...]:
    """The extras with wheels for this platform."""
    return tuple(
        extra.name
        for extra in EXTRAS
        if (system, machine.lower()) in extra.platforms and extra.oldest_python <= python <= extra.newest_python
    )


def stamp_key(
    root: Path, project: bytes, python: tuple[int, int], driver: tuple[int, int] | None, override: str
) -> str:
    """A hash of everything an installation depends on, including the folder: an editable install points to it."""
    parts = (str(root), hashlib.sha256(project).hexdigest(), TORCH, sys.platform, python, driver, override)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def read_stamp(venv: Path) -> Stamp | None:
    try:
        data = json.loads((venv / "bootstrap.json").read_text("utf-8"))
        return Stamp(data["key"], tuple(data["extras"]), data["torch"], tuple(data["left_out"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_stamp(venv: Path, stamp: Stamp) -> None:
    """Written atomically: a partial stamp could mark an unfinished installation as complete."""
    draft = venv / "bootstrap.json.new"
    draft.write_text(json.dumps(asdict(stamp)), "utf-8")
    draft.replace(venv / "bootstrap.json")


def venv_python(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def venv_version(venv: Path) -> tuple[int, int] | None:
    """The environment's Python version. None if it is broken: half created, its base Python was removed, or its base is
    TouchDesigner's own Python."""
    try:
        config = dict(
            line.split(" = ", 1) for line in (venv / "pyvenv.cfg").read_text("utf-8").splitlines() if "=" in line
        )
        text = config.get("version") or config["version_info"]  # the second name is uv's
        version = tuple(int(part) for part in text.split(".")[:2])
        home = Path(config["home"])
        whole = venv_python(venv).exists() and home.exists() and not inside_touchdesigner(home)
    except (OSError, ValueError, KeyError):
        return None
    return (version[0], version[1]) if whole else None


def inside_touchdesigner(path: Path) -> bool:
    """Whether the path lies in an installation of TouchDesigner."""
    return any(
        (folder.suffix == ".app" and folder.name.startswith("TouchDesigner"))
        or (folder / "bin" / "TouchDesigner.exe").is_file()
        for folder in (path, *path.parents)
    )


def torch_command(python: Path, build: TorchBuild, from_index: bool) -> list[str]:
    """The pip command for PyTorch without its dependencies, which the next step installs. Only this one package is
    requested from PyTorch's own index, so an unreachable index costs seconds."""
    command = [*_pip_install(python), "--no-deps"]
    if from_index and build.index is not None:
        return [*command, "--timeout", "15", "--retries", "1", "--index-url", build.index, build.pinned]
    return [*command, f"torch=={TORCH}"]


def package_command(python: Path, extras: Sequence[str], constraints: Path, locked: bool) -> list[str]:
    """The pip command for streamvace and those of its dependencies that are missing.

    The constraint keeps pip from replacing torch. locked: the lock is installed, and with it what builds the package.
    """
    target = f".[{','.join(extras)}]" if extras else "."
    build = ("--no-build-isolation",) if locked else ()
    return [*_pip_install(python), *build, "--constraint", str(constraints), "--editable", target]


def lock_rows(lock: str, extras: Iterable[str]) -> str:
    """The part of the lock's text that an installation with these extras needs, as a requirements file for pip."""
    wanted = {BASE, *extras}
    parts = re.split(r"^# ([a-z0-9, ]+)\n(?=\w)", lock, flags=re.MULTILINE)
    return "".join(
        block for users, block in zip(parts[1::2], parts[2::2], strict=True) if wanted.intersection(users.split(", "))
    )


def lock_command(python: Path, rows: Path) -> list[str]:
    """The pip command for the file of `lock_rows`. The lock is complete, so nothing has to be resolved."""
    return [*_pip_install(python), "--require-hashes", "--no-deps", "--requirement", str(rows)]


def _pip_install(python: Path) -> list[str]:
    return [str(python), "-m", "pip", "install", "--no-input", "--progress-bar", "off", "--no-compile"]


def clean_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process, without the variables that redirect imports or pip (TouchDesigner sets
    some of them)."""
    redirects = {"PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"}
    redirects |= {"PIP_USER", "PIP_TARGET", "PIP_PREFIX"}
    kept = {name: value for name, value in env.items() if name.upper() not in redirects}
    # On a cp1252 console or log, an unprintable character becomes "?" instead of an exception.
    kept.setdefault("PYTHONIOENCODING", ":replace")
    return kept
