"""Builds and loads guard.cpp, once for each PyTorch, into the folder .cache of the repository."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch

SOURCE = Path(__file__).with_name("guard.cpp")
FOLDER = Path(__file__).parents[2] / ".cache" / "gpu_rehearsal"


@cache
def load_guard() -> None:
    """Let this process work with fake tensors of `cuda` and `mps`. Skips the test where that is not possible."""
    if torch.version.cuda is not None or torch.backends.mps.is_built():
        pytest.skip("this PyTorch is built for a GPU; the rehearsal stands in for one and needs a build for processors")
    compiler = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
    if compiler is None or sys.platform == "win32":
        pytest.skip("the rehearsal needs a C++ compiler (g++ or clang++) on Linux")
    key = hashlib.sha256(f"{torch.__version__} {torch.__file__}".encode() + SOURCE.read_bytes()).hexdigest()[:16]
    library = FOLDER / f"guard-{key}.so"
    if not library.exists():
        _build(compiler, library)
    torch.ops.load_library(str(library))


def _build(compiler: str, library: Path) -> None:
    home = Path(torch.__file__).parent
    FOLDER.mkdir(parents=True, exist_ok=True)
    partial = library.with_suffix(f".{os.getpid()}")
    options = [
        "-shared",
        "-fPIC",
        "-O1",
        "-std=c++20",
        f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}",
    ]
    places = [f"-I{home / 'include'}", f"-L{home / 'lib'}", "-lc10", f"-Wl,-rpath,{home / 'lib'}"]
    subprocess.run([compiler, *options, str(SOURCE), "-o", str(partial), *places], check=True)
    partial.replace(library)  # atomic: another test run may build the same file
