"""Creates `.venv` in the project root and fills it: environment, PyTorch, streamvace, check. Standard library only.

Callers need only `ensure`; it prints nothing. A finished installation leaves a stamp, so a later start only reads two
small files and asks the driver for its version.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from find_python import find_python
from install_lock import one_at_a_time
from install_plan import (
    LOCK,
    Stamp,
    clean_environment,
    lock_command,
    lock_rows,
    package_command,
    platform_extras,
    read_stamp,
    stamp_key,
    torch_command,
    venv_python,
    venv_version,
    write_stamp,
)
from pip_step import WRONG_HASH, BootstrapError, failure, run_logged
from torch_build import TORCH, TorchBuild, choose, driver_cuda, look

ROOT = Path(__file__).resolve().parent.parent
Progress = Callable[[int, int, str], None]
"""Called with (step, number of steps, status line), repeatedly with the same step while it runs."""

STEPS = 4

CHECK = "import torch, numpy, cv2, av, pydantic, aiohttp, rich, typer; print('cuda', torch.cuda.is_available())"
"""Imports every library once: a missing DLL shows here and not during a show, and Python compiles only the modules it
uses. (pip's own compilation is off: compiling all of PyTorch takes longer than unpacking it.)"""


def never() -> bool:
    return False


def quiet(step: int, of: int, text: str) -> None:
    """A progress callback that ignores everything."""


def ensure(
    extras: Iterable[str] = (),
    progress: Progress = quiet,
    *,
    root: Path = ROOT,
    folder: str = ".venv",
    python: str = "",
    cancelled: Callable[[], bool] = never,
    force: bool = False,
) -> Path:
    """Install what is missing. Returns the environment's Python. Raises BootstrapError with a one-line message.

    extras: requested extras besides the platform's own (`test`, `wan`, ...). If one of these fails to install, the
    installation fails. Other extras (the platform's, and those requested earlier) are skipped if they fail.
    folder: the environment's folder in the root. python: the interpreter to create it with; "" finds one. force: run
    every step even if the stamp is current.
    """
    venv, requested = root / folder, frozenset(extras)
    override = os.environ.get("STREAMVACE_TORCH", "")
    try:
        project = (root / "pyproject.toml").read_bytes() + (root / LOCK).read_bytes()
    except OSError as error:
        raise BootstrapError(
            f"no pyproject.toml or {LOCK} in {root}: run this from a checkout of streamvace"
        ) from error

    def wanted(version: tuple[int, int]) -> set[str]:
        return {*platform_extras(sys.platform, platform.machine(), version), *requested}

    def key(version: tuple[int, int]) -> str:
        # The driver is queried on every start: a new driver may allow a better build.
        return stamp_key(root, project, version, driver_cuda(), override)

    def current() -> bool:
        # The environment's own Python counts, not the one running this file: a host and a console may have different
        # ones and must not reinstall in turns.
        version, stamp = venv_version(venv), read_stamp(venv)
        return version is not None and stamp is not None and stamp.covers(key(version), wanted(version))

    if not force and current():
        return venv_python(venv)
    wait = "another installation of this project is running; waiting for it"
    with one_at_a_time(root, lambda: progress(1, STEPS, wait), cancelled):
        if not force and current():
            return venv_python(venv)
        earlier = read_stamp(venv)
        job = _Job(root, venv, choose(sys.platform, look(), override), progress, cancelled)
        job.make_venv(python)
        version = venv_version(venv)
        if version is None:
            raise BootstrapError(f"{venv} is broken: delete it, then run this again")
        known = {*earlier.extras, *earlier.left_out} if earlier else set[str]()
        parts = tuple(sorted(wanted(version) | known))
        try:
            left_out = job.install(parts, requested)
        except BootstrapError as error:
            if error.offline and earlier is not None and wanted(version) <= known:
                progress(STEPS, STEPS, "no network: starting with the libraries that are installed")
                return venv_python(venv)
            raise
        installed = tuple(part for part in parts if part not in left_out)
        write_stamp(venv, Stamp(key(version), installed, job.build.tag, left_out))
    return venv_python(venv)


class _Job:
    """One installation: its steps, with their progress lines, log and error messages."""

    def __init__(
        self, root: Path, venv: Path, build: TorchBuild, progress: Progress, cancelled: Callable[[], bool]
    ) -> None:
        self.root, self.venv, self.build, self.progress, self.cancelled = root, venv, build, progress, cancelled
        self.python = venv_python(venv)
        self.log = venv / "bootstrap.log"
        self.env = clean_environment(os.environ)
        self.env["PYTHONIOENCODING"] = "utf-8:replace"
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)  # the check below compiles files for every later start

    def make_venv(self, python: str) -> None:
        """Step 1. Keeps an environment that works."""
        fresh = not self.venv.exists()
        free, need = shutil.disk_usage(self.root).free / 1e9, self.build.disk_gb
        if fresh and free < need:
            raise BootstrapError(f"installing needs about {need:.0f} GB, {self.root} has {free:.1f} GB free")
        if sys.platform == "darwin" and platform.machine() == "x86_64":
            raise BootstrapError("PyTorch no longer supports Intel Macs: use an Apple Silicon Mac, Windows or Linux")
        if not fresh and venv_version(self.venv) is not None and self._has_pip():
            self._say(1, f"Environment: {self.venv.name} exists")
            return
        base = find_python(python)
        self._say(1, f"Environment: creating {self.venv.name} (a few seconds)")
        if not fresh:
            try:
                shutil.rmtree(self.venv)
            except OSError as error:
                raise BootstrapError(
                    f"{self.venv} is broken and cannot be replaced ({error.strerror}): close streamvace and "
                    "TouchDesigner, then run this again"
                ) from error
        # The environment does not exist yet, so its log cannot be inside it.
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "venv.log"
            code, output = self._run(1, [base.executable, "-m", "venv", str(self.venv)], log)
            if "ensurepip" in output and code != 0:
                raise BootstrapError(
                    f"{base.executable} cannot create environments: sudo apt install "
                    f"python{base.version[0]}.{base.version[1]}-venv (Debian, Ubuntu), then run this again"
                )
            if code != 0:
                raise self._failure(output, code, log)

    def install(self, extras: tuple[str, ...], requested: frozenset[str]) -> tuple[str, ...]:
        """Steps 2 to 4. Returns the extras that were skipped, never a requested one."""
        if self.build.note:
            self._say(2, self.build.note)
        self._install_torch()
        left_out = self._install_package(extras, requested)
        self._check()
        return left_out

    def _say(self, step: int, text: str) -> None:
        self.progress(step, STEPS, text)

    def _run(self, step: int, command: Sequence[str], log: Path | None = None) -> tuple[int, str]:
        begun = time.monotonic()

        def beat(doing: str) -> None:
            self._say(step, f"... {time.monotonic() - begun:.0f} s, {doing}")

        return run_logged(command, log or self.log, cwd=self.root, env=self.env, beat=beat, cancelled=self.cancelled)

    def _failure(self, output: str, code: int, log: Path | None = None) -> BootstrapError:
        major, minor = venv_version(self.venv) or sys.version_info[:2]
        disk = self.build.disk_gb
        return failure(output, code, python=f"{major}.{minor}", torch=TORCH, disk=disk, log=log or self.log)

    def _has_pip(self) -> bool:
        """Whether the environment's pip starts. If it has none (uv omits it), pip is added."""
        ask = [str(self.python), "-m", "pip", "--version"]
        if self._run(1, ask)[0] == 0:
            return True
        return self._run(1, [str(self.python), "-m", "ensurepip"])[0] == 0 and self._run(1, ask)[0] == 0

    def _install_torch(self) -> None:
        build = self.build
        ask = [str(self.python), "-c", "import importlib.metadata as m; print('torch==' + m.version('torch'))"]
        if self._run(2, ask)[1].strip() == build.pinned:
            self._say(2, f"PyTorch {TORCH} ({build.tag}) is installed")
            return
        self._say(2, f"PyTorch {TORCH}, {build.tag} build ({build.size})")
        if build.index is not None:
            for _ in range(2):
                code, output = self._run(2, torch_command(self.python, build, from_index=True))
                if code == 0:
                    return
                # An interrupted download is retried once; an unreachable index is not.
                if "Downloading" not in output or not self._failure(output, code).offline:
                    break
            heavy = " (on Linux that can be the CUDA build, 3 GB)" if sys.platform == "linux" else ""
            self._say(2, f"PyTorch's own index does not answer; using the default package index{heavy}")
        code, output = self._run(2, torch_command(self.python, build, from_index=False))
        if code != 0:
            raise self._failure(output, code)

    def _install_package(self, extras: tuple[str, ...], requested: frozenset[str]) -> tuple[str, ...]:
        heavy = self.build.wants_cuda and sys.platform == "linux"
        size = "CUDA libraries included, about 3 GB" if heavy else "about 200 MB"
        self._say(3, f"streamvace and its libraries ({size}, 1 to 3 minutes)")
        optional = tuple(extra for extra in extras if extra not in requested)
        locked = self._install_locked(extras)
        error = self._install_extras(extras, locked)
        if error is None:
            return ()
        if error.offline or not optional:
            raise error
        # pip installs all or nothing and does not name the culprit: required extras first, then one by one.
        kept = [extra for extra in extras if extra in requested]
        if error := self._install_extras(kept):
            raise error
        left_out: list[str] = []
        for extra in optional:
            error = self._install_extras([*kept, extra])
            if error is None:
                kept.append(extra)
            elif error.offline:
                raise error
            else:
                left_out.append(extra)
                again = f"python plugin/bootstrap.py install {extra}"
                self._say(3, f"continuing without {extra} ({error}); to try again: {again}")
        return tuple(left_out)

    def _install_locked(self, extras: Sequence[str]) -> bool:
        """Install the tested versions of the libraries. False if they do not fit here: then pip chooses others that
        pyproject.toml allows. Raises BootstrapError without a network, and for a file that is not the tested one."""
        rows = self.venv / "bootstrap-requirements.txt"
        rows.write_text(lock_rows((self.root / LOCK).read_text("utf-8"), extras), "utf-8")
        code, output = self._run(3, lock_command(self.python, rows))
        if code == 0:
            return True
        error = self._failure(output, code)
        if error.offline or WRONG_HASH in output:
            raise error
        self._say(3, f"the tested versions do not install here ({error}); pip chooses among those that are allowed")
        return False

    def _install_extras(self, extras: Sequence[str], locked: bool = False) -> BootstrapError | None:
        constraints = self.venv / "bootstrap-constraints.txt"
        constraints.write_text(f"torch=={TORCH}\n", "utf-8")
        code, output = self._run(3, package_command(self.python, extras, constraints, locked))
        return None if code == 0 else self._failure(output, code)

    def _check(self) -> None:
        self._say(4, "Check: importing PyTorch and the libraries")
        code, output = self._run(4, [str(self.python), "-c", CHECK])
        if code != 0:
            raise self._failure(output, code)
        if self.build.wants_cuda and "cuda False" in output:
            self._say(4, "PyTorch finds no NVIDIA card and will use the CPU; see: python plugin/bootstrap.py doctor")
