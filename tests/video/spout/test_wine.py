"""The sender's side of Spout with the real SpoutGL, under Wine. Optional: `pytest -m wine tests/video`.

Needs about 800 MB of packages and a network for pip, so it is skipped where they are missing, also where other missing
parts are failures. STREAMVACE_WINE_DIR names a folder to keep the Windows Python in between runs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.touchdesigner.windows_words import WINDOWS_WORDS

pytestmark = pytest.mark.wine

ROOT = Path(__file__).parents[3]
PROGRAMS = ("wine", "wineboot", "wineserver", "xvfb-run", "x86_64-w64-mingw32-gcc")
FIX = (
    "apt-get install --no-install-recommends wine wine64 xvfb xauth gcc-mingw-w64-x86-64 libgl1-mesa-dri, "
    "then pytest -m wine tests/video"
)
WHEELS = ("panda3d==1.10.16", "SpoutGL==0.1.1", "numpy==1.26.4")
PACKAGES = [
    *("encodings", "collections", "importlib", "re", "ctypes", "json", "logging", "concurrent", "asyncio", "urllib"),
    *("email", "http", "unittest", "multiprocessing", "xml", "html"),
]
LAUNCHER = """
#include <windows.h>
typedef int (*Main)(int, wchar_t **);
int wmain(int count, wchar_t **words) {
    HMODULE python = LoadLibraryW(L"python311.dll");
    return python ? ((Main)GetProcAddress(python, "Py_Main"))(count, words) : 9;
}
"""


def windows_python(folder: Path) -> Path:
    """A Windows Python 3.11 with SpoutGL and numpy, put together from wheels and this Python's own library.

    The panda3d wheel is there for the python311.dll and the compiled modules that it carries.
    """
    python = folder / "python" / "python.exe"
    if python.exists():
        return python
    downloads, library = folder / "downloads", folder / "python" / "Lib"
    library.mkdir(parents=True, exist_ok=True)
    target = ["--platform", "win_amd64", "--python-version", "3.11", "--only-binary=:all:", "--no-deps"]
    run([sys.executable, "-m", "pip", "download", "-q", "-d", str(downloads), *target, *WHEELS])
    for wheel in downloads.glob("*.whl"):
        with zipfile.ZipFile(wheel) as packed:
            if not wheel.name.startswith("panda3d"):
                packed.extractall(library)
                continue
            for name in packed.namelist():
                if name.startswith("deploy_libs/") and not name.endswith("/"):
                    (python.parent / Path(name).name).write_bytes(packed.read(name))
    own = Path(sysconfig.get_path("stdlib"))
    for module in own.glob("*.py"):
        shutil.copy(module, library)
    for package in PACKAGES:
        shutil.copytree(own / package, library / package, dirs_exist_ok=True)
    # Wine shows this machine's root as drive Z.
    checkout = "Z:" + str(ROOT).replace("/", "\\")
    (python.parent / "python311._pth").write_text(f".\nLib\n{checkout}\n", "utf-8")
    source = folder / "launcher.c"
    source.write_text(LAUNCHER, "ascii")
    run(["x86_64-w64-mingw32-gcc", "-municode", "-O1", "-static", "-o", str(python), str(source)])
    return python


def run(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the real SpoutGL did with our sink."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} missing: {FIX}")
    if sys.version_info[:2] != (3, 11):
        pytest.skip("this Python's library is put beside a python311.dll: run the tests with Python 3.11")
    kept = os.environ.get("STREAMVACE_WINE_DIR")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("wine")
    python = windows_python(folder)
    environment = {**os.environ, "WINEPREFIX": str(folder / "prefix"), "WINEDEBUG": "-all"}
    environment.pop("DISPLAY", None)
    try:
        # The first start makes the prefix; it complains of missing browsers and may say that it failed.
        boot = ["xvfb-run", "-a", "wineboot", "-i"]
        subprocess.run(boot, env=environment, capture_output=True, timeout=300, check=False)
        program = "Z:" + str(ROOT / "tests" / "video" / "spout_wine_program.py").replace("/", "\\")
        output = run(["xvfb-run", "-a", "wine", str(python), program], environment)
        # Spout itself speaks on the same stream.
        report: dict[str, Any] = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
        yield report
    finally:
        subprocess.run(["wineserver", "-k"], env=environment, capture_output=True, timeout=60, check=False)


def test_the_real_spout_numbers_a_taken_name_and_we_read_it_back(seen: dict[str, Any]) -> None:
    assert seen["names"] == ["spout:sv", "spout:sv_1"]
    assert seen["listed"] == ["sv", "sv_1"]


def test_the_real_sender_is_there_before_the_first_frame(seen: dict[str, Any]) -> None:
    assert seen["opened_size"] == [640, 368]


def test_the_real_sender_survives_changes_of_size_under_its_name(seen: dict[str, Any]) -> None:
    assert seen["resized"] == [640, 368]
    assert (seen["sent"], seen["faults"], seen["last_fault"]) == (40, 0, "")
    assert seen["listed_after_resizing"] == ["sv", "sv_1"]


def test_the_real_sender_is_gone_after_closing(seen: dict[str, Any]) -> None:
    assert seen["listed_after_closing"] == []


def test_the_real_binding_refuses_the_buffers_that_the_fake_refuses(seen: dict[str, Any]) -> None:
    gaps, small = seen["refusals"]
    assert "contiguous" in gaps
    assert "large enough" in small


def test_windows_own_splitter_makes_the_words_of_more_options(seen: dict[str, Any]) -> None:
    assert seen["words"] == [words for _, words in WINDOWS_WORDS]
    assert "correct the quotes" in seen["open_quote"]
