"""Gear that is not ours: liblo's oscsend and oscdump, and python-osc, against the running server."""

from __future__ import annotations

import queue
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.udp_client import SimpleUDPClient

from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.cues import Cue
from streamvace.control.parameters import Parameters
from streamvace.osc.server import OscServer
from tests.control.coerced import coerced
from tests.osc.conftest import PATIENCE, Client, Watch
from tests.real_parts import require_program

MEND = "apt-get install liblo-tools"
PROMPT = "/streamvace/prompt"
SCALE = "/streamvace/context_scale"


@pytest.fixture
def oscsend(server: OscServer) -> Callable[..., None]:
    program = require_program("oscsend", MEND)

    def send(address: str, *types_and_values: str) -> None:
        command = [program, "127.0.0.1", str(server.port), address, *types_and_values]
        subprocess.run(command, check=True, timeout=PATIENCE)

    return send


@contextmanager
def oscdump() -> Iterator[tuple[int, queue.Queue[str]]]:
    """A running oscdump: its port, and what it prints."""
    program = require_program("oscdump", MEND)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen([program, "-L", str(port)], stdout=subprocess.PIPE, text=True)
    lines: queue.Queue[str] = queue.Queue()
    output = process.stdout
    assert output is not None
    reader = threading.Thread(target=lambda: [lines.put(line) for line in output])
    reader.start()
    try:
        yield port, lines
    finally:
        process.terminate()
        process.wait(PATIENCE)
        reader.join(PATIENCE)
        output.close()


def line_with(lines: queue.Queue[str], text: str, provoke: Callable[[], None]) -> str:
    """The first line with `text`; `provoke` until it comes, for oscdump does not say when it listens."""
    for _ in range(100):
        provoke()
        try:
            while text not in (line := lines.get(timeout=0.2)):
                pass
        except queue.Empty:
            continue
        return line
    raise AssertionError(f"oscdump never printed {text!r}")


def test_oscsend_sets_parameters_of_every_type(
    oscsend: Callable[..., None], watch: Watch, parameters: Parameters, client: Client
) -> None:
    oscsend(PROMPT, "s", "a blue glossy cube")
    watch.until(lambda snapshot: snapshot[PROMPT] == "a blue glossy cube")
    oscsend(SCALE, "f", "0.5")
    watch.until(lambda snapshot: snapshot[SCALE] == 0.5)
    oscsend("/streamvace/seed", "i", "1234")
    oscsend("/streamvace/mask_source", "s", "alpha")
    oscsend("/streamvace/mask_invert", "T")
    oscsend("/streamvace/pause", "f", "1.0")
    oscsend("/streamvace/hold_mode", "i", "1")
    oscsend("/streamvace/reset")
    client.ping()
    snapshot = parameters.snapshot()
    assert snapshot["/streamvace/seed"] == 1234
    assert snapshot["/streamvace/mask_source"] == "alpha"
    assert snapshot["/streamvace/mask_invert"] is True
    assert snapshot["/streamvace/pause"] is True
    assert snapshot["/streamvace/hold_mode"] == "pingpong"
    assert snapshot.generation == 1


def test_every_kind_of_argument_oscsend_has_is_survived(
    oscsend: Callable[..., None], client: Client, parameters: Parameters, server: OscServer
) -> None:
    for types, *values in (
        ("i", "1"),
        ("h", "1"),
        ("f", "1"),
        ("d", "1"),
        ("s", "x"),
        ("S", "x"),
        ("c", "x"),
        ("m", "01020304"),
        ("T",),
        ("F",),
        ("N",),
        ("I",),
        ("ifsTFNI", "1", "2", "three"),
    ):
        oscsend(SCALE, types, *values)
    client.ping()
    counters = server.counters()
    assert counters.malformed == 0
    assert counters.applied + counters.coalesced == 4, "i h f d"
    assert counters.refused == 9
    assert parameters.snapshot()[SCALE] == 1.0


def test_oscdump_hears_what_oscsend_sets(oscsend: Callable[..., None], server: OscServer) -> None:
    with oscdump() as (port, lines):
        oscsend("/streamvace/subscribe", "i", str(port))
        line_with(lines, PROMPT, lambda: oscsend("/streamvace/sync", "i", str(port)))
        oscsend(SCALE, "f", "0.25")
        assert "f 0.250000" in line_with(lines, f"{SCALE} f 0.25", lambda: None)
        server.publish("/streamvace/status/fps", 17.5)
        assert "f 17.5" in line_with(lines, "/streamvace/status/fps f 17.5", lambda: None)


def test_oscsend_sets_over_tcp(server: OscServer, watch: Watch) -> None:
    """It sends and hangs up at once."""
    program = require_program("oscsend", MEND)
    for seed in ("77", "78"):
        where = f"osc.tcp://127.0.0.1:{server.tcp_port}"
        subprocess.run([program, where, "/streamvace/seed", "i", seed], check=True, timeout=PATIENCE)
        watch.until(lambda snapshot, seed=seed: snapshot["/streamvace/seed"] == int(seed))  # type: ignore[misc]


def test_python_osc_sets_and_asks(server: OscServer, client: Client, parameters: Parameters) -> None:
    sender = SimpleUDPClient("127.0.0.1", server.port)
    try:
        sender.send_message(PROMPT, "with ünïcode")
        sender.send_message(SCALE, 0.5)
        sender.send_message("/streamvace/pause", True)
        sender.send_message("/streamvace/ping", ["token", 7])
        reply = next(sender.get_messages(PATIENCE))
        assert reply.address == "/streamvace/pong"
        assert list(reply.params) == ["token", 7]
    finally:
        sender._sock.close()
    snapshot = parameters.snapshot()
    assert (snapshot[PROMPT], snapshot[SCALE], snapshot["/streamvace/pause"]) == ("with ünïcode", 0.5, True)


def test_oscsend_sets_lists_and_drives_a_cue_list(parameters: Parameters, watch: Watch) -> None:
    program = require_program("oscsend", MEND)
    cues = CueList((Cue(name, coerced({PROMPT: name, SCALE: scale})) for name, scale in (("dusk", 0.5), ("dawn", 1.5))))
    with OscServer(parameters, port=0, commands=Commands(parameters, cues)) as server:

        def oscsend(address: str, *types_and_values: str) -> None:
            command = [program, "127.0.0.1", str(server.port), address, *types_and_values]
            subprocess.run(command, check=True, timeout=PATIENCE)

        oscsend("/streamvace/prompts", "sfsf", "red glass", "0.25", "neon blue", "0.75")
        watch.until(lambda snapshot: snapshot["/streamvace/prompts"] == (("red glass", 0.25), ("neon blue", 0.75)))
        oscsend("/streamvace/references", "ss", "cat.png", "a hat.png")
        watch.until(lambda snapshot: snapshot["/streamvace/references"] == ("cat.png", "a hat.png"))
        oscsend("/streamvace/cue/go")
        watch.until(lambda snapshot: snapshot[PROMPT] == "dusk" and snapshot["/streamvace/prompts"] == ())
        oscsend("/streamvace/cue/recall", "sf", "dawn", "0")
        watch.until(lambda snapshot: (snapshot[PROMPT], snapshot[SCALE]) == ("dawn", 1.5))
        oscsend(f"{SCALE}/to", "ffs", "0.5", "2", "ease")
        oscsend("/streamvace/cue/store", "sf", "what is on", "3")
        oscsend("/streamvace/seed", "i", "77")
        watch.until(lambda snapshot: snapshot["/streamvace/seed"] == 77)
        assert parameters.on_the_way() == {SCALE: 0.5}
        assert cues.names == ("dusk", "dawn", "what is on")


def test_python_osc_sends_lists_and_bundles_with_a_time(
    server: OscServer, parameters: Parameters, watch: Watch
) -> None:
    sender = SimpleUDPClient("127.0.0.1", server.port)
    try:
        sender.send_message("/streamvace/prompts", ["red glass", 0.25, "neon blue", 0.75])
        watch.until(lambda snapshot: snapshot["/streamvace/prompts"] == (("red glass", 0.25), ("neon blue", 0.75)))
        soon = OscBundleBuilder(time.time() + 0.3)
        for address, value in ((PROMPT, "soon"), (SCALE, 0.5)):
            message = OscMessageBuilder(address)
            message.add_arg(value)
            soon.add_content(message.build())
        sender.send(soon.build())
        sender.send_message("/streamvace/ping", 1)
        next(sender.get_messages(PATIENCE))
        assert parameters.snapshot()[PROMPT] != "soon"
        snapshot = watch.until(lambda snapshot: snapshot[PROMPT] == "soon")
        assert snapshot[SCALE] == 0.5, "the bundle came whole"
    finally:
        sender._sock.close()
