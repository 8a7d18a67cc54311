"""`streamvace run` opens every way in that it says it has."""

from __future__ import annotations

import json
import socket
import urllib.request
from pathlib import Path

from tests.live.running import Running
from tests.osc.conftest import PATIENCE


def test_a_show_is_reached_over_oscquery_and_tcp(tmp_path: Path) -> None:
    show = Running(tmp_path, "--output", "null", "--no-web")
    try:
        show.wait_ready()
        found = show.said(r"OSCQuery at (http://127\.0\.0\.1:\d+)")
        assert found is not None
        with urllib.request.urlopen(f"{found[1]}/?HOST_INFO", timeout=PATIENCE) as answer:
            port = json.load(answer)["OSC_PORT"]
        with urllib.request.urlopen(f"{found[1]}/streamvace/status/state?VALUE", timeout=PATIENCE) as answer:
            assert isinstance(json.load(answer)["VALUE"][0], str)
        other = show.said(r"OSC over TCP takes (\d+)")
        with socket.create_connection(("127.0.0.1", int(other[1]) if other else port), PATIENCE) as desk:
            desk.sendall(b"\0\0\0\x14/streamvace/quit\0\0\0\0")
            assert show.process.wait(PATIENCE) == 0
    finally:
        show.process.kill()
        show.finish()


def test_each_of_them_can_be_left_out(tmp_path: Path) -> None:
    show = Running(
        tmp_path, "--output", "null", "--no-web", "--duration", "0", "--oscquery-port", "-1", "--osc-tcp-port", "-1"
    )
    assert show.finish() == 0, show.lines
    assert show.said("OSC in") is not None
    assert show.said("OSCQuery") is None
