"""When the next output tick is due. Deadlines are absolute, so errors do not add up. Pure; owned by one thread."""

from __future__ import annotations

_SECOND_NS = 1_000_000_000


class TickClock:
    """Tick `k` is due at `start + k / rate`. A tick that fires periods late skips the deadlines it missed."""

    def __init__(self, rate: float, start_ns: int) -> None:
        if not rate > 0:
            raise ValueError(f"the output rate must be above 0, not {rate}")
        self._rate = rate
        self._start_ns = start_ns
        self._next = 0

    @property
    def rate(self) -> float:
        """Ticks a second."""
        return self._rate

    def set_rate(self, rate: float) -> None:
        """Change the rate. The next tick is due one new period after the last fired one."""
        if not rate > 0:
            raise ValueError(f"the output rate must be above 0, not {rate}")
        self._start_ns, self._next, self._rate = self.fired_ns, 1, rate

    @property
    def deadline_ns(self) -> int:
        """When the next tick is due."""
        return self._at(self._next)

    @property
    def fired_ns(self) -> int:
        """When the last fired tick was due."""
        return self._at(self._next - 1)

    def fire(self, now_ns: int) -> int:
        """Fire the due tick; returns how many earlier ones were missed."""
        late_ns = max(0, now_ns - self.deadline_ns)
        missed = int(late_ns * self._rate / _SECOND_NS)
        self._next += missed + 1
        return missed

    def _at(self, tick: int) -> int:
        return self._start_ns + round(tick * _SECOND_NS / self._rate)
