"""The npm package `osc` (osc.js, behind many web and Node controllers) against the running server, both ways."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import osc_schema
from streamvace.control.parameters import Parameters
from streamvace.osc.server import ERROR, OscServer
from tests.osc.conftest import PATIENCE
from tests.real_parts import require

SCRIPT = Path(__file__).with_name("osc_js_client.js")
INSTALL = ["npm", "install", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--silent", "osc@2.4.5"]
INSTALL_SECONDS = 120.0

PROMPT = "/streamvace/prompt"
SCALE = "/streamvace/context_scale"
SEED = "/streamvace/seed"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with osc.js in it. Without node there is none; with it, there must be one."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are missing: install Node.js 18 or newer")
    folder = tmp_path_factory.mktemp("osc_js")
    (folder / "package.json").write_text('{"private": true}')
    command = [str(shutil.which("npm")), *INSTALL[1:]]  # npm is npm.cmd on Windows
    try:
        said = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        complaint = "" if said.returncode == 0 else said.stderr.strip()[-300:]
    except subprocess.TimeoutExpired:
        complaint = f"no answer in {INSTALL_SECONDS:.0f} s"
    require("the npm package osc", not complaint, f"`{' '.join(INSTALL)}` says: {complaint}")
    return folder / "node_modules"


class Gear:
    """A running osc.js. Arguments are written as it writes them: type and value."""

    def __init__(self, packages: Path, port: int) -> None:
        self._process = subprocess.Popen(
            ["node", str(SCRIPT), str(port)],
            env={**os.environ, "NODE_PATH": str(packages)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def say(self, packet: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(packet) + "\n")
        self._process.stdin.flush()

    def send(self, address: str, *arguments: tuple[str, Any]) -> None:
        self.say(message(address, *arguments))

    def hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        heard: dict[str, Any] = json.loads(self._process.stdout.readline())
        return heard

    def ping(self, token: str) -> list[dict[str, Any]]:
        """Wait until everything sent is applied; what was heard meanwhile."""
        self.send("/streamvace/ping", ("s", token))
        before = []
        while (heard := self.hear()) != message("/streamvace/pong", ("s", token)):
            before.append(heard)
        return before

    def close(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            return self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.stdout.close()


def message(address: str, *arguments: tuple[str, Any]) -> dict[str, Any]:
    return {"address": address, "args": [{"type": kind, "value": value} for kind, value in arguments]}


@pytest.fixture
def gear(packages: Path, server: OscServer) -> Iterator[Gear]:
    running = Gear(packages, server.port)
    yield running
    assert running.close() == 0


def test_osc_js_sets_every_kind_of_parameter(gear: Gear, parameters: Parameters, server: OscServer) -> None:
    gear.send(PROMPT, ("s", "ein blauer Würfel, 霓虹"))
    gear.send(SCALE, ("f", 0.25))
    gear.send(SEED, ("i", 1234))
    gear.send("/streamvace/pause", ("T", True))
    gear.send("/streamvace/mask_invert", ("f", 1.0))
    gear.send("/streamvace/hold_mode", ("i", 1))
    gear.send("/streamvace/reset", ("I", 1.0))
    assert gear.ping("once") == []
    gear.send("/streamvace/reset")
    assert gear.ping("set") == []
    snapshot = parameters.snapshot()
    assert (snapshot[PROMPT], snapshot[SCALE], snapshot[SEED]) == ("ein blauer Würfel, 霓虹", 0.25, 1234)
    assert (snapshot["/streamvace/pause"], snapshot["/streamvace/mask_invert"]) == (True, True)
    assert (snapshot["/streamvace/hold_mode"], snapshot.generation) == ("pingpong", 2)
    assert server.counters().malformed == 0


def test_a_bundle_of_osc_js_is_one_change(gear: Gear, parameters: Parameters) -> None:
    gear.say({"timeTag": {"raw": [0, 1]}, "packets": [message(SCALE, ("d", 0.5)), message(SEED, ("i", 7))]})
    gear.ping("bundle")
    snapshot = parameters.snapshot()
    assert (snapshot[SCALE], snapshot[SEED], snapshot.version) == (0.5, 7, 1)


def test_osc_js_reads_answers_feedback_and_complaints(gear: Gear, parameters: Parameters, server: OscServer) -> None:
    gear.send("/streamvace/subscribe")
    gear.send(PROMPT, ("s", "?"))
    assert gear.ping("asked") == [message(PROMPT, ("s", osc_schema.by_address()[PROMPT].default))]
    parameters.set(PROMPT, ("ünïcode",), "another surface")
    assert gear.hear() == message(PROMPT, ("s", "ünïcode"))
    parameters.set("/streamvace/pause", (True,), "another surface")
    assert gear.hear() == message("/streamvace/pause", ("T", True))
    server.publish("/streamvace/status/fps", 12.5)
    assert gear.hear() == message("/streamvace/status/fps", ("f", 12.5))
    gear.send(SCALE, ("f", 3.0))
    line, held = gear.ping("clamped")
    assert line == message(ERROR, ("s", f"{SCALE}: limited to 2 (range 0-2), got 3"))
    assert held == message(SCALE, ("f", 2))


def test_osc_js_sends_and_reads_lists_and_sends_parameters_on_their_way(gear: Gear, parameters: Parameters) -> None:
    gear.send("/streamvace/prompts", ("s", "red"), ("f", 0.25), ("s", "blue"), ("f", 0.75))
    gear.send(f"{SCALE}/to", ("f", 0.5), ("i", 60), ("s", "ease"))
    gear.send("/streamvace/prompts", ("s", "?"))
    assert gear.ping("asked") == [message("/streamvace/prompts", ("s", "red"), ("f", 0.25), ("s", "blue"), ("f", 0.75))]
    assert parameters.on_the_way() == {SCALE: 0.5}
    gear.send("/streamvace/prompts", ("s", ""))
    assert gear.ping("emptied") == []
    assert parameters.snapshot()["/streamvace/prompts"] == ()


def test_a_bundle_of_osc_js_for_later_waits_for_its_time(gear: Gear, parameters: Parameters) -> None:
    seconds = int(time.time()) + 2_208_988_800 + 200
    gear.say({"timeTag": {"raw": [seconds, 0]}, "packets": [message(SEED, ("i", 7))]})
    assert gear.ping("later") == []
    assert parameters.snapshot().version == 0
