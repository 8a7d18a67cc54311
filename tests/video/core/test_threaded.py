"""A device on a thread of its own: it opens or says why not, survives bad frames, and never hangs its owner."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from streamvace.records.frame import Frame
from streamvace.system.errors import UserError
from streamvace.video.core.rate import ticks
from streamvace.video.core.threaded import ThreadedSink, ThreadedSource
from tests.video.helpers import HandClock, until

PIXELS = np.zeros((2, 3, 4), np.uint8)


class Device(ThreadedSource):
    """Runs what the test hands in."""

    CLOSE_SECONDS = 0.05

    def __init__(self, run: Callable[[Device], None]) -> None:
        super().__init__("dev:1")
        self._body = run
        self._open_on_thread("plug it in")

    def _run(self) -> None:
        self._body(self)


class Wire(ThreadedSink):
    """Keeps what it sends; fails for frames named bad."""

    def __init__(self) -> None:
        super().__init__("wire:1")
        self.names: list[str] = []
        self.connected = True
        self.ending: Exception | None = None
        self._thread.start()

    def _run(self) -> None:
        self._serve()
        if self.ending is not None:
            raise self.ending

    def _received(self) -> bool:
        return self.connected

    def _send(self, frame: Frame, published_ns: int) -> None:
        if frame.source == "bad":
            raise RuntimeError("device\nremoved")
        assert published_ns > 1.7e18  # since 1970
        self.names.append(frame.source)


def frame(source: str) -> Frame:
    return Frame(PIXELS, 0, source, 0)


def test_an_error_before_it_is_open_is_the_openers_with_the_fix() -> None:
    opened: list[Device] = []

    def broken(device: Device) -> None:
        opened.append(device)
        raise OSError("no\nsuch device")

    with pytest.raises(UserError) as caught:
        Device(broken)
    assert opened[0]._opened.is_set()  # nobody had to wait for OPEN_SECONDS
    assert str(caught.value) == "dev:1 cannot be opened (OSError: no such device); plug it in"


def test_an_error_for_the_user_reaches_the_opener_unchanged() -> None:
    def refused(device: Device) -> None:
        raise UserError("dev:1 is taken; use dev:2")

    with pytest.raises(UserError, match=r"^dev:1 is taken; use dev:2$"):
        Device(refused)


def test_an_opening_that_hangs_ends_with_the_fix_and_stops_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "OPEN_SECONDS", 0.05)
    stopped = threading.Event()

    def hangs(device: Device) -> None:
        if device._stop.wait(20):
            stopped.set()

    with pytest.raises(UserError, match=r"^dev:1 did not answer within 0 s; plug it in$"):
        Device(hangs)
    assert stopped.wait(20)


def test_what_a_source_died_of_is_raised_after_its_last_frame() -> None:
    def dies(device: Device) -> None:
        device._offer(PIXELS, 7)
        device._opened.set()
        until(lambda: device.dropped)  # a second frame replaced the first
        raise RuntimeError("unplugged")

    device = Device(dies)
    device._offer(PIXELS, 8)
    until(lambda: device.last_fault)
    last = device.poll()
    assert last is not None
    assert (last.captured_ns, last.sequence, last.source) == (8, 1, "dev:1")
    with pytest.raises(RuntimeError, match="unplugged"):
        device.poll()


def test_a_frame_that_cannot_be_sent_is_counted_and_logged_once_and_the_next_one_is_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sink = Wire()
    for number in range(1, 4):
        sink.publish(frame("bad"))
        until(lambda: sink.faults == number)  # noqa: B023 - used at once
    sink.publish(frame("good"))
    until(lambda: sink.sent == 1)
    sink.close()
    assert sink.names == ["good"]
    assert (sink.faults, sink.last_fault) == (3, "RuntimeError: device removed")
    assert caplog.messages == ["sink wire:1: RuntimeError: device removed"]


def test_a_fault_is_logged_again_after_a_while(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Wire, "SAY_AGAIN_SECONDS", 0.0)
    sink = Wire()
    for number in range(1, 4):
        sink.publish(frame("bad"))
        until(lambda: sink.faults == number)  # noqa: B023 - used at once
    sink.close()
    assert len(caplog.messages) == 3


def test_frames_that_nobody_receives_are_not_sent() -> None:
    sink = Wire()
    sink.connected = False
    sink.publish(frame("unseen"))
    until(lambda: sink.skipped == 1)
    sink.connected = True
    sink.publish(frame("seen"))
    until(lambda: sink.sent == 1)
    sink.close()
    assert sink.names == ["seen"]


def test_a_frame_left_before_closing_is_still_sent_and_a_later_one_is_dropped() -> None:
    sink = Wire()
    sink.publish(frame("last"))
    sink.close()
    sink.publish(frame("late"))
    assert (sink.names, sink.dropped) == (["last"], 1)


def test_what_a_sink_dies_of_is_logged_at_its_end_and_raised_to_who_publishes(caplog: pytest.LogCaptureFixture) -> None:
    sink = Wire()
    sink.ending = RuntimeError("cannot release")
    sink.close()
    assert caplog.messages == ["sink wire:1: stopped: RuntimeError('cannot release')"]
    with pytest.raises(RuntimeError, match="cannot release"):
        sink.publish(frame("late"))


def test_ticks_come_at_their_times_and_late_ones_are_not_made_up() -> None:
    clock, stop = HandClock(), threading.Event()
    steps = ticks(clock, 10.0, stop)
    assert next(steps) == 0
    threading.Timer(0.05, clock.move_to, [0.1]).start()
    assert next(steps) == round(0.1e9)
    clock.move_to(1.0)  # nine ticks late
    assert next(steps) == round(1.0e9)
    threading.Timer(0.05, clock.move_to, [1.1]).start()
    assert next(steps) == round(1.1e9)
    stop.set()
    assert list(steps) == []
