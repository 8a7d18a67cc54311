"""OSC address patterns, matched against all addresses at once in time linear in the pattern.

There is no backtracking. All addresses are concatenated, each followed by a separator. The positions a match has
reached are the set bits of one integer as long as that text, and each part of the pattern advances all of them with a
few operations on such integers. Two hundred stars cost two hundred steps, whether for one address or a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

_SPECIAL = frozenset("?*[]{}")
_SEPARATOR = "\n"


@lru_cache(maxsize=512)
def is_pattern(address: str) -> bool:
    """Whether an address has any of the special characters of a pattern."""
    return not _SPECIAL.isdisjoint(address)


class Addresses:
    """The addresses that patterns are matched against."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self._addresses = tuple(addresses)
        line = "".join(address + _SEPARATOR for address in self._addresses)
        self._places = {letter: _bits(line, letter) for letter in set(line)}
        """Character -> its positions in the text, as bits."""
        ends = self._places.get(_SEPARATOR, 0)
        self._starts = (ends << 1 | 1) & ((1 << len(line)) - 1)
        self._ends: list[tuple[int, str]] = []
        end = -1
        for address in self._addresses:
            end += len(address) + 1
            self._ends.append((1 << end, address))
        self._all_ends = ends
        # In OSC 1.0, `*`, `?` and classes do not match a slash.
        self._inner = ((1 << len(line)) - 1) & ~ends & ~self._places.get("/", 0)

    def matching(self, pattern: str) -> tuple[str, ...]:
        """The matching addresses, in order. A malformed pattern matches none."""
        places = self._starts
        position = 0
        while position < len(pattern) and places:
            letter = pattern[position]
            position += 1
            if letter == "*":
                places = self._after_star(places)
            elif letter == "?":
                places = (places & self._inner) << 1
            elif letter in "[{":
                end = pattern.find("]" if letter == "[" else "}", position)
                if end < 0:
                    return ()
                inside = pattern[position:end]
                places = self._after_class(inside, places) if letter == "[" else self._after_words(inside, places)
                position = end + 1
            elif letter in "]}":
                return ()
            else:
                places = (places & self._places.get(letter, 0)) << 1
        found = places & self._all_ends
        return tuple(address for end, address in self._ends if found & end) if found else ()

    def _after_star(self, places: int) -> int:
        """Each position, and all positions after it within the same part of an address.

        Adding a bit to a run of ones carries to the first position behind the run; the changed bits were crossed.
        """
        inner = self._inner
        return places | (((places & inner) + inner) ^ inner)

    def _after_class(self, inside: str, places: int) -> int:
        """`abc`, `a-z`, or the opposite after a `!`. A `-` at the end, or without two ends, is literal."""
        negated = inside.startswith("!")
        text = inside[1:] if negated else inside
        fitting = 0
        position = 0
        while position < len(text):
            if position + 2 < len(text) and text[position + 1] == "-":
                first, last = text[position], text[position + 2]
                for letter, at in self._places.items():
                    if first <= letter <= last:
                        fitting |= at
                position += 3
            else:
                fitting |= self._places.get(text[position], 0)
                position += 1
        return (places & self._inner & (~fitting if negated else fitting)) << 1

    def _after_words(self, inside: str, places: int) -> int:
        after = 0
        for word in dict.fromkeys(inside.split(",")):
            here = places
            for letter in word:
                here = (here & self._places.get(letter, 0)) << 1
                if not here:
                    break
            after |= here
        return after


def _bits(line: str, letter: str) -> int:
    """Bit n is set if line[n] is the letter. The line is ASCII, as OSC addresses are."""
    digits = bytearray(b"0" * 128)
    digits[ord(letter)] = ord("1")
    # The last character is the highest bit, so the line is reversed.
    return int(line[::-1].encode("ascii").translate(bytes(digits) + b"0" * 128), 2)
