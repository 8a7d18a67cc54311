"""The library itself, with a virtual port of the Linux sequencer, where there is one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from streamvace.midi.messages import Message
from streamvace.midi.midi_in import MidiIn
from streamvace.midi.probe import found_devices
from tests.patience import PATIENCE_S
from tests.real_parts import require_package

NAME = "streamvace test port"


class Heard:
    """What comes from the device."""

    def __init__(self) -> None:
        self.opened_port, self.messages = threading.Event(), threading.Event()
        self.heard: list[Message] = []

    def opened(self, port: int, device: str) -> None:
        self.opened_port.set()

    def closed(self, port: int) -> None:
        self.opened_port.clear()

    def message(self, port: int, when: float, message: Message) -> None:
        self.heard.append(message)
        self.messages.set()


@pytest.mark.skipif(not Path("/dev/snd/seq").exists(), reason="no sequencer of Linux: sudo modprobe snd_seq")
def test_a_virtual_device_is_found_opened_and_heard() -> None:
    require_package("rtmidi2", "python plugin/bootstrap.py install midi")
    import rtmidi2  # type: ignore[import-not-found,unused-ignore]

    device = rtmidi2.MidiOut()
    device.open_virtual_port(NAME)
    assert any(NAME in name for name in found_devices())
    heard, lines = Heard(), list[str]()
    midi = MidiIn(heard, lines.append)
    midi.follow(NAME)
    try:
        assert heard.opened_port.wait(PATIENCE_S), lines
        device.send_raw(0xB0, 7, 100)
        assert heard.messages.wait(PATIENCE_S), lines
        assert heard.heard == [(0xB0, 7, 100)]
    finally:
        midi.close()
