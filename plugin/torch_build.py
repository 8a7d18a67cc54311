"""The PyTorch build for this machine, chosen by its NVIDIA driver and card. Standard library only.

The choice is data (`CUDA_BUILDS`) and one pure function (`choose`); only `look` queries the machine.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

from pip_step import NO_WINDOW

TORCH = "2.13.0"
"""The version that the tests run on. `pip install streamvace` accepts a range; this file pins the tested version."""

INDEX = "https://download.pytorch.org/whl/"

Version = tuple[int, int]


@dataclass(frozen=True)
class CudaBuild:
    """One published CUDA build of `TORCH`: the driver it needs, and the compute capabilities it has code for."""

    tag: str
    driver: Version
    oldest_card: Version
    newest_card: Version
    why: str


CUDA_BUILDS = (
    CudaBuild(
        "cu130",
        driver=(13, 0),
        oldest_card=(7, 5),
        newest_card=(99, 0),
        why="the stable build for Turing to Blackwell; CUDA 13.2 is published as experimental, which is not for shows",
    ),
    CudaBuild(
        "cu126",
        driver=(12, 0),
        oldest_card=(5, 0),
        newest_card=(9, 0),
        why="the last build for Maxwell, Pascal and Volta; every CUDA 12 driver runs it (minor-version compatibility)",
    ),
)
"""Newest first: the first row that fits driver and card is used."""


NEWEST_KNOWN_CARD: Version = (12, 1)
"""The newest compute capability (Blackwell) that the builds of `TORCH` are published for. A build also holds code of
its newest architecture in a form that the driver can translate for later cards (PTX), but not every build does."""


@dataclass(frozen=True)
class Nvidia:
    """cuda: the driver's CUDA version. card: compute capability of the newest card, None if unknown."""

    cuda: Version
    card: Version | None = None


@dataclass(frozen=True)
class TorchBuild:
    """What to install. tag: cpu, mac or cuXYZ. index: tried first. note: a line for the user, "" for none."""

    tag: str
    index: str | None
    note: str = ""

    @property
    def wants_cuda(self) -> bool:
        return self.tag.startswith("cu")

    @property
    def pinned(self) -> str:
        """The requirement on the build's own index. The local version label excludes other builds."""
        return f"torch=={TORCH}+{self.tag}" if self.index else f"torch=={TORCH}"

    @property
    def size(self) -> str:
        """Approximate size and duration of the download, in words."""
        return "about 3 GB, 3 to 15 minutes" if self.wants_cuda else "about 200 MB, 1 to 3 minutes"

    @property
    def disk_gb(self) -> float:
        """Free disk space for the whole environment and its download, in GB."""
        return 10.0 if self.wants_cuda else 3.0


def choose(system: str, nvidia: Nvidia | None, override: str = "") -> TorchBuild:
    """The build for a machine. system: sys.platform. override: the user's own tag (STREAMVACE_TORCH)."""
    if override:
        return TorchBuild(override, None if override == "mac" else INDEX + override)
    if system == "darwin":
        return TorchBuild("mac", None)
    if nvidia is None:
        return TorchBuild("cpu", INDEX + "cpu")
    runnable = [build for build in CUDA_BUILDS if nvidia.cuda >= build.driver]
    for build in runnable:
        if nvidia.card is None or build.oldest_card <= nvidia.card <= build.newest_card:
            return TorchBuild(build.tag, INDEX + build.tag, note=_newer_card(nvidia.card))
    return TorchBuild("cpu", INDEX + "cpu", note=_unsupported(nvidia))


def _newer_card(card: Version | None) -> str:
    if card is None or card <= NEWEST_KNOWN_CARD:
        return ""
    known = "{}.{}".format(*NEWEST_KNOWN_CARD)
    return (
        f"this card's compute capability {card[0]}.{card[1]} is newer than {known}, the newest that PyTorch {TORCH} is "
        "built for: if `doctor` says that it cannot compute, set STREAMVACE_TORCH to a newer build, or to cpu"
    )


def _unsupported(nvidia: Nvidia) -> str:
    have = f"the NVIDIA driver supports CUDA {nvidia.cuda[0]}.{nvidia.cuda[1]}"
    newest = CUDA_BUILDS[0]
    if nvidia.cuda < newest.driver and (nvidia.card is None or nvidia.card >= newest.oldest_card):
        return (
            f"{have}, this card needs CUDA {newest.driver[0]}.{newest.driver[1]}: "
            "update the driver (580 or newer), then run: python plugin/bootstrap.py install"
        )
    return f"{have}, and no build of PyTorch {TORCH} supports this card with it: using the CPU"


def parse_smi(text: str) -> Version | None:
    """The CUDA version in the header of nvidia-smi's table ("CUDA Version: 13.0", "CUDA UMD Version: 13.1")."""
    found = re.search(r"CUDA(?: \w+)? Version\s*:\s*(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def parse_cards(text: str) -> Version | None:
    """The highest compute capability in the output of `nvidia-smi --query-gpu=compute_cap --format=csv,noheader`."""
    cards = [(int(major), int(minor)) for major, minor in re.findall(r"^\s*(\d+)\.(\d+)\s*$", text, re.MULTILINE)]
    return max(cards, default=None)


def driver_cuda() -> Version | None:
    """The driver's CUDA version from the driver library: this takes milliseconds, nvidia-smi a second."""
    if sys.platform == "darwin":
        return None
    try:
        name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
        version = ctypes.c_int(0)
        if ctypes.CDLL(name).cuDriverGetVersion(ctypes.byref(version)) != 0:
            return None
    except (OSError, AttributeError):
        return None
    # CUDA encodes it as 1000 * major + 10 * minor; 0 means a stub library without a driver.
    return (version.value // 1000, version.value % 1000 // 10) if version.value else None


def _smi(*options: str) -> str:
    program = shutil.which("nvidia-smi") or shutil.which("nvidia-smi", path="/usr/lib/wsl/lib")
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *options], capture_output=True, timeout=20, stdin=subprocess.DEVNULL, creationflags=NO_WINDOW
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def look() -> Nvidia | None:
    """The NVIDIA driver and card of this machine, or None."""
    if sys.platform == "darwin":
        return None
    cuda = driver_cuda() or parse_smi(_smi())
    return None if cuda is None else Nvidia(cuda, parse_cards(_smi("--query-gpu=compute_cap", "--format=csv,noheader")))
