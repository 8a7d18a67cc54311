"""MIDI bytes to messages. Pure; bounded whatever arrives."""

from __future__ import annotations

from typing import Final

Message = tuple[int, ...]
"""A status byte, 0x80..0xFF, and its data bytes, 0..127 each. System exclusive (0xF0) is without its end."""

_DATA: Final = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
"""Data bytes of the messages of a channel, by their upper four bits."""
_COMMON: Final = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}
"""Data bytes of the messages of the system."""
_UNDEFINED: Final = (0xF9, 0xFD)
_REALTIME: Final = 0xF8
_EXCLUSIVE: Final = 0xF0
_END: Final = 0xF7

LONGEST_EXCLUSIVE: Final = 64
"""Data bytes of system exclusive; what is longer is a dump, which nothing here reads."""


class Parser:
    """The messages of one port.

    damaged: data bytes without a status, and messages that another one cut off.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._status = 0  # 0: data bytes belong to nothing
        self._data: list[int] = []

    def feed(self, data: bytes) -> list[Message]:
        """The messages that these bytes complete, in order."""
        found: list[Message] = []
        for byte in data:
            if byte >= _REALTIME:  # may stand between the bytes of any other message
                found += [] if byte in _UNDEFINED else [(byte,)]
            elif byte >= 0x80:
                self._begin(byte, found)
            else:
                self._take(byte, found)
        return found

    def _begin(self, status: int, found: list[Message]) -> None:
        if self._status == _EXCLUSIVE and status == _END:
            found += [(_EXCLUSIVE, *self._data)] if len(self._data) <= LONGEST_EXCLUSIVE else []
        else:
            self.damaged += bool(self._data)
        self._data = []
        self._status = status if status in _COMMON or status <= _EXCLUSIVE else 0
        if _COMMON.get(status) == 0:
            found.append((status,))
            self._status = 0

    def _take(self, byte: int, found: list[Message]) -> None:
        if not self._status:
            self.damaged += 1
            return
        if self._status == _EXCLUSIVE:
            self._data += [byte] if len(self._data) <= LONGEST_EXCLUSIVE else []
            return
        self._data.append(byte)
        system = self._status in _COMMON
        if len(self._data) == (_COMMON[self._status] if system else _DATA[self._status & 0xF0]):
            found.append((self._status, *self._data))
            self._data = []
            if system:  # only messages of a channel may leave their status out the next time
                self._status = 0
