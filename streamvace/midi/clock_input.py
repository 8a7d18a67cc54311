"""What the messages of all devices do to the clock and to the show's time."""

from __future__ import annotations

from streamvace.control.midi_clock import LOST_S, MidiClock
from streamvace.control.show_clocks import Place
from streamvace.midi import timecode
from streamvace.midi.leader import Leader
from streamvace.midi.messages import Message
from streamvace.midi.timecode import Time, Timecode


class ClockInput:
    """Feeds one clock. Of several devices that tick, the first leads until it falls silent."""

    def __init__(self, clock: MidiClock) -> None:
        self._clock = clock
        self._leader = Leader(LOST_S)

    def take(self, port: int, when: float, message: Message) -> None:
        """A message of any kind; when: in seconds, on the show's clock."""
        status = message[0]
        if status < 0xF2 or not self._leader.leads(port, when, speaks=status == 0xF8):
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


class TimecodeInput:
    """The show's time. Of several devices that send timecode, the first leads until it falls silent."""

    def __init__(self) -> None:
        self._codes: dict[int, Timecode] = {}
        self._leader = Leader(timecode.LOST_S)
        self._led: Timecode | None = None

    def take(self, port: int, when: float, message: Message) -> None:
        """A message of any kind; when: in seconds, on the show's clock."""
        if message[0] in (0xF0, 0xF1):
            code = self._codes.setdefault(port, Timecode())
            if code.take(when, message) and self._leader.leads(port, when):
                self._led = code

    def reading(self, now: float) -> Time | None:
        """The time at this moment; None before the first one."""
        return None if self._led is None else self._led.reading(now)

    def place(self, now: float) -> Place | None:
        """Where the cues are that come on timecode. None before the first time, and while it runs backwards."""
        code = self._led
        time = None if code is None or code.runs_back(now) else code.reading(now)
        if code is None or time is None:
            return None
        frames = time.rate.frames
        at = (time.hours * 60 + time.minutes) * 60 + time.seconds + time.frames / frames
        return Place(at, 1.0 if code.moves(now) else 0.0, frames)

    def figures(self, now: float) -> dict[str, float | int | str]:
        """For the status: the time as people write it, empty before the first one, and in seconds."""
        time = self.reading(now)
        return {
            "timecode": "" if time is None else str(time),
            "show_time": 0.0 if time is None else round(time.number * time.rate.seconds, 3),
        }
