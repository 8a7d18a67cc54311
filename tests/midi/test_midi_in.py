"""The show's side of MIDI: messages of a process that may end, and clocks of several devices."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from streamvace.control.midi_clock import MidiClock
from streamvace.midi import frames
from streamvace.midi.clock_input import ClockInput
from streamvace.midi.messages import Message
from streamvace.midi.midi_in import MidiIn
from streamvace.system import device_process

PATIENCE_S = 30.0


def playing(*written: bytes, then: str = "import sys; sys.stdin.read()") -> subprocess.Popen[bytes]:
    """A process that writes these bytes, and then waits for its end."""
    script = f"import sys; sys.stdout.buffer.write({b''.join(written)!r}); sys.stdout.flush(); {then}"
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-S", "-c", script], stdin=pipe, stdout=pipe, bufsize=0)


class Heard:
    """What MIDI in passes on."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, float, Message]] = []
        self.devices: dict[int, str] = {}
        self.lines: list[str] = []
        self.news = threading.Condition()

    def opened(self, port: int, device: str) -> None:
        self.devices[port] = device

    def closed(self, port: int) -> None:
        del self.devices[port]

    def message(self, port: int, when: float, message: Message) -> None:
        with self.news:
            self.messages.append((port, when, message))
            self.news.notify()

    def report(self, line: str) -> None:
        with self.news:
            self.lines.append(line)
            self.news.notify()

    def until(self, messages: int = 0, lines: int = 0) -> None:
        with self.news:
            enough = lambda: len(self.messages) >= messages and len(self.lines) >= lines  # noqa: E731
            assert self.news.wait_for(enough, PATIENCE_S), (self.messages, self.lines)


OPENED = frames.pack(frames.OPENED, 0, 1, b"Drums")


def test_messages_come_with_the_port_and_the_time_of_their_arrival() -> None:
    heard = Heard()
    midi = MidiIn(
        heard,
        heard.report,
        lambda wanted: playing(OPENED, frames.pack(frames.BYTES, 0, 2_500_000_000, bytes([0xB0, 7, 100, 8, 1]))),
    )
    midi.follow("all")
    heard.until(messages=2)
    assert heard.messages == [(0, 2.5, (0xB0, 7, 100)), (0, 2.5, (0xB0, 8, 1))]
    assert midi.names == ("Drums",)
    assert midi.figures() == {"midi_messages": 2, "midi_faults": 0}
    midi.close()
    midi.close()


def test_a_process_that_dies_is_said_counted_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_process, "PAUSES_S", (0.0,))
    heard, tick = Heard(), frames.pack(frames.BYTES, 0, 1, b"\xf8")
    children = iter(
        [
            playing(OPENED, tick, then="sys.exit(6)"),
            playing(OPENED, tick, b"no frame", b"." * 20),
            playing(OPENED, tick),
        ]
    )
    midi = MidiIn(heard, heard.report, lambda wanted: next(children))
    midi.follow("all")
    heard.until(messages=3, lines=2)
    assert heard.lines[0] == "the MIDI process ended (code 6); it is started again"
    assert midi.figures()["midi_faults"] == 2
    midi.close()


def test_a_machine_without_midi_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_process, "PAUSES_S", (0.0,))
    heard, started = Heard(), threading.Semaphore(0)
    line = frames.pack(frames.LINE, 0, 1, b"MIDI cannot be opened (no sequencer)")

    def start(wanted: str) -> subprocess.Popen[bytes]:
        started.release()
        return playing(line, then="sys.exit(3)")

    midi = MidiIn(heard, heard.report, start)
    midi.follow("all")
    for _ in range(3):
        assert started.acquire(timeout=PATIENCE_S)
    midi.close()
    assert heard.lines == ["MIDI cannot be opened (no sequencer)"]


def test_other_devices_are_another_process_and_none_is_no_process() -> None:
    heard = Heard()
    started: list[str] = []

    def start(wanted: str) -> subprocess.Popen[bytes]:
        started.append(wanted)
        return playing(OPENED, frames.pack(frames.BYTES, 0, 1, b"\xf8"))

    midi = MidiIn(heard, heard.report, start)
    midi.follow("")
    midi.follow("drums")
    heard.until(messages=1)
    midi.follow("keys")
    heard.until(messages=2)
    midi.follow("")
    midi.close()
    assert (started, heard.lines) == (["drums", "keys"], [])


def test_of_two_clocks_the_first_leads_until_it_falls_silent() -> None:
    clock = MidiClock()
    devices = ClockInput(clock)
    for number in range(25):
        devices.take(1, 1 + number / 48, (0xF8,))
        devices.take(2, 1.005 + number / 48, (0xF8,))
    reading = clock.reading(1.5)
    assert reading is not None
    assert reading.beat == pytest.approx(1.0)
    devices.take(2, 1.51, (0xFC,))
    assert clock.reading(1.51) != clock.reading(1.52), "the other device's stop stops nothing"
    for number in range(25):
        devices.take(2, 9 + number / 48, (0xF8,))
    assert clock.reading(9.5) is not None


def test_start_continue_stop_and_position_reach_the_clock() -> None:
    clock = MidiClock()
    devices = ClockInput(clock)
    devices.take(0, 1.0, (0xF2, 8, 1))
    devices.take(0, 1.0, (0xFB,))
    devices.take(0, 1.1, (0xF8,))
    reading = clock.reading(1.1)
    assert reading is not None
    assert reading.beat == (8 + 128) / 4
    devices.take(0, 1.1, (0xFC,))
    stopped = clock.reading(1.1)
    assert stopped is not None
    assert not stopped.running
    devices.take(0, 1.2, (0xFA,))
    devices.take(0, 1.2, (0xF8,))
    started = clock.reading(1.2)
    assert started is not None
    assert (started.beat, started.running) == (0.0, True)
