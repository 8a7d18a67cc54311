"""The ports: what is opened, closed and told, against a stand-in for the library, and once as a process."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from streamvace.midi import frames
from streamvace.midi.midi_in import start_ports
from streamvace.midi.port_process import Outs, Ports
from tests.patience import PATIENCE_S


class FakePort:
    """What `rtmidi2.MidiIn` is to us. Strict about the order of the calls."""

    made: list[FakePort]
    callback: Callable[[Sequence[int], float], None] | None = None

    def __init__(self) -> None:
        self.ignored = (True, True, True)
        self.number: int | None = None
        FakePort.made.append(self)

    def ignore_types(self, midi_sysex: bool, midi_time: bool, midi_sense: bool) -> None:
        self.ignored = midi_sysex, midi_time, midi_sense

    def open_port(self, port: int) -> None:
        assert self.callback is not None, "messages that come at once would be lost"
        if port == 7:
            raise RuntimeError("in use\nby another")
        self.number = port

    def close_port(self) -> None:
        self.number = None


@pytest.fixture(autouse=True)
def made() -> list[FakePort]:
    FakePort.made = []
    return FakePort.made


def within(reached: Callable[[], bool]) -> None:
    """Wait until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def told(written: Sequence[bytes]) -> list[tuple[bytes, int, bytes]]:
    stream = io.BytesIO(b"".join(written))
    found = []
    while (frame := frames.read(stream.read)) is not None:
        found.append((frame.kind, frame.port, frame.data))
    return found


def test_devices_are_opened_by_name_closed_when_they_are_gone_and_opened_again(made: list[FakePort]) -> None:
    written: list[bytes] = []
    ports = Ports("twister", FakePort, written.append)
    ports.look(["Keys", "Midi Fighter Twister"])
    ports.look(["Keys", "Midi Fighter Twister"])
    assert (len(made), made[0].number, made[0].ignored) == (1, 1, (False, False, True))
    ports.look(["Keys"])
    ports.look(["Midi Fighter Twister"])
    assert made[1].number == 0
    twister = b"Midi Fighter Twister"
    assert told(written) == [(b"O", 0, twister), (b"C", 0, twister), (b"O", 0, twister)]


def test_two_devices_of_one_name_are_two_ports(made: list[FakePort]) -> None:
    written: list[bytes] = []
    Ports("all", FakePort, written.append).look(["Keys", "Keys"])
    assert told(written) == [(b"O", 0, b"Keys"), (b"O", 1, b"Keys (2)")]


def test_what_arrives_is_a_frame_of_its_port(made: list[FakePort]) -> None:
    written: list[bytes] = []
    Ports("all", FakePort, written.append).look(["A", "B"])
    assert made[1].callback is not None
    made[1].callback([0xB0, 7, 100], 0.0)
    assert told(written)[-1] == (b"M", 1, bytes([0xB0, 7, 100]))


def test_a_device_that_cannot_be_opened_is_told_once_and_the_others_are_opened(made: list[FakePort]) -> None:
    written: list[bytes] = []
    ports = Ports("all", FakePort, written.append)
    names = [f"Keys {letter}" for letter in "abcdefgh"]
    ports.look(names)
    ports.look(names)
    lines = [data.decode() for kind, _, data in told(written) if kind == b"L"]
    assert len(lines) == 1
    assert lines[0].startswith("Keys h cannot be opened (RuntimeError: in use by another)")
    assert len([kind for kind, _, _ in told(written) if kind == b"O"]) == 7


class FakeOut:
    """What `rtmidi2.MidiOut` is to us. As strict as the drivers: only whole messages of an open port leave."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.sent: list[tuple[int, ...]] = []
        self.closed = False

    def open_port(self, port: int) -> None:
        if port == 7:
            raise RuntimeError("in use")
        self.number = port

    def send_raw(self, *message: int) -> None:
        assert self.number is not None
        assert not self.closed
        assert 0x80 <= message[0] < 0xF0
        assert len(message) == 3
        assert all(0 <= byte < 0x80 for byte in message[1:])
        if message[1] == 99:
            raise RuntimeError("unplugged")
        self.sent.append(message)

    def close_port(self) -> None:
        self.closed = True


class Rack:
    """Devices that can be sent to, and what is told of them."""

    def __init__(self, *names: str) -> None:
        self.made: list[FakeOut] = []
        self.written: list[bytes] = []
        self.outs = Outs(self.open, lambda: names, self.written.append)

    def open(self) -> FakeOut:
        self.made.append(FakeOut())
        return self.made[-1]

    @property
    def lines(self) -> list[str]:
        return [data.decode() for _, _, data in told(self.written)]


def test_a_device_is_opened_for_sending_with_its_first_message_and_by_its_own_name() -> None:
    rack = Rack("Keys", "Motor")
    for value in (1, 2):
        rack.outs.send(0, "Motor", bytes([0xB0, 7, value]))
    assert [(out.number, out.sent) for out in rack.made] == [(1, [(0xB0, 7, 1), (0xB0, 7, 2)])]


def test_another_device_on_a_port_is_opened_in_place_of_the_one_before() -> None:
    rack = Rack("Keys", "Motor")
    rack.outs.send(0, "Motor", bytes([0xB0, 7, 1]))
    rack.outs.send(0, "Keys", bytes([0xB0, 7, 2]))
    assert [(out.number, out.closed, len(out.sent)) for out in rack.made] == [(1, True, 1), (0, False, 1)]


@pytest.mark.parametrize(
    ("names", "message", "line"),
    [
        ((), (0xB0, 7, 1), "Motor can be sent nothing: it has no MIDI output; leave out its feedback"),
        ((*tuple("abcdefg"), "Motor"), (0xB0, 7, 1), "Motor cannot be opened for feedback (RuntimeError: in use)"),
        (("Motor",), (0xB0, 99, 1), "Motor takes no messages (RuntimeError: unplugged)"),
    ],
)
def test_a_device_that_cannot_be_sent_to_is_told_once(
    names: tuple[str, ...], message: tuple[int, ...], line: str
) -> None:
    rack = Rack(*names)
    for _ in range(3):
        rack.outs.send(0, "Motor", bytes(message))
    assert len(rack.lines) == 1
    assert rack.lines[0].startswith(line)


@pytest.mark.parametrize("data", [b"", b"M", b"X" + b"\0" * 11, b"M\0\xff\xff" + b"\0" * 8, b"M\0\x05\0" + b"\0" * 9])
def test_what_is_no_frame_ends_the_stream(data: bytes) -> None:
    assert frames.read(io.BytesIO(data).read) is None


def test_the_process_opens_plays_and_ends_with_its_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = tmp_path / "sent"
    ins, outs = ("Drums 0",), ("Other 0", "Drums 1")
    if sys.platform != "win32":  # only there the library adds numbers
        ins, outs = ("Drums",), ("Other", "Drums")
    (tmp_path / "rtmidi2.py").write_text(
        "class MidiIn:\n"
        "    callback = None\n"
        "    def ignore_types(self, *ignored): pass\n"
        "    def open_port(self, number):\n"
        "        print('the library talks')\n"
        "        self.callback([0xF8], 0.0)\n"
        f"def get_in_ports(): return {ins}\n"
        f"def get_out_ports(): return {outs}\n"
        "class MidiOut:\n"
        "    def open_port(self, number): self.number = number\n"
        f"    def send_raw(self, *data): open({str(sent)!r}, 'a').write(repr([self.number, *data]) + '\\n')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    child = start_ports("all")
    assert child.stdin is not None
    assert child.stdout is not None
    read = [frames.read(child.stdout.read) for _ in range(2)]  # type: ignore[arg-type]
    assert sorted((frame.kind, frame.data) for frame in read if frame) == [(b"M", b"\xf8"), (b"O", b"Drums")]
    for value in (1, 2):
        child.stdin.write(frames.pack(frames.SEND, 0, 0, bytes([0xB0, 7, value])))
    within(lambda: sent.exists() and len(sent.read_text().splitlines()) == 2)
    assert [json.loads(line) for line in sent.read_text().splitlines()] == [[1, 0xB0, 7, 1], [1, 0xB0, 7, 2]]
    child.stdin.close()
    assert child.wait(timeout=30) == 0
    child.stdout.close()
