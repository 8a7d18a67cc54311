"""Frames for the component while TouchDesigner's timeline is paused. Main thread only.

An Execute DAT is called with the timeline. Delayed scripts that refer to TouchDesigner's resources go on in a pause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

from streamvace_td.osc_packet import Arguments
from streamvace_td.td_api import Component, TouchDesigner

BEAT_MS = 100
"""Between two beats: a knob that is turned during a pause acts without a noticeable delay."""
PAUSED_S = 0.5
"""Time without a frame after which the timeline counts as paused. A slow frame takes less."""

_numbers = count(1)


class Heartbeat:
    """A chain of delayed scripts, each of which starts the next. Times are seconds."""

    def __init__(self, owner: Component, td: TouchDesigner, clock: Callable[[], float]) -> None:
        self._owner, self._td, self._clock = owner, td, clock
        self._framed_at = clock()
        self._number = 0
        self._polled: Mapping[str, Arguments] = {}

    def start(self) -> None:
        """Begin a chain. Its number tells it from a chain of an extension that was reloaded."""
        self._number = next(_numbers)
        self._next()

    def stop(self) -> None:
        """End the chain."""
        self._number = 0

    def framed(self, now: float) -> None:
        """A frame came: the timeline plays."""
        self._framed_at, self._polled = now, {}

    def beat(self, number: int) -> bool:
        """A delayed script ran. Whether the timeline is paused, so that this beat is a frame."""
        if number != self._number:
            return False
        self._next()
        return self._clock() - self._framed_at >= PAUSED_S

    def changed(self, held: Mapping[str, Arguments]) -> dict[str, Arguments]:
        """Which of these values changed since the last beat. No callback reports that during a pause."""
        before, self._polled = self._polled, dict(held)
        return {address: value for address, value in held.items() if before.get(address, value) != value}

    def _next(self) -> None:
        script = f"args[0].valid and hasattr(args[0], 'Heartbeat') and args[0].Heartbeat({self._number})"
        self._td.run(script, self._owner, delayMilliSeconds=BEAT_MS, delayRef=self._td.op.TDResources)
