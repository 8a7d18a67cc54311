from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.system.errors import UserError
from streamvace.video.endpoints import open_sink
from streamvace.video.window import sink as sink_module
from streamvace.video.window.geometry import letterbox, opening_size
from streamvace.video.window.sink import choose_display, display_available, opengl_renderer
from tests.real_parts import require

ROOT = Path(__file__).parents[3]
side = st.integers(1, 4000)


@given(side, side, side, side)
def test_the_whole_picture_is_in_the_window_centred_and_in_shape(pw: int, ph: int, ww: int, wh: int) -> None:
    left, bottom, right, top = letterbox((pw, ph), (ww, wh))
    width, height = right - left, top - bottom
    assert width == ww or height == wh
    assert width <= ww
    assert height <= wh
    assert abs(left - (ww - right)) <= 1
    assert abs(bottom - (wh - top)) <= 1
    assert abs(width * ph - height * pw) <= max(pw, ph)  # within a pixel of the true shape


def test_without_a_screen_no_adapter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert sys.platform != "linux" or opengl_renderer() == ""


def test_a_screen_without_opengl_is_told_with_the_drivers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink_module, "display_available", lambda: True)
    monkeypatch.setitem(sys.modules, "pyglet", None)
    assert opengl_renderer().startswith("none (")


def test_a_picture_of_the_windows_size_is_shown_pixel_for_pixel() -> None:
    assert letterbox((832, 480), (832, 480)) == (0, 0, 832, 480)


def test_a_window_opens_at_a_whole_multiple_that_leaves_room() -> None:
    assert opening_size((256, 256), (1920, 1080)) == (512, 512)
    assert opening_size((832, 480), (1920, 1080)) == (832, 480)
    assert opening_size((1280, 720), (1024, 768)) == (1280, 720)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a screen")
def test_without_a_screen_the_message_says_what_to_use_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert not display_available()
    with pytest.raises(UserError, match="no screen: DISPLAY is not set; use --output web"):
        open_sink("window", (64, 64), 24.0)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a screen")
def test_a_screen_that_does_not_answer_is_named() -> None:
    program = (
        "from streamvace.video.endpoints import open_sink\n"
        "from streamvace.system.errors import UserError\n"
        "try: open_sink('window', (64, 64), 24.0)\n"
        "except UserError as error: print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "DISPLAY": ":987"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.stdout.count("\n") == 1
    assert "no window on :987" in run.stdout
    assert "--output web" in run.stdout


def test_an_unknown_kind_of_window_names_those_there_are() -> None:
    with pytest.raises(UserError, match="there is window and window:full"):
        open_sink("window:tiny", (64, 64), 24.0)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a real window showed: on a virtual screen on Linux, on the real one elsewhere."""
    screenshot = tmp_path_factory.mktemp("window") / "letterbox.png"
    command = [sys.executable, "-m", "tests.video.window_program", str(screenshot)]
    if sys.platform not in ("win32", "darwin"):
        present = shutil.which("xvfb-run") is not None
        require("a virtual screen", present, "apt-get install xvfb xauth libgl1-mesa-dri libgl1 libglx-mesa0")
        command = ["xvfb-run", "-a", "-s", "-screen 0 1280x720x24", *command]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    report: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return {**report, "said": run.stderr}


def test_the_window_shows_the_newest_frame_exactly(seen: dict[str, Any]) -> None:
    assert seen["black_before_the_first"]
    assert seen["difference_at_1_to_1"] == 0
    assert seen["difference_when_drawn_again"] == 0
    assert (seen["drawn"], seen["dropped"]) == (1, 4)


def test_the_picture_keeps_its_shape_and_stands_upright(seen: dict[str, Any]) -> None:
    assert seen["letterboxed_size"] == [400, 300]
    assert seen["bars_are_black"]
    assert seen["corners"] == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


def test_frames_of_another_size_are_shown_too(seen: dict[str, Any]) -> None:
    assert seen["after_a_change_of_size"] == [9, 99, 199]


def test_f_switches_full_screen_and_escape_asks_to_quit(seen: dict[str, Any]) -> None:
    assert seen["full_screen"]
    assert seen["full_screen_left"]
    assert seen["open_before_escape"]
    assert seen["escape_asks_to_quit"]
    assert seen["window_stays_until_closed"]


def test_bound_keys_are_called_and_the_windows_own_stay(seen: dict[str, Any]) -> None:
    assert seen["called"] == ["space"]
    assert seen["still_shown_on_the_next_display"]


def test_h_shows_the_help_over_the_picture_and_hides_it_without_a_trace(seen: dict[str, Any]) -> None:
    assert 0.2 < seen["help_covers"] < 0.9
    assert seen["help_has_letters"] > 200
    assert seen["difference_after_help"] == 0


def test_a_system_without_fonts_costs_the_help_and_not_the_show(seen: dict[str, Any]) -> None:
    assert seen["difference_without_a_font"] == 0
    assert "the window cannot show its keys (AssertionError: Font: 'Segoe UI' not found)" in seen["said"]


def test_a_display_is_chosen_by_its_number_and_a_missing_one_names_those_there_are(seen: dict[str, Any]) -> None:
    assert seen["full_screen_on_a_chosen_display"]
    assert "there is no display 9; there is 1 (" in seen["no_such_display"]


def test_displays_are_counted_from_one() -> None:
    screens = [SimpleNamespace(width=1920, height=1080), SimpleNamespace(width=1280, height=720)]
    assert choose_display(screens, 2) is screens[1]
    for number in (-1, 3):
        with pytest.raises(UserError, match=r"there is 1 \(1920x1080\), 2 \(1280x720\); try window:full\?display=2"):
            choose_display(screens, number)
