"""Devices that pages bring are ports like any others, and there is an end to their number."""

from __future__ import annotations

import pytest

from streamvace.midi.messages import Message
from streamvace.midi.page_ports import LONGEST_NAME, MOST_DEVICES, PagePorts
from streamvace.midi.port_process import MOST_PORTS
from streamvace.system.errors import UserError


class Ears:
    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def opened(self, port: int, device: str) -> None:
        self.heard.append(("opened", port, device))

    def closed(self, port: int) -> None:
        self.heard.append(("closed", port))

    def message(self, port: int, when: float, message: Message) -> None:
        self.heard.append((port, when, message))


def test_a_device_of_a_page_is_heard_told_and_gone_with_its_port() -> None:
    ears, changes, told = Ears(), list[int](), list[bytes]()
    ports = PagePorts(ears, lambda: changes.append(len(ports.names)))
    port = ports.open("Twister", told.append, here=False)
    assert port >= MOST_PORTS, "no port of the port process has this number"
    ports.hear(port, 5.0, bytes((0xB0, 7, 64, 7)))
    ports.hear(port, 5.5, bytes((65, 0xFA)))  # a message in two parts, as a cable gives it
    assert ports.send(port, b"\xb0\x07\x20")
    assert not ports.send(0, b"\xb0\x07\x20"), "a port of the port process"
    ports.close(port)
    assert ports.send(port, b"\xb0\x07\x20"), "its page is gone, and nobody else has it"
    assert told == [b"\xb0\x07\x20"]
    assert changes == [1, 0]
    assert ears.heard == [
        ("opened", port, "Twister"),
        (port, 5.0, (0xB0, 7, 64)),
        (port, 5.5, (0xB0, 7, 65)),
        (port, 5.5, (0xFA,)),
        ("closed", port),
    ]


def test_bytes_that_are_no_message_are_counted_and_change_nothing() -> None:
    ports = PagePorts(Ears(), lambda: None)
    port = ports.open("Noise", lambda data: None, here=False)
    ports.hear(port, 1.0, bytes(range(100)) * 50)
    assert ports.figures() == {"midi_messages": 0, "midi_faults": 5000}


def test_there_is_an_end_to_devices_and_to_names_and_one_that_leaves_makes_room() -> None:
    ports = PagePorts(Ears(), lambda: None)
    opened = [ports.open(f"a\n{'b' * 500}", lambda data: None, here=False) for _ in range(MOST_DEVICES)]
    assert len(set(opened)) == MOST_DEVICES
    assert max(map(len, ports.names)) == LONGEST_NAME
    assert "\n" not in ports.names[0]
    with pytest.raises(UserError, match="pages have 16 MIDI devices already"):
        ports.open("one more", lambda data: None, here=False)
    ports.close(opened[3])
    assert ports.open("one more", lambda data: None, here=False) == opened[3]


def test_a_device_that_the_show_has_open_itself_is_not_heard_twice() -> None:
    ports = PagePorts(Ears(), lambda: None, lambda: ("Midi Fighter Twister:Midi Fighter Twister MIDI 1 20:0",))
    with pytest.raises(UserError, match="Twister MIDI 1 is open already, by /streamvace/midi/input"):
        ports.open("Midi Fighter Twister MIDI 1", lambda data: None, here=True)
    ports.open("Midi Fighter Twister MIDI 1", lambda data: None, here=False)  # the same kind, on a phone
