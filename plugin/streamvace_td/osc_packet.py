"""Encodes and decodes the OSC 1.0 messages that the component and the process exchange. No I/O.

TouchDesigner's own OSC operators are not used: they need a second, fixed port for the answers, which two components
cannot share and a firewall may block, and they deliver messages one by one in callbacks.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

Argument = bool | int | float | str
Arguments = tuple[Argument, ...]

MAX_DATAGRAM = 65_507
"""Bytes of the largest UDP datagram over IPv4."""

_IMMEDIATELY = struct.pack(">Q", 1)
_FLOAT, _INT, _LONG, _DOUBLE = (struct.Struct(f">{code}") for code in "fiqd")
_NUMBERS = {"f": _FLOAT, "i": _INT, "h": _LONG, "d": _DOUBLE}


class OscError(ValueError):
    """Bytes that are not a message, or a value that cannot be sent. One line."""


@dataclass(frozen=True)
class Message:
    """An address and its arguments."""

    address: str
    arguments: Arguments = ()


def encode(address: str, arguments: Sequence[Argument] = ()) -> bytes:
    """One message. bool as T or F, int as i (h beyond 32 bits), float as f, str as s. Raises OscError for others."""
    tags, data = [","], []
    for argument in arguments:
        if isinstance(argument, bool):
            tags.append("T" if argument else "F")
        elif isinstance(argument, int):
            small = -(2**31) <= argument < 2**31
            tags.append("i" if small else "h")
            data.append(_packed(_INT if small else _LONG, argument))
        elif isinstance(argument, float):
            tags.append("f")
            data.append(_packed(_FLOAT, argument))
        elif isinstance(argument, str):
            tags.append("s")
            data.append(_padded(argument))
        else:
            raise OscError(f"{address}: cannot send {argument!r:.80}")
    return _padded(address) + _padded("".join(tags)) + b"".join(data)


def bundle(messages: Sequence[bytes]) -> bytes:
    """Encoded messages as one datagram, which the receiver applies together. A single message stays as it is."""
    if len(messages) == 1:
        return messages[0]
    return b"#bundle\0" + _IMMEDIATELY + b"".join(_INT.pack(len(each)) + each for each in messages)


def decode(datagram: bytes) -> Message:
    """The message in a datagram. Raises only OscError, for anything else, including bundles: the process sends none."""
    address, position = _string(datagram, 0)
    if not address.startswith("/"):
        raise OscError(f"not a message: {datagram[:20]!r}")
    tags, position = _string(datagram, position)
    if not tags.startswith(","):
        raise OscError(f"{address[:80]}: no type tags")
    arguments: list[Argument] = []
    for tag in tags[1:]:
        value, position = _argument(address, tag, datagram, position)
        arguments.append(value)
    if position != len(datagram):
        raise OscError(f"{address[:80]}: {len(datagram) - position} bytes beyond the arguments")
    return Message(address, tuple(arguments))


def _argument(address: str, tag: str, datagram: bytes, position: int) -> tuple[Argument, int]:
    if tag in "TF":
        return tag == "T", position
    if tag == "s":
        return _string(datagram, position)
    number = _NUMBERS.get(tag)
    if number is None or len(datagram) - position < number.size:
        raise OscError(f"{address[:80]}: type {tag!r} is not supported, or its bytes are missing")
    value: int | float = number.unpack_from(datagram, position)[0]
    return value, position + number.size


def _string(datagram: bytes, position: int) -> tuple[str, int]:
    end = datagram.find(b"\0", position)
    after = end + 4 - (end - position) % 4
    if end < 0 or after > len(datagram) or datagram.count(b"\0", end, after) != after - end:
        raise OscError(f"the string at byte {position} is not terminated or not padded to 4 bytes")
    try:
        return datagram[position:end].decode("utf-8"), after
    except UnicodeDecodeError:
        raise OscError(f"the string at byte {position} is not UTF-8") from None


def _packed(number: struct.Struct, value: int | float) -> bytes:
    try:
        return number.pack(value)
    except (struct.error, OverflowError):
        raise OscError(f"{value!r:.80} does not fit into {number.size} bytes") from None


def _padded(text: str) -> bytes:
    if "\0" in text:
        raise OscError(f"{text!r:.80} contains a NUL, which would end the string")
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError:
        raise OscError(f"{text!r:.80} is not valid Unicode") from None
    return raw + b"\0" * (4 - len(raw) % 4)
