"""An upload is stored whole under a safe name or leaves nothing behind, and nobody can fill the disk."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamvace.system.files import new_file
from streamvace.web import uploads
from streamvace.web.token import Token
from tests.patience import PATIENCE_S
from tests.video.helpers import until
from tests.web.media_rig import GOOD, MediaServer


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[MediaServer]:
    rig = MediaServer(tmp_path / "media")
    yield rig
    rig.close()


def begin(rig: MediaServer, name: str, length: int, sent: bytes) -> socket.socket:
    """An upload that has sent only its beginning."""
    connection = socket.create_connection(("127.0.0.1", rig.web.port), PATIENCE_S)
    head = f"POST /media?name={name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
    connection.sendall(head.encode() + sent)
    return connection


def answer_of(connection: socket.socket) -> bytes:
    with connection:
        return connection.recv(1 << 16)


def test_a_file_is_stored_whole_and_the_answer_names_it_as_parameters_do(rig: MediaServer) -> None:
    body = GOOD + bytes(range(256)) * 9000  # several pieces
    assert rig.json("/media?name=My%20clip.MP4", "POST", body) == (201, {"name": "uploads/My clip.MP4", "kind": "film"})
    assert rig.media.find("uploads/My clip.MP4").read_bytes() == body
    assert rig.stored() == ["uploads/My clip.MP4"]


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("../../etc/passwd.png", "uploads/passwd.png"),
        ("C:\\Windows\\x.png", "uploads/x.png"),
        ("a%00b%0Ac.png", "uploads/a_b_c.png"),
        (".hidden.png", "uploads/hidden.png"),
        ("NUL.png", "uploads/_NUL.png"),
        ("K%C3%A4tzchen $(rm).png", "uploads/Kätzchen _(rm).png"),
        (f"{'x' * 300}.png", f"uploads/{'x' * 96}.png"),
    ],
)
def test_no_name_leads_anywhere_else(rig: MediaServer, name: str, stored: str) -> None:
    assert rig.json(f"/media?name={name.replace(' ', '%20')}", "POST", GOOD) == (
        201,
        {"name": stored, "kind": "picture"},
    )
    assert rig.stored() == [stored]


def test_nothing_is_overwritten(rig: MediaServer) -> None:
    names = [rig.json("/media?name=a.png", "POST", GOOD + bytes([number]))[1]["name"] for number in range(3)]
    assert names == ["uploads/a.png", "uploads/a-2.png", "uploads/a-3.png"]
    assert rig.media.find("uploads/a.png").read_bytes() == GOOD + b"\0"


def test_a_scanner_that_looks_at_a_new_file_costs_a_moment_and_one_that_keeps_it_costs_the_file(
    rig: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, looks = os.replace, [1, 2]

    def held(whole: Path, path: Path) -> None:
        if looks:
            looks.pop()
            raise PermissionError(13, "Access is denied")
        rename(whole, path)

    monkeypatch.setattr(os, "replace", held)
    assert rig.json("/media?name=a.png", "POST", GOOD) == (201, {"name": "uploads/a.png", "kind": "picture"})
    monkeypatch.setattr("streamvace.system.files._PATIENCE_S", 0.0)
    looks.append(3)
    status, said = rig.json("/media?name=b.png", "POST", GOOD)
    assert (status, said["error"]) == (507, "the media folder cannot be written (Access is denied)")
    assert rig.stored() == ["uploads/a.png"], "no empty file is left"


def test_a_file_that_cannot_be_decoded_is_refused_by_its_own_name_and_removed(rig: MediaServer) -> None:
    status, said = rig.json("/media?name=bomb.png", "POST", b"something else")
    assert (status, said) == (422, {"error": "bomb.png is damaged; save it again"}) or said["error"].startswith(
        "bomb.png"
    )
    assert rig.stored() == []


@pytest.mark.parametrize(
    ("name", "body", "status", "line"),
    [
        ("run.exe", GOOD, 415, "neither a picture nor a film"),
        ("", GOOD, 422, "no name for a file"),
        ("a.png", b"", 413, "1 byte to 64.0 MB"),
    ],
)
def test_what_is_no_picture_or_film_is_refused_in_one_line(
    rig: MediaServer, name: str, body: bytes, status: int, line: str
) -> None:
    answered, said = rig.json(f"/media?name={name}", "POST", body)
    assert answered == status
    assert line in said["error"]
    assert rig.stored() == []


def test_a_picture_and_a_film_have_their_own_limits_and_nothing_of_a_larger_one_is_read(rig: MediaServer) -> None:
    for name, length in (("a.png", (64 << 20) + 1), ("a.mp4", (2 << 30) + 1)):
        assert answer_of(begin(rig, name, length, GOOD)).startswith(b"HTTP/1.1 413 ")
    assert rig.stored() == []


def test_an_upload_that_is_cut_off_leaves_nothing_and_frees_its_place(rig: MediaServer) -> None:
    both = [begin(rig, "a.mp4", 1 << 20, GOOD * 100) for _ in range(uploads.MOST_AT_ONCE)]
    until(lambda: rig.uploads._open == len(both) == len(rig.stored()))
    for connection in both:
        connection.close()
    until(lambda: rig.uploads._open == 0)
    assert rig.stored() == []
    assert rig.json("/media?name=a.mp4", "POST", GOOD)[0] == 201


def test_two_uploads_run_at_a_time_and_a_third_is_told_to_wait(rig: MediaServer) -> None:
    both = [begin(rig, f"{name}.mp4", 1 << 20, GOOD) for name in "ab"]
    until(lambda: rig.uploads._open == 2)
    status, said = rig.json("/media?name=c.mp4", "POST", GOOD)
    assert (status, said["error"]) == (429, "2 files are being received already; send c.mp4 after them")
    for connection in both:
        connection.sendall(bytes((1 << 20) - len(GOOD)))
        assert answer_of(connection).startswith(b"HTTP/1.1 201 ")


def test_a_page_that_falls_silent_is_given_up(rig: MediaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_SILENCE_S", 0.1)
    with begin(rig, "a.mp4", 1 << 20, GOOD) as silent:
        assert b"cut off" in silent.recv(1 << 16)
    assert rig.stored() == []


def test_all_uploads_together_have_a_quota_and_the_disk_keeps_some_room(
    rig: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_STORED", 100)
    assert rig.json("/media?name=a.png", "POST", GOOD.ljust(80))[0] == 201
    status, said = rig.json("/media?name=b.png", "POST", GOOD.ljust(30))
    assert status == 422
    assert "delete what is not needed" in said["error"]
    assert rig.json("/media?name=c.png", "POST", GOOD.ljust(20))[0] == 201
    monkeypatch.setattr(uploads, "MOST_STORED", 1 << 60)
    monkeypatch.setattr(uploads, "LEAST_FREE", 1 << 60)
    assert "stay free" in rig.json("/media?name=d.png", "POST", GOOD)[1]["error"]


def test_what_a_killed_show_left_is_removed(rig: MediaServer) -> None:
    left, received = rig.media.place("uploads/.upload-0123.mp4"), rig.media.place("uploads/.upload-4567.mp4")
    for part in (left, received):
        new_file(part).close()
    long_ago = time.time() - 2 * uploads._LEFT_S
    os.utime(left, (long_ago, long_ago))
    rig.json("/media?name=a.png", "POST", GOOD)
    assert rig.stored() == [f"uploads/{received.name}", "uploads/a.png"], "what is being received now stays"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
def test_a_page_of_another_site_can_send_nothing(rig: MediaServer, origin: str) -> None:
    assert rig.ask("/media?name=a.png", "POST", GOOD, {"Origin": origin})[0] == 403
    own = f"http://127.0.0.1:{rig.web.port}"
    assert rig.ask("/media?name=a.png", "POST", GOOD, {"Origin": own})[0] == 201


def test_without_the_token_nothing_is_taken(tmp_path: Path) -> None:
    rig = MediaServer(tmp_path / "media", Token("0123456789abcdef"))
    try:
        assert rig.ask("/media?name=a.png", "POST", GOOD)[0] == 401
        assert rig.ask("/media?name=a.png&token=0123456789abcdef", "POST", GOOD)[0] == 201
    finally:
        rig.close()
