"""A finished recording can be downloaded, in parts as well; nothing else of the media folder can."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.media_rig import MediaServer


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[MediaServer]:
    rig = MediaServer(tmp_path / "media")
    for name in ("recordings/take 1.mp4", "recordings/b.part.mp4", "recordings/x.txt", "takes/own.mov", "clip.mp4"):
        rig.media.place(name).write_bytes(b"0123456789")
    yield rig
    rig.close()


def test_a_recording_is_downloaded_whole_or_in_parts(rig: MediaServer) -> None:
    status, data, headers = rig.ask("/recordings?name=recordings/take%201.mp4")
    assert (status, data) == (200, b"0123456789")
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''take%201.mp4"
    status, data, headers = rig.ask("/recordings?name=recordings/take%201.mp4", headers={"Range": "bytes=2-4"})
    assert (status, data, headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")


@pytest.mark.parametrize(
    "name",
    ["clip.mp4", "takes/own.mov", "recordings/b.part.mp4", "recordings/x.txt", "recordings/../clip.mp4", "", "no"],
)
def test_other_files_are_not_given_away(rig: MediaServer, name: str) -> None:
    assert rig.ask(f"/recordings?name={name}")[0] == 404


def test_the_newest_recording_is_given_wherever_it_was_stored(rig: MediaServer) -> None:
    rig.recorded = "takes/own.mov"
    assert rig.ask("/recordings?name=takes/own.mov")[0] == 200


def test_its_folder_opens_for_a_browser_on_this_machine(rig: MediaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rig.ask("/recordings/open", "POST")[0] == 200
    rig.recorded = "takes/own.mov"
    rig.ask("/recordings/open", "POST")
    assert [folder.name for folder in rig.opened] == ["recordings", "takes"]
    assert rig.ask("/recordings/open")[0] == 405, "a link or a picture on another page must not do it"
    assert rig.ask("/recordings/open", "POST", headers={"Origin": "http://evil.example"})[0] == 403
    monkeypatch.setattr("streamvace.web.recordings.is_this_machine", lambda host: False)
    assert rig.ask("/recordings/open", "POST")[0] == 403
    assert len(rig.opened) == 2
