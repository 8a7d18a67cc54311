"""Which of several devices leads the MIDI clock, and what its messages do to it."""

from __future__ import annotations

from streamvace.control.midi_clock import LOST_S, MidiClock
from streamvace.midi.messages import Message


class ClockInput:
    """Feeds one clock. Of several devices that tick, the first leads until it falls silent."""

    def __init__(self, clock: MidiClock) -> None:
        self._clock = clock
        self._leader: int | None = None
        self._ticked = 0.0

    def take(self, port: int, when: float, message: Message) -> None:
        """A message of any kind; when: in seconds, on the show's clock."""
        status = message[0]
        if status < 0xF2 or not self._leads(port, when, ticks=status == 0xF8):
            return
        if status == 0xF8:
            self._clock.tick(when)
        elif status == 0xFA:
            self._clock.start()
        elif status == 0xFB:
            self._clock.go_on()
        elif status == 0xFC:
            self._clock.stop()
        elif status == 0xF2:
            self._clock.locate(message[1] | message[2] << 7)

    def _leads(self, port: int, when: float, *, ticks: bool) -> bool:
        if port != self._leader and when - self._ticked > LOST_S:
            self._leader = port
        if port == self._leader and ticks:
            self._ticked = when
        return port == self._leader
