"""The ports of a light desk, with real sockets on this machine."""

from __future__ import annotations

import queue
import socket
from collections.abc import Callable, Iterator

import pytest

from streamvace.dmx.desk_input import DeskInput, Settings
from streamvace.dmx.dmx_in import LOOK_S, DmxIn, Ways, bind, check
from streamvace.system.errors import UserError
from streamvace.system.network import AllowList
from tests.dmx.desk import art_dmx, art_poll, sacn_data
from tests.dmx.test_desk_input import levels
from tests.live.show import wait_until
from tests.patience import PATIENCE_S
from tests.real_parts import require_package

SCALE = "/streamvace/context_scale"
EVERYONE = AllowList()
ANY = {"artnet": 0, "sacn": 0}


class Show:
    """What a desk does to a show."""

    def __init__(self, allows: Callable[[str], bool] = EVERYONE.allows, host: str = "127.0.0.1") -> None:
        self.sent: queue.Queue[tuple[str, tuple[object, ...]]] = queue.Queue()
        self.busy = False
        self.reported: list[str] = []
        self.said: list[str] = []
        self.refused: list[tuple[Settings, UserError]] = []
        ways = Ways(
            post=self._post,
            cues=lambda: ("dusk",),
            report=self.reported.append,
            say=self.said.append,
            refuse=lambda settings, error: self.refused.append((settings, error)),
            allows=allows,
        )
        self.desk = DmxIn(host, ways, ANY)
        self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.out.bind(("127.0.0.1", 0))
        self.out.settimeout(PATIENCE_S)

    def _post(self, address: str, arguments: tuple[object, ...]) -> bool:
        self.sent.put((address, arguments))
        return self.busy

    def follow(self, settings: Settings) -> None:
        before = self.desk.port
        self.desk.follow(settings)
        wait_until(lambda: self.desk.port not in (0, before), "the port is open")

    def send(self, packet: bytes) -> None:
        self.out.sendto(packet, ("127.0.0.1", self.desk.port))

    def value(self, address: str) -> object:
        """The next value that an address gets."""
        while True:
            sent, arguments = self.sent.get(timeout=PATIENCE_S)
            if sent == address:
                return arguments[0]


@pytest.fixture
def show() -> Iterator[Show]:
    show = Show()
    yield show
    show.desk.close()
    show.out.close()


def test_art_net_steers_the_show(show: Show) -> None:
    show.follow(Settings("artnet", 7))
    show.send(art_dmx(levels(enable=255, context_scale=255), 7))
    assert show.value(SCALE) == 2.0
    show.send(art_dmx(levels(enable=255, context_scale=0), 7))
    assert show.value(SCALE) == 0.0
    wait_until(lambda: show.desk.figures()["dmx_sources"] == "127.0.0.1", "the desk is in the status")
    assert show.desk.figures()["dmx_enabled"]


def test_sacn_of_a_library_steers_the_show(show: Show) -> None:
    require_package("sacn", "pip install sacn")
    from sacn.messages.data_packet import DataPacket

    show.follow(Settings("sacn", 7))
    packet = DataPacket(tuple(range(16)), "front of house", 7, tuple(levels(enable=255, context_scale=255)), 100, 1)
    show.send(bytes(packet.getBytes()))
    assert show.value(SCALE) == 2.0


def test_changes_that_a_busy_show_leaves_out_are_counted(show: Show) -> None:
    show.follow(Settings("artnet", 7))
    show.send(art_dmx(levels(enable=255), 7))
    assert show.value("/streamvace/mod/4/band") == "level"  # the last one of the fixture
    show.busy = True
    show.send(art_dmx(levels(enable=255, blackout=255), 7))
    wait_until(lambda: show.desk.figures()["dmx_dropped"] == 1, "it is counted")


def test_a_poll_is_answered_to_its_sender(show: Show) -> None:
    show.follow(Settings("artnet", 7))
    show.send(art_poll())
    answer, sender = show.out.recvfrom(1024)
    assert len(answer) == 239
    assert sender[1] == show.desk.port


def test_a_change_of_the_protocol_opens_another_port_and_off_closes_it(show: Show) -> None:
    show.follow(Settings("artnet", 7))
    show.follow(Settings("sacn", 7))
    show.send(sacn_data(levels(enable=255), 7))
    assert show.value("/streamvace/blackout") is False
    show.desk.follow(Settings())
    wait_until(lambda: show.desk.figures()["dmx_sources"] == "", "the desk is off")


def test_senders_outside_of_the_allow_list_are_dropped_counted_and_told_once() -> None:
    show = Show(allows=lambda host: False)
    try:
        show.follow(Settings("artnet", 7))
        show.send(art_dmx(levels(enable=255), 7))
        show.send(art_poll())
        wait_until(lambda: show.desk.figures()["dmx_dropped"] == 2, "both are dropped")
        assert show.reported == ["127.0.0.1 is not in --allow; its levels are dropped"]
        assert show.sent.empty()
    finally:
        show.desk.close()
        show.out.close()


def test_what_cannot_be_opened_is_refused_and_the_show_goes_on() -> None:
    show = Show(host="203.0.113.9")
    try:
        # A multicast group cannot be joined at an address of another machine.
        show.desk.follow(Settings("sacn", 7))
        wait_until(lambda: bool(show.refused), "the refusal")
        assert "203.0.113.9" in str(show.refused[0][1])
    finally:
        show.desk.close()
        show.out.close()


def test_closing_twice_and_following_afterwards_does_nothing(show: Show) -> None:
    show.desk.close()
    show.desk.follow(Settings("artnet"))
    show.desk.close()
    assert show.desk.port == 0


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (Settings("sacn", 0), "sACN has the universes 1..63999, got 0"),
        (Settings("artnet", 32768), "Art-Net has the universes 0..32767, got 32768"),
        (Settings("artnet", 7, 500), "the fixture takes 100 channels and begins at 1..413, got 500"),
        (Settings("artnet", 7, 400, "16_bit"), "the fixture takes 144 channels and begins at 1..369, got 400"),
    ],
)
def test_a_universe_or_a_channel_that_is_none_is_refused(settings: Settings, why: str) -> None:
    with pytest.raises(UserError) as caught:
        check(settings)
    assert str(caught.value) == why


def test_a_universe_that_the_protocol_has_is_taken() -> None:
    check(Settings("sacn", 63999))
    check(Settings("artnet", 0))
    check(Settings("off", 0))


def test_a_desk_program_on_this_machine_can_open_the_port_too() -> None:
    with bind("127.0.0.1", 0, Settings("artnet")) as ours, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        theirs.bind(("", ours.getsockname()[1]))


def test_an_error_that_comes_again_and_again_is_counted_and_leaves_the_processor_to_the_show(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("streamvace.dmx.dmx_in.sleep", slept.append)
    read, broken = show.desk._read, iter([OSError("the network is gone")] * 3)

    def fails(bound: socket.socket, desk: DeskInput) -> bool:
        for error in broken:
            raise error
        return read(bound, desk)

    monkeypatch.setattr(show.desk, "_read", fails)
    show.follow(Settings("artnet", 7))
    show.send(art_dmx(levels(enable=255, context_scale=255), 7))
    assert show.value(SCALE) == 2.0, "the desk goes on"
    assert show.desk.figures()["dmx_faults"] == 3
    assert slept.count(LOOK_S) == 3
