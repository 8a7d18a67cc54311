"""The state of a show is one word that is true, with its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamvace.control.parameters import Parameters
from streamvace.live.surfaces.show_state import STALLED_S, ShowState
from streamvace.live.worker.status import State, Status
from streamvace.telemetry.reporter import Reporter
from tests.live.show import SECOND


class Rig:
    def __init__(self) -> None:
        self.now_ns = 100 * SECOND
        self.newest_ns = 0
        self.status = Status(State.RUNNING, pipeline="embedded")
        self.parameters = Parameters()
        self.lines: list[str] = []
        self.reporter = Reporter(self.lines.append, lambda: self.now_ns)
        self.state = ShowState(
            lambda: self.status,
            self.parameters.snapshot,
            lambda: self.newest_ns,
            self.reporter,
            lambda: self.now_ns,
        )

    def read(self) -> tuple[object, object]:
        figures = self.state.figures()
        return figures["state"], figures["why"]

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND)

    def said(self) -> list[str]:
        """What the terminal was told since the last call."""
        self.state.announce()
        self.wait(5)  # a kind of line has pauses between its lines
        self.reporter.flush()
        lines, self.lines[:] = list(self.lines), []
        return lines


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (Status(State.STARTING, pipeline="krea"), ("starting", "loading krea")),
        (Status(State.WARMING, progress="warming up"), ("starting", "warming up")),
        (Status(State.READY, pipeline="krea"), ("starting", "waits for the first picture")),
        (Status(State.RESTARTING, error="it crashed"), ("restarting", "it crashed")),
        (Status(State.RESTARTING, pipeline="krea"), ("restarting", "loading krea")),
        (Status(State.FAILED, error="no weights"), ("stopped", "no weights")),
    ],
    ids=lambda value: value.state.value if isinstance(value, Status) else "",
)
def test_before_and_without_a_running_worker_it_says_what_is_waited_for(
    status: Status, wanted: tuple[str, str]
) -> None:
    rig = Rig()
    rig.status = status
    rig.wait(60)
    assert rig.read() == wanted


def test_a_running_worker_without_new_pictures_is_stalled_and_a_picture_ends_that() -> None:
    rig = Rig()
    rig.newest_ns = rig.now_ns
    rig.wait(STALLED_S)
    assert rig.read() == ("live", "")
    rig.wait(0.7)
    assert rig.read() == ("stalled", "no new picture for 2 s")
    rig.newest_ns = rig.now_ns
    assert rig.read() == ("live", "")


def test_a_pause_is_no_stall_and_neither_is_the_moment_after_it() -> None:
    rig = Rig()
    rig.newest_ns = rig.now_ns
    rig.parameters.set("/streamvace/pause", (True,), "desk")
    rig.wait(60)
    assert rig.read() == ("paused", "")
    rig.parameters.set("/streamvace/pause", (False,), "desk")
    rig.wait(1)
    assert rig.read() == ("live", "")
    rig.wait(1)
    assert rig.read() == ("stalled", "no new picture for 2 s")


def test_a_restart_is_said_even_while_the_show_is_paused() -> None:
    rig = Rig()
    rig.parameters.set("/streamvace/pause", (True,), "desk")
    rig.status = replace(rig.status, state=State.RESTARTING, error="it crashed")
    assert rig.read() == ("restarting", "it crashed")


def test_blackout_and_freeze_are_said_beside_the_state() -> None:
    rig = Rig()
    rig.newest_ns = rig.now_ns
    rig.parameters.set("/streamvace/blackout", (True,), "desk")
    assert rig.read() == ("live", "blackout")
    rig.parameters.set("/streamvace/freeze", (True,), "desk")
    rig.wait(3)
    assert rig.read() == ("stalled", "no new picture for 3 s, blackout, frozen")


def test_the_terminal_hears_of_every_change_once_and_a_stall_is_a_fault() -> None:
    rig = Rig()
    rig.newest_ns = rig.now_ns + 3600 * SECOND
    assert rig.said() == []
    rig.parameters.set("/streamvace/blackout", (True,), "desk")
    assert rig.said() == ["show: live, blackout"]
    rig.parameters.set("/streamvace/blackout", (False,), "desk")
    assert rig.said() == ["show: live"]
    rig.newest_ns = rig.now_ns
    rig.wait(9)
    assert rig.said() == ["show: stalled: no new picture for 9 s"]
    assert rig.said() == [], "the growing number is no news"
    assert rig.reporter.counts()["show"] == 3
