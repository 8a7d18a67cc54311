"""One text file tells what is needed to help, and nothing about people."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

import pytest

from tests.touchdesigner.fake_td import FakeTouchDesigner
from tests.touchdesigner.studio import Studio


@pytest.fixture
def report(td: FakeTouchDesigner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The report of a component with an operator that has an error."""
    monkeypatch.setattr(Path, "home", lambda: PureWindowsPath("C:/Users/erika"))
    studio = Studio(td)
    extension = studio.component._extension
    extension._panel._folder = tmp_path
    studio.frame(lambda: studio.set(Prompt="a secret wish", Media="C:/Users/erika/media", Transport="spout"))
    log = extension._panel.settings().log
    log.parent.mkdir(parents=True)
    log.write_text("\n".join(f"line {number} of C:\\Users\\erika\\streamvace" for number in range(100)))
    sender = studio.component.op("send_texture")
    assert sender is not None
    sender._error = "Failed to open\n C:/Users/erika/clip.mov"
    studio.component.op("figures").destroy()  # type: ignore[union-attr]
    studio.press("Report")
    studio.frame()
    [path] = td.ui._viewed
    assert Path(path).name == "report-streamvace-7700.txt"
    assert studio.said(path)
    return Path(path).read_text("utf-8")


def test_versions_states_and_errors_are_in_the_report(report: str, td: FakeTouchDesigner) -> None:
    assert f"TouchDesigner {td.app.build}, Python 3." in report
    assert "Transport: 'spout' (CONSTANT)" in report
    assert "State: 'looking'" in report
    assert "send_texture: syphonspoutoutTOP; 0x0; error: Failed to open ~/clip.mov" in report
    assert "figures: MISSING" in report
    assert "line 99 of ~\\streamvace" in report
    assert "line 39 of" not in report


def test_no_text_and_no_home_folder_of_the_user_is_in_the_report(report: str) -> None:
    assert "secret" not in report
    assert "erika" not in report
