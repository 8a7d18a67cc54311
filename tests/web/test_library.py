"""The page sees what is in the media folder and what can be an input; a search is shared and opens nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamvace.web import library
from tests.web.media_rig import GOOD, MediaServer


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[MediaServer]:
    rig = MediaServer(tmp_path / "media")
    yield rig
    rig.close()


def put(rig: MediaServer, name: str, changed: int, data: bytes = GOOD) -> None:
    path = rig.media.place(name)
    path.write_bytes(data)
    os.utime(path, (changed, changed))


def test_pictures_and_films_are_listed_newest_first_and_nothing_else_is(rig: MediaServer) -> None:
    for number, name in enumerate(("old.png", "clips/new.mp4", "notes.txt", ".hidden.png", ".x/a.png", "a.part.mp4")):
        put(rig, name, 1000 + number)
    status, said = rig.json("/media.json")
    assert status == 200
    assert (said["folder"], said["more"]) == (str(rig.root), 0)
    assert said["files"] == [
        {"name": "clips/new.mp4", "kind": "film", "bytes": 4, "changed": 1001.0},
        {"name": "old.png", "kind": "picture", "bytes": 4, "changed": 1000.0},
    ]


def test_a_long_list_ends_and_says_so(rig: MediaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "MOST_FILES", 2)
    for number in range(5):
        put(rig, f"{number}.png", number)
    said = rig.json("/media.json")[1]
    assert [row["name"] for row in said["files"]] == ["4.png", "3.png"]
    assert said["more"] == 3


def test_a_missing_folder_is_an_empty_list(rig: MediaServer) -> None:
    assert rig.json("/media.json")[1]["files"] == []


def test_a_thumbnail_follows_its_file_and_nothing_outside_is_shown(rig: MediaServer) -> None:
    put(rig, "a.png", 1)
    status, data, headers = rig.ask("/media/thumbnail?name=a.png")
    assert (status, data, headers["Content-Type"]) == (200, b"small a.png", "image/jpeg")
    put(rig, "a.png", 2, b"damaged")
    assert rig.ask("/media/thumbnail?name=a.png")[0] == 404
    (rig.root.parent / "secret.png").write_bytes(GOOD)
    for name in ("../secret.png", str(rig.root.parent / "secret.png"), "none.png", ""):
        assert rig.ask(f"/media/thumbnail?name={name}")[0] == 404


def test_sources_are_searched_once_and_again_on_request(rig: MediaServer) -> None:
    status, said = rig.json("/sources.json")
    assert status == 200
    assert said["sources"][0]["address"] == "ndi:PC (Out)"
    assert said["problems"] == {"screen": "no display"}
    rig.json("/sources.json")
    assert rig.looked == 1
    rig.json("/sources.json?refresh=1")
    assert rig.looked == 2


def test_only_an_open_input_has_a_thumbnail(rig: MediaServer) -> None:
    assert rig.ask("/sources/thumbnail?address=1")[:2] == (200, b"one")
    assert rig.ask("/sources/thumbnail?address=camera:0")[0] == 404
