"""The keys of the window: each sends one OSC message to the show itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

import osc_schema
from streamvace.control.parameters import Parameters
from streamvace.live.surfaces.window_keys import KEYS, WindowKeys
from streamvace.osc.server import OscServer
from streamvace.video.window.sink import OWN_KEYS
from tests.live.show import wait_until


class Rig:
    def __init__(self) -> None:
        self.parameters = Parameters()
        self.osc = OscServer(self.parameters, "127.0.0.1", 0, tcp_port=-1)
        self.keys = WindowKeys(self.parameters.snapshot, "127.0.0.1", self.osc.port)

    def press(self, key: str) -> None:
        self.keys.actions()[key]()

    def wait_for(self, address: str, value: object) -> None:
        # A float travels in 32 bits.
        wait_until(lambda: self.parameters.snapshot()[address] == pytest.approx(value), f"{address} is {value}")


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.osc.close()


def test_up_and_down_move_the_context_scale_and_return_to_the_same_value(rig: Rig) -> None:
    for step in range(1, 4):
        rig.press("UP")
        rig.wait_for("/streamvace/context_scale", round(1 + 0.05 * step, 2))
    for step in (2, 1, 0):
        rig.press("DOWN")
        rig.wait_for("/streamvace/context_scale", round(1 + 0.05 * step, 2))


def test_the_context_scale_stays_in_its_range(rig: Rig) -> None:
    rig.parameters.set("/streamvace/context_scale", (1.98,), "test")
    rig.press("UP")
    rig.wait_for("/streamvace/context_scale", 2.0)


def test_p_pauses_and_resumes_and_the_help_shows_which(rig: Rig) -> None:
    assert ("p", "pause") in rig.keys.help()
    rig.press("P")
    rig.wait_for("/streamvace/pause", True)
    assert ("p", "go on") in rig.keys.help()
    rig.press("P")
    rig.wait_for("/streamvace/pause", False)


def test_b_blacks_out_and_brings_the_picture_back(rig: Rig) -> None:
    rig.press("B")
    rig.wait_for("/streamvace/blackout", True)
    assert ("b", "picture back") in rig.keys.help()
    rig.press("B")
    rig.wait_for("/streamvace/blackout", False)


def test_r_records_and_backspace_cuts(rig: Rig) -> None:
    rig.press("R")
    rig.wait_for("/streamvace/record", True)
    rig.press("BACKSPACE")
    wait_until(lambda: rig.parameters.snapshot().hard == 1, "a hard cut")


def test_space_recalls_the_next_cue() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(20)
        WindowKeys(Parameters().snapshot, "0.0.0.0", listener.getsockname()[1]).actions()["SPACE"]()
        assert listener.recv(1000).startswith(b"/streamvace/cue/go\0")


def test_no_key_is_one_of_the_windows_own_and_every_address_exists() -> None:
    own = {key for key, _ in OWN_KEYS}
    assert not own & {row.key.lower() for row in KEYS}
    addresses = {str(row.message(Parameters().snapshot())[0]) for row in KEYS}
    known = {row.address for row in osc_schema.load()} | {service.address for service in osc_schema.services()}
    assert addresses <= known


def test_a_key_that_cannot_be_sent_says_so_and_the_window_goes_on(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*arguments: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket, "socket", full)
    rig.press("SPACE")
    assert "the key space did nothing: [Errno 24] Too many open files" in caplog.text
