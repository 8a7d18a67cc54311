"""A light desk in a show: its parameters, the way of its messages, and what is refused."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, cast

import pytest

from streamvace.control.parameters import Parameters
from streamvace.control.refusals import Refusals
from streamvace.dmx.dmx_in import DmxIn
from streamvace.live.dmx_setup import check_host, open_dmx, settings_of
from streamvace.live.options import RunOptions
from streamvace.live.stage import Stage
from streamvace.osc.server import OscServer
from streamvace.system.errors import UserError
from streamvace.system.network import AllowList
from streamvace.telemetry.reporter import Reporter
from tests.dmx.desk import art_dmx
from tests.dmx.test_desk_input import levels
from tests.live.show import wait_until

SCALE, INPUT = "/streamvace/context_scale", "/streamvace/dmx/input"
ANY = {"artnet": 0, "sacn": 0}


class Rig:
    """The parts of a show that a light desk needs."""

    def __init__(self, **values: object) -> None:
        self.lines: queue.Queue[str] = queue.Queue()
        given = {f"/streamvace/dmx/{name}": value for name, value in values.items()}
        self.parameters = Parameters(cast(Any, given))
        self.closing = ExitStack()
        reporter, unused = Reporter(self.lines.put), cast(Any, None)
        self.refusals = Refusals(self.parameters, reporter)
        self.osc = OscServer(self.parameters, port=0, refusals=self.refusals)
        self.closing.callback(self.osc.close)
        stage = Stage(
            *(RunOptions(), (1, 1), unused, self.parameters, unused, reporter, self.refusals, self.closing),
        )
        clients = self.osc.local_clients
        self.desk: DmxIn = open_dmx(stage, clients, lambda: ("dusk",), AllowList(), ANY)

    def send(self, packet: bytes) -> None:
        wait_until(lambda: self.desk.port != 0, "the port is open")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(packet, ("127.0.0.1", self.desk.port))


@pytest.fixture
def rigs() -> Iterator[ExitStack]:
    with ExitStack() as closing:
        yield closing


def rig(rigs: ExitStack, **values: object) -> Rig:
    made = Rig(**values)
    rigs.callback(made.closing.close)
    return made


def test_a_desk_sets_parameters_that_every_surface_sees(rigs: ExitStack) -> None:
    show = rig(rigs, input="artnet", universe=7, channel=100)
    show.send(art_dmx(levels(100, enable=255, context_scale=255), 7))
    wait_until(lambda: show.parameters.snapshot()[SCALE] == 2.0, "the fader moves the parameter")
    assert show.osc.values()[SCALE] == 2.0


def test_without_its_parameter_no_port_is_open(rigs: ExitStack) -> None:
    show = rig(rigs)
    assert show.desk.port == 0
    show.parameters.set(INPUT, ("artnet",), "a page")
    wait_until(lambda: show.desk.port != 0, "the port is open")


def test_a_universe_that_the_protocol_has_not_is_taken_back_and_the_desk_stays(rigs: ExitStack) -> None:
    show = rig(rigs, input="sacn", universe=7)
    show.parameters.set("/streamvace/dmx/universe", (0,), "a page")
    wait_until(lambda: show.parameters.snapshot()["/streamvace/dmx/universe"] == 7, "it is taken back")
    assert show.parameters.snapshot()[INPUT] == "sacn"
    assert "sACN has the universes 1..63999, got 0" in show.lines.get_nowait()


def test_a_fixture_that_leaves_its_universe_is_refused_at_the_start() -> None:
    with pytest.raises(UserError, match=r"begins at 1\.\.413, got 500"):
        Rig(input="artnet", channel=500)


def test_the_parameters_say_what_the_desk_is() -> None:
    given = {"input": "artnet", "universe": 9, "channel": 3, "mode": "16_bit", "merge": "ltp", "lost_cue": " dusk "}
    snapshot = Parameters(cast(Any, {f"/streamvace/dmx/{name}": value for name, value in given.items()})).snapshot()
    settings = settings_of(snapshot)
    assert (settings.input, settings.universe, settings.channel) == ("artnet", 9, 3)
    assert (settings.depth, settings.latest, settings.lost_cue) == ("16_bit", True, "dusk")


def test_a_host_that_is_no_ipv4_address_is_one_line() -> None:
    check_host("0.0.0.0")
    with pytest.raises(UserError, match="take an IPv4 address"):
        check_host("::1")
