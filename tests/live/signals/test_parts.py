"""A control takes a network that is downloaded while it is in use, without a gap, and does without a broken one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from streamvace.conditioning.controls.base import Control, ControlSettings, Pixels
from streamvace.control.parameters import Parameters
from streamvace.control.refusals import Refusals
from streamvace.live.signals.parts import CONTROL_KIND, Parts, refusing
from streamvace.system.errors import UserError
from streamvace.telemetry.reporter import Reporter
from tests.live.show import wait_until
from tests.patience import PATIENCE_S

NETWORK = "network.safetensors"


class Plain:
    def __init__(self, backend: str) -> None:
        self.backend = backend

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        return np.zeros_like(frame)

    def reset(self) -> None:
        pass


class Rig:
    """Parts whose one kind uses a network if it is there; making it with one waits for `loaded`."""

    def __init__(self, broken: bool = False) -> None:
        self.files: set[str] = set()
        self.loaded = threading.Event()
        self.lines: list[str] = []
        self.notes: list[str] = []
        self.made = 0
        self.broken = broken
        self.parameters = Parameters()
        self.refusals = Refusals(self.parameters, Reporter(self.lines.append))
        refuse = refusing(self.refusals, "control", CONTROL_KIND)
        self.parts: Parts[Control] = Parts(
            self._make, refuse, "control", lambda kind: frozenset(self.files), self.notes.append
        )

    def backend(self) -> str:
        part = self.parts.get("depth")
        assert part is not None
        return part.backend

    def _make(self, kind: str) -> Control:
        self.made += 1
        if not self.files:
            return Plain("a guess")
        assert self.loaded.wait(PATIENCE_S)
        if self.broken:
            raise UserError("the network does not load; `pull it again`", "pull it again")
        return Plain("a network")


@pytest.fixture
def rig() -> Iterator[Rig]:
    running = Rig()
    yield running
    running.loaded.set()
    running.parts.close()


def test_a_network_that_is_downloaded_takes_over_once_it_is_loaded_and_that_is_said_once(rig: Rig) -> None:
    assert [rig.backend() for _ in range(3)] == ["a guess"] * 3
    rig.files.add(NETWORK)
    assert [rig.backend() for _ in range(3)] == ["a guess"] * 3, "while the network loads there is no gap"
    assert rig.notes == []
    rig.loaded.set()
    wait_until(lambda: rig.backend() == "a network", "it takes over")
    wait_until(lambda: rig.notes != [], "it is said")
    for _ in range(3):
        rig.backend()
    assert (rig.made, rig.notes, rig.lines) == (2, ["depth is made by a network now (before: a guess)"], [])


def test_a_network_that_was_there_from_the_start_and_one_that_is_deleted_change_nothing(rig: Rig) -> None:
    rig.files.add(NETWORK)
    rig.loaded.set()
    wait_until(lambda: rig.parts.get("depth") is not None, "it loads")
    rig.files.clear()
    assert rig.backend() == "a network"
    rig.files.add(NETWORK)
    assert rig.backend() == "a network"
    assert (rig.made, rig.notes) == (1, [])


def test_what_was_chosen_before_its_file_is_there_is_made_when_the_file_comes(rig: Rig) -> None:
    rig.loaded.set()
    rig.broken = True
    rig.files.add("half a file")
    wait_until(lambda: rig.parts.get("depth") is None and len(rig.lines) == 1, "it cannot be made")
    assert [rig.parts.get("depth") for _ in range(20)] == [None] * 20
    assert rig.made == 1, "it is not tried again and again"
    rig.broken = False
    rig.files.add("the whole file")
    wait_until(lambda: rig.parts.get("depth") is not None, "it is made")
    assert rig.made == 2


def test_a_network_that_does_not_load_is_told_once_and_the_kind_goes_on_without_it() -> None:
    rig = Rig(broken=True)
    rig.parameters.set(CONTROL_KIND, ("depth",), "test")
    assert rig.backend() == "a guess"
    rig.files.add(NETWORK)
    rig.loaded.set()
    wait_until(lambda: (rig.backend(), rig.lines) != ("a guess", []), "it is told")
    assert [rig.backend() for _ in range(3)] == ["a guess"] * 3
    assert rig.lines == ["control depth: the network does not load; `pull it again`"]
    assert rig.parameters.snapshot()[CONTROL_KIND] == "depth", "it is still made, so it stays chosen"
    assert rig.made == 2
    rig.parts.close()
