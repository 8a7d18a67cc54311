"""What a hot switch promises the output: no tick is missed for it, whatever the input that comes or goes does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from streamvace.live.inputs.inputs import Inputs
from streamvace.live.inputs.source_poller import SourcePoller
from streamvace.osc.codec import encode_message
from streamvace.osc.server import OscServer
from streamvace.records.frame import Frame
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats
from tests.live.show import frame, wait_until
from tests.live.virtual_show import SIZE, VirtualShow

ROLE = "/streamvace/input/control"
SECONDS = 60.0


def _check(address: str) -> None:
    """Every address of these tests is one that an input can have."""


def _refuse(address: str, text: str, error: Exception) -> None:
    raise error


class Live:
    """An input with a picture at every poll. `hangs-opening` never comes, `hangs-closing` never goes."""

    def __init__(self, rig: Rig, address: str) -> None:
        if address == "hangs-opening":
            rig.hung.set()
            rig.over.wait()
        self.name = address
        self._rig = rig
        self._count = 0

    def poll(self) -> Frame | None:
        self._count += 1
        now_ns = self._rig.show.time.now()
        return Frame(frame(0, 1 + self._count % 255, 0, SIZE).pixels, now_ns, self.name, self._count)

    def close(self) -> None:
        if self.name == "hangs-closing":
            self._rig.hung.set()
            self._rig.over.wait()


class Rig:
    """A minute of virtual time with two live inputs, real `Inputs`, and a performer at a real OSC port who acts at
    given ticks."""

    def __init__(self) -> None:
        self.acts: dict[int, str] = {}
        """Tick to the input wished then, waited for unless it hangs."""
        self.hung, self.over = threading.Event(), threading.Event()
        self.inputs = Inputs(["a", "b"], self._open, self._open, Reporter(lambda line: None), _refuse, _check)
        self.show = VirtualShow(SECONDS, inputs=self.inputs, on_tick=self._tick, output_rate=30.0)
        self.show.parameters.listen(lambda snapshot, changed: self.inputs.follow(snapshot.values))
        self._osc = OscServer(self.show.parameters, "127.0.0.1", 0)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def _open(self, address: str) -> Live:
        return Live(self, address)

    def _tick(self, show: VirtualShow) -> None:
        wish = self.acts.get(show.ledger.published)
        if wish is None:
            return
        self._socket.sendto(encode_message(ROLE, wish), ("127.0.0.1", self._osc.port))
        if wish == "hangs-opening":
            assert self.hung.wait(60)
        else:
            wait_until(lambda: self.showing == {"1": "a", "2": "b"}.get(wish, wish), f"{wish}; it is {self.showing}")

    @property
    def showing(self) -> str:
        newest = self.inputs.ring("control").newest()
        return newest.source if newest else ""

    def play(self) -> Stats:
        self.inputs.start()
        wait_until(lambda: self.showing == "a", "the first input")
        return self.show.play()

    def close(self) -> None:
        self.over.set()
        self.inputs.stop()
        self._osc.close()
        self._socket.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.close()


def check_every_tick(rig: Rig, figures: Stats) -> None:
    assert figures["missed"] == 0
    assert rig.show.ledger.published == figures["ticks"]
    assert rig.show.ledger.published >= SECONDS * 30 - 1
    assert rig.show.ledger.wrong == []


def test_a_hundred_switches_over_osc_between_two_live_inputs_cost_no_tick(rig: Rig) -> None:
    rig.acts = {tick: "12"[tick // 16 % 2] for tick in range(100, 1700, 16)}
    figures = rig.play()
    check_every_tick(rig, figures)
    assert rig.inputs.stats()["input_switches"] in (99, 100)


@pytest.mark.parametrize(
    ("acts", "ends_as"),
    [
        ({300: "hangs-opening"}, "a"),
        ({300: "hangs-opening", 900: "2"}, "b"),
        ({300: "hangs-closing", 600: "2", 900: "1"}, "a"),
    ],
)
def test_an_input_that_hangs_when_it_comes_or_goes_costs_no_tick(
    rig: Rig, acts: dict[int, str], ends_as: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs until the show is over: an output, or the next switch, that waited for it would never come."""
    monkeypatch.setattr(SourcePoller.stop, "__defaults__", (3600.0,))
    rig.acts = acts
    figures = rig.play()
    check_every_tick(rig, figures)
    assert rig.hung.is_set()
    assert rig.showing == ends_as
