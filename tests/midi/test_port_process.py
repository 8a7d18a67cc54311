"""The ports: what is opened, closed and told, against a stand-in for the library, and once as a process."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from streamvace.midi import frames
from streamvace.midi.midi_in import start_ports
from streamvace.midi.port_process import Ports


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
    assert (len(made), made[0].number, made[0].ignored) == (1, 1, (True, False, True))
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


@pytest.mark.parametrize("data", [b"", b"M", b"X" + b"\0" * 11, b"M\0\xff\xff" + b"\0" * 8, b"M\0\x05\0" + b"\0" * 9])
def test_what_is_no_frame_ends_the_stream(data: bytes) -> None:
    assert frames.read(io.BytesIO(data).read) is None


def test_the_process_opens_plays_and_ends_with_its_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rtmidi2.py").write_text(
        "class MidiIn:\n"
        "    callback = None\n"
        "    def ignore_types(self, *ignored): pass\n"
        "    def open_port(self, number):\n"
        "        print('the library talks')\n"
        "        self.callback([0xF8], 0.0)\n"
        "def get_in_ports(): return ['Drums']\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    child = start_ports("all")
    assert child.stdin is not None
    assert child.stdout is not None
    read = [frames.read(child.stdout.read) for _ in range(2)]  # type: ignore[arg-type]
    assert sorted((frame.kind, frame.data) for frame in read if frame) == [(b"M", b"\xf8"), (b"O", b"Drums")]
    child.stdin.close()
    assert child.wait(timeout=30) == 0
    child.stdout.close()
