"""The fuzzer's target on its seeds and some thousand damaged copies of them: quick, repeatable, without the fuzzer."""

from __future__ import annotations

import random
import struct

import pytest

from tests.fuzz.osc_target import check, seeds

ROUNDS = 4000
LONGEST = 1024
"""Bytes of a seed that is damaged: more takes long and finds nothing else."""
TOKENS = (
    b"#bundle\0",
    b"/streamvace/*\0\0\0",
    b",f\0\0",
    b",[i]\0\0\0\0",
    b"\xc0",
    b"\xdb",
    *(struct.pack(">I", number) for number in (0, 1, 4, 2**31 - 4, 2**31, 2**32 - 4, 0x7F800000, 0x7FC00000)),
)


def damaged(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    """A copy with one to four faults: bytes changed, words replaced, parts lost, doubled, or another packet's."""
    data = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        where = chance.randint(0, len(data))
        match chance.randrange(6):
            case 0 if where < len(data):
                data[where] = chance.randrange(256)
            case 1:
                data[where // 4 * 4 : where // 4 * 4 + 4] = chance.choice(TOKENS)
            case 2:
                data[where:where] = chance.choice(TOKENS)
            case 3:
                del data[where : where + 4 * chance.randint(0, 8)]
            case 4:
                data[where:] = other[chance.randint(0, len(other)) :]
            case _:
                data += data[where : where + 64]
    return bytes(data)


@pytest.mark.parametrize("seed", [pytest.param(seed, id=str(number)) for number, seed in enumerate(seeds())])
def test_every_seed_passes(seed: bytes) -> None:
    check(seed)


def test_thousands_of_damaged_packets_pass() -> None:
    chance = random.Random(6)
    short = [seed for seed in seeds() if len(seed) <= LONGEST]
    for _ in range(ROUNDS):
        data = damaged(chance, chance.choice(short), chance.choice(short))
        try:
            check(data)
        except Exception as problem:
            raise AssertionError(f"{data!r} is not survived") from problem
