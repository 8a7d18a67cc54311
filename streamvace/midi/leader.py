"""Which of several devices that say the same kind of thing is listened to."""

from __future__ import annotations


class Leader:
    """The first device that speaks leads until it falls silent."""

    def __init__(self, silence_s: float) -> None:
        self._silence_s = silence_s
        self._leader: int | None = None
        self._spoke = 0.0

    def leads(self, port: int, when: float, *, speaks: bool = True) -> bool:
        """Whether this device leads now. when: in seconds. speaks: whether this message keeps it the leader."""
        if port != self._leader and when - self._spoke > self._silence_s:
            self._leader = port
        if port == self._leader and speaks:
            self._spoke = when
        return port == self._leader
