"""Makes `.venv` in the project root and fills it: environment, PyTorch, streamvace, check. Standard library only.

`ensure` is all a caller needs; it prints nothing. A finished installation leaves a stamp, so a later start only reads
two small files and asks the driver for its version.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from install_plan import (
    NEWEST_PYTHON,
    OLDEST_PYTHON,
    Stamp,
    clean_environment,
    package_command,
    platform_extras,
    read_stamp,
    stamp_key,
    torch_command,
    venv_python,
    venv_version,
    write_stamp,
)
from pip_step import BootstrapError, Cancelled, failure, run_logged
from torch_build import TORCH, TorchBuild, choose, driver_cuda, look

ROOT = Path(__file__).resolve().parent.parent
Progress = Callable[[int, int, str], None]
"""Called with (step, number of steps, what happens now); often with the same step while it works."""

STEPS = 4

CHECK = "import torch, numpy, cv2, av, pydantic, aiohttp, rich, typer; print('cuda', torch.cuda.is_available())"
"""Loads every library once: a missing DLL shows here and not in the show, and Python compiles what it will use (pip is
told not to: compiling all of PyTorch takes longer than unpacking it)."""


def find_python(explicit: str | None = None) -> str:
    """The Python to make the environment from. Inside a host (TouchDesigner) sys.executable is the host itself."""
    own = Path(sys.executable or "")
    if explicit is None and own.stem.lower().startswith(("python", "pypy")):
        _check_python(sys.version_info[:2], sys.maxsize > 2**32)
        return str(own)
    names = [explicit] if explicit else ["python3.11", "python3.12", "python3.13", "python3", "python", "py"]
    for name in names:
        program = shutil.which(name or "")
        if program is None:
            continue
        ask = [program, "-c", "import sys; print(*sys.version_info[:2], sys.maxsize > 2**32, sys.executable)"]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired, ValueError, BootstrapError):
            told = subprocess.run(ask, capture_output=True, timeout=20, stdin=subprocess.DEVNULL).stdout.decode()
            major, minor, wide, executable = told.strip().split(" ", 3)
            _check_python((int(major), int(minor)), wide == "True")
            return executable
    raise BootstrapError("no usable Python found: install 64-bit Python 3.11 or 3.12 from python.org, then try again")


def _check_python(version: tuple[int, ...], wide: bool) -> None:
    if not (OLDEST_PYTHON <= version[:2] <= NEWEST_PYTHON and wide):
        have = f"{'64' if wide else '32'}-bit Python {version[0]}.{version[1]}"
        raise BootstrapError(f"streamvace needs 64-bit Python 3.10 to 3.14, this is {have}: install 3.11 or 3.12")


def never() -> bool:
    return False


def quiet(step: int, of: int, text: str) -> None:
    """A progress callback for nobody."""


def ensure(
    extras: Iterable[str] = (),
    progress: Progress = quiet,
    *,
    root: Path = ROOT,
    folder: str = ".venv",
    python: str | None = None,
    cancelled: Callable[[], bool] = never,
    force: bool = False,
) -> Path:
    """Installs what is missing and returns the environment's Python. Raises BootstrapError, one line, if it cannot.

    extras: parts asked for beyond those of the platform (`test`, `wan`, ...). It fails where one of these does; every
    other part (the platform's, and what was asked for at another time) is left out when it does not install.
    folder: of the environment, in the root. python: the interpreter to build on. force: go through every step even if
    the stamp says that nothing changed.
    """
    venv, asked = root / folder, frozenset(extras)
    override = os.environ.get("STREAMVACE_TORCH", "")
    try:
        project = (root / "pyproject.toml").read_bytes()
    except OSError as error:
        raise BootstrapError(f"no pyproject.toml in {root}: run this from a checkout of streamvace") from error

    def wanted(version: tuple[int, int]) -> tuple[str, ...]:
        return tuple(sorted({*platform_extras(sys.platform, platform.machine(), version), *asked}))

    def current() -> bool:
        # The environment's own Python counts, not the one running this file: a host and a console may differ, and
        # must not rebuild it in turns. The driver is asked on every start: a new one may allow a better build.
        version, stamp = venv_version(venv), read_stamp(venv)
        if version is None or stamp is None:
            return False
        return stamp.covers(stamp_key(root, project, version, driver_cuda(), override), wanted(version))

    if not force and current():
        return venv_python(venv)
    with _one_at_a_time(root, progress, cancelled):
        if not force and current():
            return venv_python(venv)
        job = _Job(root, venv, progress, cancelled)
        earlier = read_stamp(venv)
        build = choose(sys.platform, look(), override)
        job.make_venv(python, build)
        version = venv_version(venv)
        if version is None:
            raise BootstrapError(f"{venv} cannot be used: delete it, then run this again")
        parts = tuple(sorted({*wanted(version), *((*earlier.extras, *earlier.left_out) if earlier else ())}))
        try:
            left_out = job.install(build, parts, asked)
        except BootstrapError as error:
            if error.offline and earlier is not None and set(wanted(version)) <= {*earlier.extras, *earlier.left_out}:
                progress(STEPS, STEPS, "no network: starting with the libraries that are installed")
                return venv_python(venv)
            raise
        key = stamp_key(root, project, version, driver_cuda(), override)
        write_stamp(venv, Stamp(key, tuple(part for part in parts if part not in left_out), build.tag, left_out))
    return venv_python(venv)


class _Job:
    """One installation: the steps, each with its words, its log and its failure line."""

    def __init__(self, root: Path, venv: Path, progress: Progress, cancelled: Callable[[], bool]) -> None:
        self.root, self.venv, self.progress, self.cancelled = root, venv, progress, cancelled
        self.python = venv_python(venv)
        self.log = venv / "bootstrap.log"
        self.env = clean_environment(os.environ)
        self.env["PYTHONIOENCODING"] = "utf-8:replace"
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)  # the check below leaves compiled files for every later start
        self.disk = 3.0

    def _run(self, step: int, command: Sequence[str], log: Path | None = None) -> tuple[int, str]:
        begun = time.monotonic()

        def beat(doing: str) -> None:
            self.progress(step, STEPS, f"... {time.monotonic() - begun:.0f} s, {doing}")

        return run_logged(command, log or self.log, cwd=self.root, env=self.env, beat=beat, cancelled=self.cancelled)

    def _failure(self, output: str, code: int) -> BootstrapError:
        version = venv_version(self.venv) or sys.version_info[:2]
        return failure(output, code, python=f"{version[0]}.{version[1]}", torch=TORCH, disk=self.disk, log=self.log)

    def make_venv(self, python: str | None, build: TorchBuild) -> None:
        self.disk = build.disk_gb
        fresh = not self.venv.exists()
        free = shutil.disk_usage(self.root).free / 1e9
        if fresh and free < build.disk_gb:
            raise BootstrapError(f"installing needs about {build.disk_gb:.0f} GB, {self.root} has {free:.1f} GB free")
        if sys.platform == "darwin" and platform.machine() == "x86_64":
            raise BootstrapError("PyTorch no longer supports Intel Macs: use an Apple Silicon Mac, Windows or Linux")
        if not fresh and venv_version(self.venv) is not None and self._has_pip():
            self.progress(1, STEPS, f"Environment: {self.venv.name} is there")
            return
        base = find_python(python)
        self.progress(1, STEPS, f"Environment: making {self.venv.name} (a few seconds)")
        if not fresh:
            try:
                shutil.rmtree(self.venv)
            except OSError as error:
                raise BootstrapError(
                    f"{self.venv} is broken and cannot be replaced ({error.strerror}): close streamvace and "
                    "TouchDesigner, then run this again"
                ) from error
        # the log lies beside the environment until there is one to lie in
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "venv.log"
            code, output = self._run(1, [base, "-m", "venv", str(self.venv)], log)
            if "ensurepip" in output and code != 0:
                raise BootstrapError(
                    "this Python cannot make environments: sudo apt install "
                    f"python{sys.version_info[0]}.{sys.version_info[1]}-venv (Debian, Ubuntu), then run this again"
                )
            if code != 0:
                raise failure(output, code, python=base, torch=TORCH, disk=self.disk, log=log)

    def _has_pip(self) -> bool:
        """Whether the environment's pip starts. One without it (uv makes such) is given one rather than thrown away."""
        ask = [str(self.python), "-m", "pip", "--version"]
        if self._run(1, ask)[0] == 0:
            return True
        return self._run(1, [str(self.python), "-m", "ensurepip"])[0] == 0 and self._run(1, ask)[0] == 0

    def install(self, build: TorchBuild, extras: tuple[str, ...], asked: frozenset[str]) -> tuple[str, ...]:
        """Steps 2 to 4. Returns the parts that had to be left out; never one of those asked for."""
        if build.note:
            self.progress(2, STEPS, build.note)
        self._install_torch(build)
        left_out = self._install_package(extras, asked, build)
        self._check(build)
        return left_out

    def _install_torch(self, build: TorchBuild) -> None:
        ask = [str(self.python), "-c", "import importlib.metadata as m; print('torch==' + m.version('torch'))"]
        if self._run(2, ask)[1].strip() == build.pinned:
            self.progress(2, STEPS, f"PyTorch {TORCH} ({build.tag}) is there")
            return
        self.progress(2, STEPS, f"PyTorch {TORCH}, {build.tag} build ({build.size})")
        if build.index is not None:
            for _ in range(2):
                code, output = self._run(2, torch_command(self.python, build, from_index=True))
                if code == 0:
                    return
                # a download that broke midway is worth a second try; a page that cannot be reached is not
                if "Downloading" not in output or not self._failure(output, code).offline:
                    break
            heavy = " (on Linux that can be the CUDA build, 3 GB)" if sys.platform == "linux" else ""
            self.progress(2, STEPS, f"PyTorch's own page does not answer; taking the ordinary package index{heavy}")
        code, output = self._run(2, torch_command(self.python, build, from_index=False))
        if code != 0:
            raise self._failure(output, code)

    def _install_package(self, extras: tuple[str, ...], asked: frozenset[str], build: TorchBuild) -> tuple[str, ...]:
        size = "CUDA libraries included, about 3 GB" if build.wants_cuda and sys.platform == "linux" else "about 200 MB"
        self.progress(3, STEPS, f"streamvace and its libraries ({size}, 1 to 3 minutes)")
        error = self._install_parts(extras)
        optional = tuple(extra for extra in extras if extra not in asked)
        if error is not None and (error.offline or not optional):
            raise error
        if error is None:
            return ()
        # pip installs all or nothing, and does not say whose fault it was: first what must be, then one by one
        kept = [extra for extra in extras if extra in asked]
        if error := self._install_parts(kept):
            raise error
        left_out: list[str] = []
        for extra in optional:
            error = self._install_parts([*kept, extra])
            if error is None:
                kept.append(extra)
            elif error.offline:
                raise error
            else:
                left_out.append(extra)
                again = f"python plugin/bootstrap.py install {extra}"
                self.progress(3, STEPS, f"going on without {extra} ({error}); to try again: {again}")
        return tuple(left_out)

    def _install_parts(self, extras: Sequence[str]) -> BootstrapError | None:
        constraints = self.venv / "bootstrap-constraints.txt"
        constraints.write_text(f"torch=={TORCH}\n", "utf-8")
        code, output = self._run(3, package_command(self.python, extras, constraints))
        return None if code == 0 else self._failure(output, code)

    def _check(self, build: TorchBuild) -> None:
        self.progress(4, STEPS, "Check: loading PyTorch and the libraries")
        code, output = self._run(4, [str(self.python), "-c", CHECK])
        if code != 0:
            raise self._failure(output, code)
        if build.wants_cuda and "cuda False" in output:
            self.progress(
                4,
                STEPS,
                "PyTorch does not reach the NVIDIA card and will use the CPU: python plugin/bootstrap.py doctor",
            )


@contextlib.contextmanager
def _one_at_a_time(root: Path, progress: Progress, cancelled: Callable[[], bool]) -> Iterator[None]:
    """A console and a TouchDesigner component may start at once; the lock dies with its process, so none goes stale."""
    folder = root / ".cache"  # not .venv: an open file there could not be removed on Windows
    folder.mkdir(exist_ok=True)
    with (folder / "bootstrap.lock").open("a+b") as file:
        told = False
        while not _lock(file.fileno()):
            if not told:
                progress(1, STEPS, "another installation of this project is running; waiting for it")
                told = True
            if cancelled():
                raise Cancelled("stopped while waiting for another installation")
            time.sleep(0.2)
        yield


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
