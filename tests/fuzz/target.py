"""A target: one border of the program, where to start from, and what must hold for any bytes that cross it."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from streamvace.system.errors import UserError

Damage = Callable[[random.Random, bytes, bytes], bytes]
"""(chance, an input, another one) -> a damaged copy."""


@dataclass(frozen=True)
class Target:
    """check: raises anything but what the border promises. rounds: damaged inputs in the tests, a second or so.

    names: of the target, in commands and file names. seeds: good and bad inputs. damages: ways to damage one.
    """

    name: str
    seeds: Callable[[], Iterable[bytes]]
    check: Callable[[bytes], object]
    rounds: int
    damages: tuple[Damage, ...] = field(default_factory=lambda: (damaged,))

    def inputs(self, chance: random.Random) -> Iterable[bytes]:
        """The seeds, then damaged copies of them without end."""
        seeds = list(self.seeds())
        yield from seeds
        while True:
            yield chance.choice(self.damages)(chance, chance.choice(seeds), chance.choice(seeds))


@contextmanager
def refusing() -> Iterator[None]:
    """What a reader promises of bytes that it does not take: UserError in one line. Ends the block."""
    try:
        yield
    except UserError as error:
        if "\n" in str(error):
            raise AssertionError(f"{str(error)!r} is more than one line") from error


TOKENS = (
    b"\0",
    b"\xff\xfe",
    b"\r\n",
    b"../",
    "\u2028".encode(),
    *(struct.pack(">I", number) for number in (0, 1, 4, 2**31 - 4, 2**31, 2**32 - 4, 0x7F800000, 0x7FC00000)),
    *(struct.pack("<Q", number) for number in (1, 2**31, 2**63, 2**64 - 1)),
)


def damaged(chance: random.Random, whole: bytes, other: bytes, tokens: tuple[bytes, ...] = TOKENS) -> bytes:
    """A copy with one to four faults: bytes changed, words replaced, parts lost, doubled, or another input's."""
    data = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        where = chance.randint(0, len(data))
        match chance.randrange(6):
            case 0 if where < len(data):
                data[where] = chance.randrange(256)
            case 1:
                data[where // 4 * 4 : where // 4 * 4 + 4] = chance.choice(tokens)
            case 2:
                data[where:where] = chance.choice(tokens)
            case 3:
                del data[where : where + 4 * chance.randint(0, 8)]
            case 4:
                data[where:] = other[chance.randint(0, len(other)) :]
            case _:
                data += data[where : where + 64]
    return bytes(data)


NASTY: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    10**30,
    1e999,
    -1e999,
    float("nan"),
    1e12,
    0.5,
    "",
    "x" * 5000,
    "../../x",
    "a\u2028b\u0085c\x1b[31m",
    "\ud800",
    [],
    {},
    [[[[]]]],
    [0],
    {"a": 1},
)
"""Values that JSON or Python's reader of it lets through, in the place of any other."""


def damaged_json(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    """A copy with one to three values replaced, lost or doubled. An input that is no JSON is damaged as bytes."""
    try:
        document = json.loads(whole)
    except (ValueError, RecursionError):
        return damaged(chance, whole, other)
    for _ in range(chance.randint(1, 3)):
        places = list(_places(document))
        if not places:
            break
        home, key = chance.choice(places)
        match chance.randrange(4):
            case 0:
                del home[key]
            case 1 if isinstance(home, list):
                home.append(home[key])
            case 1:
                home[f"{key}{chance.choice(('', 'x', ' '))}x"] = home[key]
            case _:
                home[key] = chance.choice(NASTY)
    return json.dumps(document).encode("utf-8", "surrogatepass")


def _places(value: Any) -> Iterable[tuple[Any, Any]]:
    """Every (container, key or index) in a document."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in tuple(pairs):
        yield value, key
        yield from _places(inner)
