"""What `streamvace sources` promises: every kind is asked, a missing one is a line, and a picture is a picture."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from streamvace.doctor import sources
from streamvace.records.frame import Frame
from streamvace.system.errors import UserError
from streamvace.video import find
from streamvace.video.find import Found, Look, find_all, look_at


@pytest.fixture(autouse=True)
def sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "devices", lambda: ("Line In", "a\x1bb"))


def picture(*colours: tuple[int, int, int]) -> Frame:
    """One row of pixels for each colour."""
    pixels = np.zeros((len(colours), 4, 4), np.uint8)
    pixels[..., :3] = np.array(colours, np.uint8)[:, None, :]
    return Frame(pixels, 0, "test", 0)


def test_a_thumbnail_shows_two_pixels_in_a_character() -> None:
    text = sources.thumbnail(picture((255, 0, 0), (0, 255, 0)), columns=4, rows=1)
    assert text.plain == "\N{UPPER HALF BLOCK}" * 4
    assert {str(span.style) for span in text.spans} == {"#ff0000 on #00ff00"}


def test_without_a_standard_output_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under pythonw."""
    monkeypatch.setattr(find, "FINDERS", {"camera": lambda seconds: [Found("camera", "camera:0")]})
    monkeypatch.setattr(sources, "look_at", lambda address, seconds: Look())
    monkeypatch.setattr(sys, "stdout", None)
    for as_json in (True, False):
        assert sources.run_sources(0.0, thumbnails=False, as_json=as_json) == 0


def test_a_kind_that_cannot_be_asked_is_a_line_and_the_others_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(seconds: float) -> list[Found]:
        raise UserError('NDI is not installed; run: pip install "streamvace[ndi]"')

    monkeypatch.setattr(find, "FINDERS", {"NDI": missing, "camera": lambda seconds: [Found("camera", "camera:0")]})
    monkeypatch.setattr(sources, "look_at", lambda address, seconds: Look(picture((9, 9, 9)), (1280, 720)))
    assert sources.run_sources(0.0, thumbnails=False, as_json=True) == 0
    output = json.loads(capsys.readouterr().out)
    assert output["problems"] == {"NDI": 'NDI is not installed; run: pip install "streamvace[ndi]"'}
    assert output["sound"] == ["Line In", "a\x1bb"]
    assert output["sources"] == [
        {
            "kind": "camera",
            "address": "camera:0",
            "about": "",
            "width": 1280,
            "height": 720,
            "picture": True,
            "error": "",
        }
    ]
    assert sources.run_sources(0.0, thumbnails=True, as_json=False) == 0
    printed = capsys.readouterr().out
    assert "camera:0" in printed
    assert "1280x720" in printed
    assert "--sound-input takes a part of one of these names: Line In, a\\x1bb" in printed


def test_a_machine_without_sound_is_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def missing() -> tuple[str, ...]:
        raise UserError("sound needs the package miniaudio")

    monkeypatch.setattr(find, "FINDERS", {})
    monkeypatch.setattr(sources, "devices", missing)
    assert sources.run_sources(0.0, thumbnails=False, as_json=False) == 0
    assert "sound: sound needs the package miniaudio" in capsys.readouterr().out


def test_a_sender_cannot_paint_the_terminal_with_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    named = Found("NDI", "ndi:\x1b]0;owned\x07STAGE", "\u202egnp")
    monkeypatch.setattr(find, "FINDERS", {"NDI": lambda seconds: [named]})
    monkeypatch.setattr(sources, "look_at", lambda address, seconds: Look(error="\x9b2J"))
    sources.run_sources(0.0, thumbnails=False, as_json=False)
    printed = capsys.readouterr().out
    assert "ndi:\\x1b]0;owned\\x07STAGE" in printed
    assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(printed)


def test_nothing_found_says_what_needs_no_source(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(find, "FINDERS", {})
    assert sources.run_sources(0.0, thumbnails=False, as_json=False) == 0
    assert "--input pattern" in capsys.readouterr().out


def test_spout_and_syphon_are_asked_on_their_own_system_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        find, "FINDERS", {kind: lambda seconds, kind=kind: asked.append(kind) or [] for kind in find.FINDERS}
    )
    for system in ("linux", "win32", "darwin"):
        monkeypatch.setattr(sys, "platform", system)
        asked.clear()
        find_all(0.0)
        assert ("Spout" in asked, "Syphon" in asked) == (system == "win32", system == "darwin")
        assert {"NDI", "camera", "screen"} <= set(asked)


def test_the_libraries_that_are_asked_say_nothing_beside_the_list() -> None:
    """On Windows, OpenCV's FFmpeg would write past Python that it has no libavdevice."""
    command = [sys.executable, "-m", "streamvace", "sources", "--json", "--seconds", "0.1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert set(json.loads(done.stdout)) == {"sources", "sound", "problems"}
    assert done.stderr == ""


def test_a_look_takes_the_first_picture_and_never_raises() -> None:
    look = look_at("pattern:edges", 20.0)
    assert look.frame is not None
    assert look.frame.pixels.shape == (36, 64, 4)
    assert look_at("nowhere:", 1.0).error.startswith("Unknown input 'nowhere'.")
    started = time.monotonic()
    assert look_at("none", 0.1).error == "no picture within 0.1 s"
    assert time.monotonic() >= started + 0.1
