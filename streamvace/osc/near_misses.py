"""The address that a sender meant: wrong case, wrong or missing prefix, a slip of the keys. OSC thread only.

Case and prefix are a look-up. Comparing letters takes up to a millisecond, so its number is limited: under a flood of
addresses the hint is missing, and the complaint is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from time import monotonic

from streamvace.system.allowance import Allowance

ROOT = "streamvace"

COMPARISONS = (2, 4.0)
"""Addresses compared letter by letter: at once, and a second."""
MOST_KNOWN = 256
"""Mistaken addresses whose result is kept: those of a controller's layout."""
LONGEST = 80
"""Characters of an address that is compared; the longest of ours has about 40."""
ALIKE = 0.75
"""Least likeness, by difflib: one or two slips in a word, and `/blue` is not `/cue`."""


class NearMisses:
    """Knows all addresses, and remembers the mistaken ones."""

    def __init__(self, addresses: Iterable[str], clock: Callable[[], float] = monotonic) -> None:
        self._by_path = {address.lower().removeprefix(f"/{ROOT}/"): address for address in addresses}
        self._clock = clock
        self._allowance = Allowance(*COMPARISONS)
        self._known: dict[str, str] = {}

    def meant(self, address: str) -> str:
        """The address that was probably meant; empty if there is none, or no time to look for it."""
        if address in self._known:
            return self._known[address]
        path, ours = _inside(address.lower())
        meant = self._by_path.get(path, "")
        if not meant and ours and len(path) <= LONGEST:
            if not self._allowance.take(self._clock()):
                return ""
            close = get_close_matches(path, self._by_path, 1, ALIKE)
            meant = self._by_path[close[0]] if close else ""
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[address] = meant
        return meant


def _inside(address: str) -> tuple[str, bool]:
    """The part of a lower-case address below our root, and whether there is a root much like it."""
    _, found, path = address.rpartition(f"/{ROOT}/")
    if found:
        return path, True
    first, _, rest = address.lstrip("/").partition("/")
    if first.startswith(ROOT[:6]) or first.endswith(ROOT[6:]):
        return rest, True
    return address.lstrip("/"), False
