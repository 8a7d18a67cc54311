"""The MIDI devices of one page: what its browser sends of them, checked, and what they are told. On the loop only.

{"midi_devices": {"0": "Twister"}}          the devices that are there now, by numbers of the page's own
{"midi": [[0, 1.5, 176, 7, 64]]}            messages: device, milliseconds since it came, bytes
{"midi_out": [[0, 176, 7, 64]]}             to the page: device, bytes
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError

MOST_DEVICES: Final = 8
"""Of a page."""
MOST_MESSAGES: Final = 256
"""In one message of the page; it sends one every few milliseconds."""
MOST_BYTES: Final = 68
"""Of a MIDI message: system exclusive that is longer is a dump, which nothing here reads."""
OLDEST_MS: Final = 1000.0
"""No message has waited for longer in a browser; a greater age is a fault of its clock."""
MOST_WAITING: Final = 256
"""Messages that wait for the page; in a flood the oldest are dropped."""

INVALID: Final = "invalid MIDI from the page"


class Door(Protocol):
    """The part of `midi.page_ports.PagePorts` in use."""

    def open(self, name: str, send: Callable[[bytes], None], *, here: bool) -> int: ...

    def hear(self, port: int, when: float, data: bytes, /) -> None: ...

    def close(self, port: int, /) -> None: ...


class PageMidi:
    """The devices of one page."""

    def __init__(self, door: Door, *, here: bool, clock: Callable[[], int] = now_ns) -> None:
        """here: whether the browser runs on this machine. clock: nanoseconds."""
        self._door = door
        self._here = here
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._ports: dict[str, int] = {}
        self._refused: set[str] = set()
        self._waiting: deque[list[int]] = deque(maxlen=MOST_WAITING)

    def handle(self, said: Mapping[str, object]) -> list[str]:
        """Take a message of the page. Returns complaints, one line each."""
        complaints: list[str] = []
        if "midi_devices" in said:
            complaints += self._take_devices(said["midi_devices"])
        if "midi" in said:
            complaints += self._take_messages(said["midi"])
        return complaints

    def news(self) -> list[list[int]]:
        """What the devices are told since the last call."""
        told = list(self._waiting)
        self._waiting.clear()
        return told

    def close(self) -> None:
        """The page is gone, and its devices with it."""
        for port in self._ports.values():
            self._door.close(port)
        self._ports = {}

    def _take_devices(self, given: object) -> list[str]:
        devices = given if isinstance(given, dict) and len(given) <= MOST_DEVICES else None
        if devices is None or not all(key.isdecimal() and isinstance(name, str) for key, name in devices.items()):
            return [INVALID]
        self._refused &= devices.keys()
        for key in self._ports.keys() - devices.keys():
            self._door.close(self._ports.pop(key))
        complaints = []
        for key in devices.keys() - self._ports.keys() - self._refused:
            try:
                self._ports[key] = self._door.open(devices[key], partial(self._tell, int(key)), here=self._here)
            except UserError as error:
                self._refused.add(key)
                complaints.append(str(error))
        return complaints

    def _take_messages(self, given: object) -> list[str]:
        if not isinstance(given, list) or len(given) > MOST_MESSAGES or not all(map(_is_message, given)):
            return [INVALID]
        now_s = self._clock() / 1e9
        for device, age_ms, *data in given:
            port = self._ports.get(str(device))
            if port is not None:  # one that is gone may have had a message on its way
                self._door.hear(port, now_s - min(max(age_ms, 0.0), OLDEST_MS) / 1e3, bytes(data))
        return []

    def _tell(self, device: int, message: bytes) -> None:
        """Any thread."""
        try:
            self._loop.call_soon_threadsafe(self._waiting.append, [device, *message])
        except RuntimeError:  # the server is closing
            return


def _is_message(given: object) -> bool:
    """Whether this is `[device, age, byte, ...]`."""
    if not isinstance(given, list) or not 3 <= len(given) <= 2 + MOST_BYTES:
        return False
    device, age, *data = given
    return _is_whole(device, MOST_DEVICES) and _is_age(age) and all(_is_whole(byte, 256) for byte in data)


def _is_whole(given: object, end: int) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and 0 <= given < end


def _is_age(given: object) -> bool:
    return isinstance(given, (int, float)) and not isinstance(given, bool) and math.isfinite(given)
