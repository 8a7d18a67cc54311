"""Signals end a show, whatever the main thread is in the midst of."""

import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from streamvace.live.main_loop import stop_on_signals
from tests.live.show import PATIENCE_S

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
ENDING = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
"""Windows has no SIGHUP. tests/system/test_console_events.py has what it tells by events."""


@pytest.fixture
def impatient() -> Iterator[None]:
    """Makes a test that hangs one that fails, where there is a signal for it."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def hangs(number: int, frame: FrameType | None) -> None:
        raise AssertionError("the signal handler waits for its own thread")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("number", ENDING)
def test_a_signal_in_the_midst_of_a_wait_stops_the_show(number: signal.Signals) -> None:
    with stop_on_signals() as stop:
        with stop._cond:  # type: ignore[attr-defined]  # as Event.wait holds it, for some instructions of each call
            signal.raise_signal(number)
        assert stop.wait(PATIENCE_S)


@pytest.mark.usefixtures("impatient")
def test_a_second_ctrl_c_interrupts_and_afterwards_all_is_as_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_signals():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
