"""OSC 1.0 and 1.1 datagrams to messages and back. No I/O, no state.

Decoding has its own code because its input is untrusted: it raises only OscError, does not recurse, always advances,
and its memory is bounded by the size of the datagram. It is as strict as liblo about lengths and padding. Encoding sees
only our own values and uses python-osc.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from pythonosc.osc_message_builder import BuildError, OscMessageBuilder

import osc_schema

MAX_DATAGRAM: Final = 65536
"""Bytes; the largest UDP datagram."""
MAX_MESSAGES: Final = sum(row.access == "write" and not row.family for row in osc_schema.load()) + 8
"""Messages a datagram: one for every parameter and trigger but those of modulators, so that a whole look fits into one
bundle, and a few for services such as ping and subscribe. benchmarks/osc.py measures them; they cost a millisecond."""
MAX_ARGUMENTS: Final = 32
"""Arguments a message, array brackets included."""
MAX_VALUES: Final = 256
"""Arguments a datagram, array brackets included; the cost of decoding grows with them."""
MAX_DEPTH: Final = 8
"""Levels of nested bundles, and of nested arrays."""
MAX_ADDRESS: Final = 255
"""Bytes of an address or address pattern."""
IMMEDIATELY: Final = 1
"""The time tag that means now."""

_NTP_TO_UNIX: Final = 2_208_988_800
_BUNDLE: Final = b"#bundle\0"
_PLAIN_TAGS: Final = b"ifhd"
_NUMBERS: Final = {tag: struct.Struct(f">{code}") for tag, code in zip("ihfd", "iqfd", strict=True)}
_SIZE: Final = struct.Struct(">i")
_TIMETAG: Final = struct.Struct(">Q")
_ADDRESS_LETTERS: Final = bytes(letter for letter in range(0x21, 0x7F) if letter not in b"#")


class OscError(ValueError):
    """A datagram that is not OSC, or a value that OSC cannot carry. The message is one line.

    address: of the message that cannot be read; empty if not even that can.
    """

    address = ""


class Impulse(Enum):
    """The type of IMPULSE, the argument `I`, which has no value."""

    IMPULSE = "I"


IMPULSE: Final = Impulse.IMPULSE


class Midi(NamedTuple):
    """The argument `m`: four bytes, 0..255."""

    port: int
    status: int
    data1: int
    data2: int


class Colour(NamedTuple):
    """The argument `r`: four bytes, 0..255."""

    red: int
    green: int
    blue: int
    alpha: int


class Untyped(NamedTuple):
    """Arguments without type tags in front of them: their bytes."""

    data: bytes


@dataclass(frozen=True)
class TimeTag:
    """The argument `t`: 64-bit NTP time, seconds since 1900 in the upper half."""

    ntp: int


Scalar = int | float | str | bytes | bool | None
Argument = Scalar | Impulse | Midi | Colour | TimeTag | Untyped | tuple["Argument", ...]


class Message(NamedTuple):
    """One message.

    address: starts with `/`, printable ASCII, may be a pattern.
    arguments: decoded; arrays are tuples; a blob is bytes; without type tags, one Untyped.
    timetag: 64-bit NTP time of the bundle it came in (the latest of the bundles around it), IMMEDIATELY without one.
    """

    address: str
    arguments: tuple[Argument, ...] = ()
    timetag: int = IMMEDIATELY


def decode(datagram: bytes) -> list[Message]:
    """Every message of a datagram, in order, bundles flattened; messages of one bundle share its time tag.

    Raises OscError, and nothing else, if any part of it is not well-formed OSC.
    """
    if not datagram or len(datagram) % 4 or len(datagram) > MAX_DATAGRAM:
        raise OscError(f"a datagram has a multiple of 4 bytes, at most {MAX_DATAGRAM}, got {len(datagram)}")
    if not datagram.startswith(_BUNDLE):
        return [_message(datagram, 0, len(datagram), IMMEDIATELY)[0]]
    return _bundle(datagram)


def unix_seconds(timetag: int) -> float:
    """A time tag as seconds since 1970; IMMEDIATELY lies far in the past."""
    return (timetag >> 32) - _NTP_TO_UNIX + (timetag & 0xFFFFFFFF) / 2**32


def timetag_at(unix: float) -> int:
    """The time tag for seconds since 1970, from 1970 to 2036."""
    return int((unix + _NTP_TO_UNIX) * 2**32)


def encode_message(address: str, *arguments: object) -> bytes:
    """One message as a datagram: bool as T or F, int as i or h, float as f, str as s, bytes as b, None as N.

    Raises OscError for anything else, and for values beyond their type: 65-bit ints, strings with a NUL.
    """
    if not all(argument is None or isinstance(argument, (bool, int, float, str, bytes)) for argument in arguments):
        raise OscError(f"cannot encode {address}: {arguments!r:.80}")
    if not address.startswith("/") or any("\0" in text for text in (address, *arguments) if isinstance(text, str)):
        raise OscError(f"cannot encode {address!r}: an address starts with /, and no string holds a NUL")
    builder = OscMessageBuilder(address=address)
    try:
        for argument in arguments:
            builder.add_arg(argument)
        datagram: bytes = builder.build().dgram
    except (BuildError, ValueError, OverflowError, struct.error) as problem:
        raise OscError(f"cannot encode {address}: {problem}") from None
    return datagram


def _bundle(data: bytes) -> list[Message]:
    """The messages of a bundle. A stack of open bundles, (end, time tag) each, replaces recursion.

    The read position grows by at least four bytes an iteration, so the loop ends.
    """
    messages: list[Message] = []
    values = 0
    position, opened = _open_bundle(data, 0, len(data), IMMEDIATELY)
    stack = [(len(data), opened)]
    while stack:
        end, timetag = stack[-1]
        if position == end:
            stack.pop()
            continue
        if end - position < 4:
            raise OscError(f"bundle: {end - position} stray bytes at byte {position}")
        (size,) = _SIZE.unpack_from(data, position)
        position += 4
        if size <= 0 or size % 4 or size > end - position:
            raise OscError(f"bundle: element of {size} bytes at byte {position}, {end - position} bytes are there")
        if data.startswith(_BUNDLE, position):
            if len(stack) == MAX_DEPTH:
                raise OscError(f"bundle: nested deeper than {MAX_DEPTH}")
            inner_end = position + size
            position, inner = _open_bundle(data, position, inner_end, timetag)
            stack.append((inner_end, inner))
            continue
        if len(messages) == MAX_MESSAGES:
            raise OscError(f"bundle: more than {MAX_MESSAGES} messages")
        message, count = _message(data, position, position + size, timetag)
        messages.append(message)
        values += count
        if values > MAX_VALUES:
            raise OscError(f"bundle: more than {MAX_VALUES} arguments")
        position += size
    return messages


def _open_bundle(data: bytes, start: int, end: int, outer: int) -> tuple[int, int]:
    """Where a bundle's elements start, and its time tag, which is never earlier than that of the enclosing bundle."""
    if end - start < 16:
        raise OscError(f"bundle: the head takes 16 bytes, {end - start} are there at byte {start}")
    (timetag,) = _TIMETAG.unpack_from(data, start + 8)
    return start + 16, max(timetag, outer)


def _message(data: bytes, start: int, end: int, timetag: int) -> tuple[Message, int]:
    """The message, and its number of type tags."""
    raw, position = _string(data, start, end)
    address = _address(raw)
    try:
        arguments, count = _tagged(address, data, position, end)
    except OscError as problem:
        problem.address = address
        raise
    return Message(address, arguments, timetag), count


def _tagged(address: str, data: bytes, position: int, end: int) -> tuple[tuple[Argument, ...], int]:
    """The arguments behind an address, and their number."""
    if not data.startswith(b",", position, end):
        # Some old senders omit the type tags. Without arguments nothing is lost.
        rest = data[position:end]
        return ((Untyped(rest),) if rest else ()), 0
    tags, position = _string(data, position, end)
    if len(tags) > MAX_ARGUMENTS + 1:
        raise OscError(f"{address}: {len(tags) - 1} arguments, the limit is {MAX_ARGUMENTS}")
    if not tags.translate(None, _PLAIN_TAGS)[1:]:
        # Numbers only, as faders send: unpacked in one call.
        numbers = _numbers(tags)
        if end - position != numbers.size:
            raise OscError(
                f"{address}: type tags {tags.decode()} take {numbers.size} bytes, {end - position} are there"
            )
        return numbers.unpack_from(data, position), len(tags) - 1
    arguments, position = _arguments(address, tags, data, position, end)
    if position != end:
        raise OscError(f"{address}: {end - position} bytes beyond the arguments")
    return arguments, len(tags) - 1


@lru_cache(maxsize=512)
def _address(raw: bytes) -> str:
    if not raw.startswith(b"/") or len(raw) > MAX_ADDRESS or raw.translate(None, _ADDRESS_LETTERS):
        raise OscError(f"an address is / and at most {MAX_ADDRESS} printable ASCII letters, got {raw[:40]!r}")
    return raw.decode("ascii")


@lru_cache(maxsize=64)
def _numbers(tags: bytes) -> struct.Struct:
    """The layout of type tags such as `,ff`."""
    return struct.Struct(">" + tags[1:].decode().replace("h", "q"))


def _arguments(address: str, tags: bytes, data: bytes, position: int, end: int) -> tuple[tuple[Argument, ...], int]:
    """The arguments, and the position after them. A stack of open arrays replaces recursion."""
    stack: list[list[Argument]] = [[]]
    for code in tags[1:]:
        tag = chr(code)
        if tag == "[":
            if len(stack) > MAX_DEPTH:
                raise OscError(f"{address}: arrays nested deeper than {MAX_DEPTH}")
            stack.append([])
        elif tag == "]":
            if len(stack) == 1:
                raise OscError(f"{address}: an array is closed but not opened")
            closed = tuple(stack.pop())
            stack[-1].append(closed)
        else:
            value, position = _argument(address, tag, data, position, end)
            stack[-1].append(value)
    if len(stack) != 1:
        raise OscError(f"{address}: {len(stack) - 1} arrays are not closed")
    return tuple(stack[0]), position


def _argument(address: str, tag: str, data: bytes, position: int, end: int) -> tuple[Argument, int]:
    if tag in _BARE:
        return _BARE[tag], position
    if tag in "sS":
        raw, position = _string(data, position, end)
        try:
            return raw.decode("utf-8"), position
        except UnicodeDecodeError:
            # Every byte is a letter in Latin-1, which older programs send.
            latin = raw.decode("latin-1")[:40]
            raise OscError(f"{address}: a string is not UTF-8 (in Latin-1: {latin!r}); send UTF-8") from None
    if tag == "b":
        return _blob(address, data, position, end)
    size = 8 if tag in "hdt" else 4
    if tag not in "ifhdtmrc":
        raise OscError(f"{address}: unknown type tag {tag!r}")
    if end - position < size:
        raise OscError(f"{address}: type {tag} takes {size} bytes, {end - position} are there")
    after = position + size
    if tag in _NUMBERS:
        number: int | float = _NUMBERS[tag].unpack_from(data, position)[0]
        return number, after
    if tag == "t":
        return TimeTag(_TIMETAG.unpack_from(data, position)[0]), after
    if tag == "m":
        return Midi(*data[position:after]), after
    if tag == "r":
        return Colour(*data[position:after]), after
    (letter,) = _SIZE.unpack_from(data, position)
    if not 0 <= letter < 128:
        raise OscError(f"{address}: type c holds ASCII, got {letter}")
    return chr(letter), after


def _string(data: bytes, start: int, end: int) -> tuple[bytes, int]:
    """A NUL-ended string padded to four bytes, and the position after it."""
    stop = data.find(b"\0", start, end)
    if stop < 0:
        raise OscError(f"a string at byte {start} has no end")
    after = stop + 4 - (stop - start) % 4
    if after > end or data.count(b"\0", stop, after) != after - stop:
        raise OscError(f"a string at byte {start} is not padded with NULs to 4 bytes")
    return data[start:stop], after


def _blob(address: str, data: bytes, position: int, end: int) -> tuple[bytes, int]:
    if end - position < 4:
        raise OscError(f"{address}: a blob without its size")
    (size,) = _SIZE.unpack_from(data, position)
    position += 4
    padded = (size + 3) // 4 * 4
    if size < 0 or padded > end - position:
        raise OscError(f"{address}: blob of {size} bytes, {end - position} are there")
    return data[position : position + size], position + padded


_BARE: Final[dict[str, Argument]] = {"T": True, "F": False, "N": None, "I": IMPULSE}
