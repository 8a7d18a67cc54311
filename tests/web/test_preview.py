from __future__ import annotations

import http.client
import json
import math
import socket
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from streamvace.records.frame import Frame, Sink
from streamvace.system.connections import MOST_PER_HOST
from streamvace.system.errors import UserError
from streamvace.web.hosts import host_allowed
from streamvace.web.preview import MOST_STREAMS, PARTS, WebPreview
from tests.video.helpers import until
from tests.web.show import grey

HINTS = (("Change the prompt", 'oscsend localhost 9000 /streamvace/prompt s "a blue cube"'),)


def level_of(jpeg: bytes) -> int:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return round(float(picture.mean()))


@pytest.fixture
def said() -> list[str]:
    """What the server has reported."""
    return []


@pytest.fixture
def preview(said: list[str]) -> Iterator[WebPreview]:
    server = WebPreview(port=0, hints=HINTS, report=lambda kind, line, _: said.append(f"{kind}: {line}"))
    yield server
    server.close()


def get(preview: WebPreview, path: str, host: str | None = None, method: str = "GET") -> tuple[int, bytes, str]:
    """(status, body, content type) from a real HTTP client."""
    connection = http.client.HTTPConnection("127.0.0.1", preview.port, timeout=20)
    connection.request(method, path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body, answer.headers.get("Content-Type", "")


class Watcher:
    """A browser's side of the live picture, read part by part when the test wants it."""

    def __init__(self, preview: WebPreview, path: str = "/stream.mjpg") -> None:
        self.socket = socket.create_connection(("127.0.0.1", preview.port), timeout=20)
        self.socket.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        while self.file.readline().strip():
            pass

    def next_jpeg(self) -> bytes:
        length = 0
        line = self.file.readline()
        while line.strip() or not length:
            assert line, "the stream ended"
            name, _, value = line.partition(b":")
            length = int(value) if name == b"Content-Length" else length
            line = self.file.readline()
        return self.file.read(length)

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def test_the_page_comes_whole_and_asks_for_nothing_from_elsewhere(preview: WebPreview) -> None:
    status, body, kind = get(preview, "/")
    assert status == 200
    assert kind.startswith("text/html")
    parts = [body.decode()]
    for part, kind in PARTS.items():
        status, body, said = get(preview, f"/{part}")
        assert (status, said.partition(";")[0]) == (200, kind)
        parts.append(body.decode())
    text = "".join(parts)
    assert all(f'"/{part}"' in text for part in PARTS), "the page or one of its scripts asks for every part"
    assert "http://" not in text
    assert "https://" not in text
    assert "//cdn" not in text
    assert "innerHTML" not in text, "what comes from elsewhere is text"


def test_the_newest_frame_is_there_as_a_jpeg(preview: WebPreview) -> None:
    assert get(preview, "/frame.jpg")[0] == 503
    preview.publish(grey(40))
    preview.publish(grey(160))
    status, body, kind = get(preview, "/frame.jpg")
    assert (status, kind) == (200, "image/jpeg")
    assert abs(level_of(body) - 160) <= 2


def test_colours_are_not_swapped(preview: WebPreview) -> None:
    pixels = np.zeros((48, 64, 4), np.uint8)
    pixels[..., 0] = 230
    preview.publish(Frame(pixels, 0, "test", 0))
    picture = cv2.imdecode(np.frombuffer(get(preview, "/frame.jpg")[1], np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    blue, green, red = picture.reshape(-1, 3).mean(axis=0)
    assert red > 220
    assert max(blue, green) < 12


def test_what_the_model_sees_is_sent_to_those_who_look(preview: WebPreview) -> None:
    feed = preview.views["mask"]
    assert not feed.wanted
    watcher = Watcher(preview, "/mask.mjpg")
    until(lambda: feed.wanted)
    assert not preview.views["control"].wanted
    feed.publish(grey(90))
    assert abs(level_of(watcher.next_jpeg()) - 90) <= 2
    watcher.close()
    until(lambda: feed.publish(grey(10)) or not feed.wanted)


def test_nothing_is_encoded_while_nobody_watches(preview: WebPreview) -> None:
    for level in range(100):
        preview.publish(grey(level))
    assert get(preview, "/stats.json")[0] == 200
    assert preview.feed.encoded == 0


def test_a_frame_is_encoded_once_for_all_who_watch(preview: WebPreview) -> None:
    watchers = [Watcher(preview) for _ in range(5)]
    until(lambda: preview.streams == 5)
    for level in (50, 100, 150):
        preview.publish(grey(level))
        assert all(abs(level_of(watcher.next_jpeg()) - level) <= 2 for watcher in watchers)
    assert preview.feed.encoded == 3
    for watcher in watchers:
        watcher.close()


def test_one_who_comes_late_sees_the_last_frame_at_once(preview: WebPreview) -> None:
    preview.publish(grey(90))
    watcher = Watcher(preview)
    assert abs(level_of(watcher.next_jpeg()) - 90) <= 2
    watcher.close()


def test_a_slow_browser_skips_frames_and_holds_nobody_up(preview: WebPreview) -> None:
    rng = np.random.default_rng(0)
    slow, quick = Watcher(preview), Watcher(preview)
    until(lambda: preview.streams == 2)
    for sequence in range(60):  # 60 pictures of about 1 MB: far more than the buffers between us can hold
        noise = rng.integers(0, 255, (720, 1280, 4), dtype=np.uint8)
        preview.publish(Frame(noise, 0, "test", sequence))
        quick.next_jpeg()
    preview.publish(grey(77))
    assert abs(level_of(quick.next_jpeg()) - 77) <= 2
    received = 1
    while len(slow.next_jpeg()) > 10_000:
        received += 1
    assert received < 61
    slow.close()
    quick.close()


def test_a_browser_that_leaves_is_forgotten(preview: WebPreview) -> None:
    watcher = Watcher(preview)
    until(lambda: preview.streams == 1)
    watcher.close()
    levels = iter(range(100_000))

    def gone() -> bool:
        preview.publish(grey(next(levels) % 256))
        return preview.streams == 0

    until(gone)


def test_there_is_an_end_to_the_number_of_watchers(preview: WebPreview) -> None:
    watchers = [Watcher(preview) for _ in range(MOST_STREAMS)]
    until(lambda: preview.streams == MOST_STREAMS)
    one_more = Watcher(preview)
    assert one_more.status == 503
    for watcher in [*watchers, one_more]:
        watcher.close()


def test_the_numbers_are_those_of_the_moment_and_always_json(preview: WebPreview) -> None:
    preview.set_stats(lambda: {"fps": 23.9, "latency_ms": math.nan, "deep": [{"x": math.inf}], "state": "running"})
    status, body, kind = get(preview, "/stats.json")
    assert status == 200
    assert kind.startswith("application/json")
    assert json.loads(body) == {"fps": 23.9, "latency_ms": None, "deep": [{"x": None}], "state": "running"}


def test_prometheus_gets_its_page_and_an_empty_one_before_the_show(preview: WebPreview) -> None:
    assert get(preview, "/metrics")[:2] == (200, b"")
    preview.set_metrics(lambda: b"streamvace_ticks_total 3.0\n")
    assert get(preview, "/metrics") == (
        200,
        b"streamvace_ticks_total 3.0\n",
        "text/plain; version=0.0.4; charset=utf-8",
    )


def test_a_taken_port_says_which_and_how_to_get_another(preview: WebPreview) -> None:
    with pytest.raises(UserError, match=rf"web port {preview.port} on 127\.0\.0\.1 is in use.*--web-port 0 for any"):
        WebPreview(port=preview.port)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example"]
)
def test_a_strange_host_name_is_refused_everywhere(preview: WebPreview, host: str) -> None:
    preview.publish(grey(1))
    for path in ("/", "/frame.jpg", "/stream.mjpg", "/stats.json", "/page"):
        assert get(preview, path, host)[0] == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_loopback_names_are_answered_with_and_without_port(preview: WebPreview, host: str) -> None:
    assert get(preview, "/stats.json", host)[0] == 200
    assert get(preview, "/stats.json", f"{host}:{preview.port}")[0] == 200


def test_a_server_opened_to_the_network_answers_to_addresses_and_own_names_only() -> None:
    assert host_allowed("192.168.1.20:8088", "0.0.0.0")
    assert host_allowed(f"{socket.gethostname()}.local:8088", "0.0.0.0")
    assert not host_allowed("evil.example", "0.0.0.0")
    assert not host_allowed("192.168.1.20", "127.0.0.1")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed_over_the_web(preview: WebPreview, method: str) -> None:
    for path in ("/", "/frame.jpg", "/stats.json", "/page"):
        assert get(preview, path, method=method)[0] == 405


def test_closing_ends_the_live_pictures_and_frees_the_port() -> None:
    preview = WebPreview(port=0)
    sink: Sink = preview
    watcher = Watcher(preview)
    until(lambda: preview.streams == 1)
    sink.close()
    sink.close()
    watcher.file.read()
    watcher.close()
    again = WebPreview(port=preview.port)
    again.close()
    preview.publish(grey(1))  # a late frame after closing is no fault


def test_the_picture_of_a_cue_is_served_by_its_name_and_nothing_else_of_the_folder(preview: WebPreview) -> None:
    asked: list[str] = []

    def read(name: str) -> bytes | None:
        asked.append(name)
        return b"a jpeg" if name == "0123456789abcdef" else None

    assert get(preview, "/cue/0123456789abcdef.jpg")[0] == 404, "before the show there are no pictures"
    preview.set_cue_pictures(read)
    status, body, kind = get(preview, "/cue/0123456789abcdef.jpg")
    assert (status, body, kind) == (200, b"a jpeg", "image/jpeg")
    assert get(preview, "/cue/0123456789abcdee.jpg")[0] == 404
    assert get(preview, "/cue/../cues.jpg")[0] == 404
    assert asked == ["0123456789abcdef", "0123456789abcdee"]


@pytest.mark.parametrize("path", ["/", "/frame.jpg", "/nothing", "/stats.json"])
def test_no_other_site_can_frame_any_answer_not_even_an_error(preview: WebPreview, path: str) -> None:
    preview.set_stats(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    connection = http.client.HTTPConnection("127.0.0.1", preview.port, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == {"/": 200, "/frame.jpg": 503, "/nothing": 404, "/stats.json": 500}[path]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    connection.close()


@pytest.mark.parametrize(
    "request_", [b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01 nonsense\r\n\r\n"]
)
def test_a_request_that_is_none_gets_an_error_and_at_most_a_line(
    preview: WebPreview, said: list[str], capsys: pytest.CaptureFixture[str], request_: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", preview.port), timeout=20) as client:
        client.sendall(request_)
        assert client.makefile("rb").readline().startswith(b"HTTP/1.")
    assert all(line.startswith("web: ") and len(line) < 300 for line in said)
    assert len(said) <= 1
    assert capsys.readouterr().err == ""


def test_silent_connections_keep_no_browser_out(preview: WebPreview) -> None:
    silent = [socket.create_connection(("127.0.0.1", preview.port), timeout=20) for _ in range(200)]
    silent[-1].sendall(b"GET / HTTP/1.1\r\nHost: loc")
    assert get(preview, "/stats.json")[0] == 200
    assert preview.figures()["web_connections"] <= MOST_PER_HOST
    assert preview.figures()["web_refused"] >= 200 - MOST_PER_HOST
    for each in silent:
        each.close()
