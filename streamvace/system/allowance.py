"""A budget that refills with time (a token bucket): the measure behind every limit on floods."""

from __future__ import annotations


class Allowance:
    """At most `most` at once, and `per_second` over time. Has no clock: the caller passes seconds, never backwards."""

    def __init__(self, most: float, per_second: float) -> None:
        self._most = most
        self._per_second = per_second
        self._left = most
        self._seen: float | None = None

    def left(self, now: float) -> float:
        """What may be taken at this moment."""
        if self._seen is not None:
            self._left = min(self._most, self._left + (now - self._seen) * self._per_second)
        self._seen = now
        return self._left

    def full(self, now: float) -> bool:
        """Whether nothing has been taken for so long that it is like new."""
        return self.left(now) >= self._most

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Take this much; False, and nothing is taken, if less is left."""
        if self.left(now) < amount:
            return False
        self._left -= amount
        return True


class Allowances:
    """One allowance for each name, in a bounded table; names beyond it share one."""

    def __init__(self, most: float, per_second: float, most_names: int) -> None:
        self._each = (most, per_second)
        self._most_names = most_names
        self._by_name: dict[str, Allowance] = {}
        self._shared = Allowance(*self._each)

    def of(self, name: str, now: float) -> Allowance:
        """The allowance of this name. One that is full again is like a new one, so it may leave the table."""
        found = self._by_name.get(name)
        if found is not None:
            return found
        if len(self._by_name) >= self._most_names:
            self._by_name = {known: each for known, each in self._by_name.items() if not each.full(now)}
        if len(self._by_name) >= self._most_names:
            return self._shared
        return self._by_name.setdefault(name, Allowance(*self._each))
