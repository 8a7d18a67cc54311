"""A region of the screen as a source, on a real (virtual) screen, and the list of sources that shows it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command
from streamvace.video.endpoints import open_source
from streamvace.video.screen import ScreenOptions, region
from tests.real_parts import require, require_package

ROOT = Path(__file__).parents[2]
MONITORS = [
    {"left": 0, "top": 0, "width": 3200, "height": 1080},
    {"left": 0, "top": 0, "width": 1920, "height": 1080},
    {"left": 1920, "top": 0, "width": 1280, "height": 720},
]


@pytest.fixture(scope="module")
def seen() -> tuple[dict[str, Any], str]:
    """What a process on a virtual screen reported, and what `streamvace sources` printed there."""
    require_package("mss", 'pip install "streamvace[screen]"')
    command = [sys.executable, "-m", "tests.video.screen_program"]
    if sys.platform not in ("win32", "darwin"):
        present = shutil.which("xvfb-run") is not None
        require("a virtual screen", present, "apt-get install xvfb xauth libgl1-mesa-dri libgl1 libglx-mesa0")
        command = ["xvfb-run", "-a", "-s", "-screen 0 640x360x24", *command]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=120)
    assert run.returncode == 0, run.stderr
    report, _, printed = run.stdout.partition("\n")
    return json.loads(report), printed


def test_a_region_of_the_screen_comes_back_exactly(seen: tuple[dict[str, Any], str]) -> None:
    report, _ = seen
    assert report["source"] == "screen:1"
    assert report["opaque"]
    assert report["goes_on"]


def test_without_a_region_it_is_the_whole_display(seen: tuple[dict[str, Any], str]) -> None:
    report, _ = seen
    width, height = report["screen"]
    assert report["whole"] == [height, width, 4]
    assert report["in_the_whole"]


def test_what_is_not_on_the_screen_is_refused_with_what_is(seen: tuple[dict[str, Any], str]) -> None:
    width, height = seen[0]["screen"]
    number, part, name = seen[0]["refusals"]
    assert number == "there is no screen 2; use screen:1"
    assert part == (
        f"a region of 100x{height} at {width - 40},0 is not on screen 1, which has {width}x{height}; make it smaller"
    )
    assert name == "unknown screen 'left': screens are counted from 1; try screen:1"


def test_the_list_of_sources_names_the_screen_with_its_size_and_a_picture(seen: tuple[dict[str, Any], str]) -> None:
    report, printed = seen
    assert "screen:1" in printed
    assert "{}x{}".format(*report["screen"]) in printed
    assert printed.count("\N{UPPER HALF BLOCK}") >= 32 * 9


def test_a_region_is_counted_from_its_own_display() -> None:
    assert region(MONITORS, 2, ScreenOptions()) == {"left": 1920, "top": 0, "width": 1280, "height": 720}
    assert region(MONITORS, 2, ScreenOptions(x=10, y=20, width=30)) == {
        "left": 1930,
        "top": 20,
        "width": 30,
        "height": 700,
    }
    with pytest.raises(UserError, match="use screen:1, screen:2"):
        region(MONITORS, 3, ScreenOptions())


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a screen")
def test_without_a_screen_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    require_package("mss", 'pip install "streamvace[screen]"')
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(UserError, match="no screen can be read") as caught:
        open_source("screen:1", (8, 8))
    assert "\n" not in str(caught.value)


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mss", None)
    with pytest.raises(UserError, match=re.escape(install_command("screen"))):
        open_source("screen:1", (8, 8))
