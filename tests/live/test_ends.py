"""Every way to end a show, in every phase of it: in order, soon, with no process and no shared memory left.

The fixture `start` checks what is left behind. The ways of Windows are in tests/windows/test_evening.py.
"""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable

import pytest

from tests.live.running import Running, Start
from tests.live.show import wait_until
from tests.live.terminal import InATerminal

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")

PHASES: dict[str, tuple[str, str, str]] = {
    "loading": ("make_silent", "", "loading"),
    "warm-up": ("make_cold", "", "loading"),
    "running": ("make", "", "Press Ctrl-C"),
    "hanging": ("make", "stall", "Press Ctrl-C"),
    "restarting": ("make", "crash", "starting it again"),
}
"""Phase -> the fake generator, its prompt, and what the show says when it has got there."""


def _quit(show: Running, port: int) -> None:
    show.osc("/streamvace/quit", port=port)


def _interrupt(show: Running, port: int) -> None:
    show.process.send_signal(signal.SIGINT)


def _terminate(show: Running, port: int) -> None:
    show.process.send_signal(signal.SIGTERM)


def _close_terminal(show: Running, port: int) -> None:
    assert isinstance(show, InATerminal)
    show.close_terminal()


SIGNALS: dict[str, Callable[[Running, int], None]] = {
    "Ctrl-C": _interrupt,
    "SIGTERM": _terminate,
    "the terminal is closed": _close_terminal,
}
WAYS = {"quit over OSC": _quit, **SIGNALS}


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def begin(start: Start, phase: str, kind: type[Running] = Running) -> tuple[Running, int]:
    factory, prompt, said = PHASES[phase]
    port = free_udp_port()
    options = ["--output", "null", "--no-web", "--oscquery-port", "-1", "--osc-port", str(port)]
    show = start(*options, "--prompt", prompt or "a picture", factory=factory, kind=kind)
    wait_until(lambda: show.said(said) is not None or show.ended, f"{phase}; said {show.lines}")
    assert not show.ended, show.lines
    return show, port


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("way", ["quit over OSC", *(pytest.param(way, marks=posix) for way in SIGNALS)])
def test_a_show_ends_in_order_whenever_and_however_it_is_told_to(start: Start, way: str, phase: str) -> None:
    show, port = begin(start, phase, InATerminal if way == "the terminal is closed" else Running)
    WAYS[way](show, port)
    assert show.finish() == 0, show.lines
    assert "Traceback" not in "\n".join(show.lines)
    assert show.stats()["missed"] >= 0, "the figures are written on every path"


@posix
@pytest.mark.parametrize("phase", PHASES)
def test_a_stage_that_is_killed_outright_takes_its_worker_and_its_memory_along(start: Start, phase: str) -> None:
    show, _ = begin(start, phase)
    show.process.kill()
    assert show.finish() == -signal.SIGKILL


@posix
def test_a_second_ctrl_c_ends_what_does_not_end(start: Start) -> None:
    show, _ = begin(start, "hanging")
    show.process.send_signal(signal.SIGINT)
    show.process.send_signal(signal.SIGINT)
    assert show.finish() in (0, 130), show.lines
