"""OSC address patterns, matched in time that grows with the pattern and not with its cunning.

No backtracking and no regular expressions: the set of places where a match may stand is the bits of one integer, and
every part of the pattern moves all of them at once. Thirty stars cost thirty steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_SPECIAL = frozenset("?*[]{}")


@dataclass(frozen=True)
class _Star:
    """Any number of letters."""


@dataclass(frozen=True)
class _OneOf:
    """One letter: in `letters`, or not in them."""

    letters: frozenset[str]
    negated: bool = False

    def __contains__(self, letter: str) -> bool:
        return (letter in self.letters) != self.negated


@dataclass(frozen=True)
class _Words:
    """One of several words; a plain letter is the single word."""

    words: tuple[str, ...]


_Part = _Star | _OneOf | _Words


@dataclass(frozen=True)
class _Segment:
    """One name between slashes, and the letters it takes at least: most names are too short to be walked at all."""

    parts: tuple[_Part, ...]
    least: int


_Pattern = tuple[_Segment, ...] | None
"""None matches nothing: its brackets are not balanced."""


def is_pattern(address: str) -> bool:
    """Whether an address has any of the letters that make it a pattern."""
    return not _SPECIAL.isdisjoint(address)


def matching(pattern: str, addresses: Iterable[str]) -> tuple[str, ...]:
    """The addresses that the pattern names, in their order. A malformed pattern names none.

    `*` and `?` do not reach across a slash, as OSC 1.0 has it.
    """
    segments = _parse(pattern)
    return () if segments is None else tuple(address for address in addresses if _matches(segments, address))


def _matches(segments: tuple[_Segment, ...], address: str) -> bool:
    names = address.split("/")
    return len(names) == len(segments) and all(map(_segment_matches, segments, names))


def _segment_matches(segment: _Segment, name: str) -> bool:
    """Walk the parts of a segment; bit n of `places` says that the parts so far match name[:n]."""
    if segment.least > len(name):
        return False
    everywhere = (1 << (len(name) + 1)) - 1
    places = 1
    for part in segment.parts:
        if isinstance(part, _Star):
            lowest = places & -places
            places = everywhere & ~(lowest - 1)
        elif isinstance(part, _OneOf):
            fitting = sum(1 << index for index, letter in enumerate(name) if letter in part)
            places = (places & fitting) << 1
        else:
            places = _after_words(part.words, name, places)
        if not places:
            return False
    return bool(places >> len(name) & 1)


def _after_words(words: tuple[str, ...], name: str, places: int) -> int:
    after = 0
    for word in words:
        for index in range(len(name) - len(word) + 1):
            if places >> index & 1 and name.startswith(word, index):
                after |= 1 << (index + len(word))
    return after


@lru_cache(maxsize=64)
def _parse(pattern: str) -> _Pattern:
    segments = []
    for text in pattern.split("/"):
        parts = _parse_segment(text)
        if parts is None:
            return None
        segments.append(_Segment(parts, sum(map(_least, parts))))
    return tuple(segments)


def _least(part: _Part) -> int:
    if isinstance(part, _Words):
        return min(map(len, part.words))
    return 0 if isinstance(part, _Star) else 1


def _parse_segment(text: str) -> tuple[_Part, ...] | None:
    parts: list[_Part] = []
    position = 0
    while position < len(text):
        letter = text[position]
        if letter in "]}":
            return None
        if letter in "[{":
            end = text.find("]" if letter == "[" else "}", position + 1)
            if end < 0:
                return None
            inside = text[position + 1 : end]
            parts.append(_one_of(inside) if letter == "[" else _Words(tuple(dict.fromkeys(inside.split(",")))))
            position = end + 1
            continue
        if letter == "*":
            if not parts or not isinstance(parts[-1], _Star):
                parts.append(_Star())
        elif letter == "?":
            parts.append(_OneOf(frozenset(), negated=True))
        else:
            parts.append(_Words((letter,)))
        position += 1
    return tuple(parts)


def _one_of(inside: str) -> _OneOf:
    """`abc`, `a-z`, and `!` first for everything else. A `-` at the end, or without two ends, is itself."""
    negated = inside.startswith("!")
    text = inside[1:] if negated else inside
    letters: set[str] = set()
    position = 0
    while position < len(text):
        if position + 2 < len(text) and text[position + 1] == "-":
            letters.update(chr(code) for code in range(ord(text[position]), ord(text[position + 2]) + 1))
            position += 3
        else:
            letters.add(text[position])
            position += 1
    return _OneOf(frozenset(letters), negated)
