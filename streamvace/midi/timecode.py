"""MIDI timecode: the time of a show from quarter frames and full frames. Pure; `when` and `now` are in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from streamvace.midi.messages import Message

LOST_S: Final = 0.25
"""Timecode that has sent nothing for so long stands still."""

_PIECES: Final = 8
"""Quarter frames of a whole time; they take two frames."""
_FULL: Final = (0x7F, 0x01, 0x01)
"""What system exclusive begins with that holds a whole time, without the device, which stands second."""


@dataclass(frozen=True)
class Rate:
    """frames: that a second of the count has. seconds: of one frame. drop: frame numbers left out each minute but every
    tenth. mark: between seconds and frames, as people write it."""

    frames: int
    seconds: float
    drop: int = 0
    mark: str = ":"


RATES: Final = (Rate(24, 1 / 24), Rate(25, 1 / 25), Rate(30, 1001 / 30_000, 2, ";"), Rate(30, 1 / 30))
"""By the two bits that name them: 24, 25, 29.97 with dropped numbers, 30 frames a second."""


@dataclass(frozen=True)
class Time:
    """A time of the count: hours 0..23, minutes and seconds 0..59, frames 0 to one less than the rate's."""

    hours: int
    minutes: int
    seconds: int
    frames: int
    rate: Rate

    def __str__(self) -> str:
        return f"{self.hours:02}:{self.minutes:02}:{self.seconds:02}{self.rate.mark}{self.frames:02}"

    @property
    def number(self) -> int:
        """Frames since 00:00:00:00."""
        minutes = 60 * self.hours + self.minutes
        dropped = self.rate.drop * (minutes - minutes // 10)
        return (60 * minutes + self.seconds) * self.rate.frames + self.frames - dropped


def time_of(number: int, rate: Rate) -> Time:
    """The time of a frame, counted from 00:00:00:00; a day begins anew."""
    in_ten = 600 * rate.frames - 9 * rate.drop
    tens, rest = divmod(number % (144 * in_ten), in_ten)
    in_one = 60 * rate.frames - rate.drop
    ones = max(0, (rest - rate.drop) // in_one)
    named = tens * in_ten + rest + rate.drop * (9 * tens + ones)
    seconds, frames = divmod(named, rate.frames)
    return Time(seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, frames, rate)


class Timecode:
    """The timecode of one device."""

    def __init__(self) -> None:
        self._pieces: dict[int, int] = {}
        self._last_piece: int | None = None
        self._direction = 1
        self._number: int | None = None
        self._rate = RATES[0]
        self._at = 0.0
        self._moves = False

    def take(self, when: float, message: Message) -> bool:
        """A message of any kind; whether it was timecode."""
        if message[0] == 0xF1:
            self._quarter(when, message[1] >> 4, message[1] & 15)
            return True
        if message[0] == 0xF0 and len(message) == 9 and (message[1], *message[3:5]) == _FULL:
            self._pieces.clear()
            self._last_piece, self._moves = None, False
            self._set(when, message[5], message[6], message[7], message[8])
            return True
        return False

    def moves(self, now: float) -> bool:
        """Whether it runs, forwards or backwards."""
        return self._moves and now - self._at <= LOST_S

    def runs_back(self, now: float) -> bool:
        """Whether it runs backwards."""
        return self._direction < 0 and self.moves(now)

    def reading(self, now: float) -> Time | None:
        """The time at this moment; None before the first one. It runs on between the messages."""
        if self._number is None:
            return None
        since = now - self._at if self.moves(now) else 0.0
        return time_of(self._number + self._direction * int(since / self._rate.seconds), self._rate)

    def seconds(self, now: float) -> float:
        """The same in seconds since 00:00:00:00; 0 before the first time."""
        time = self.reading(now)
        return 0.0 if time is None else time.number * time.rate.seconds

    def _quarter(self, when: float, piece: int, nibble: int) -> None:
        if piece >= _PIECES:
            return
        step = 0 if self._last_piece is None else (piece - self._last_piece) % _PIECES
        direction = {1: 1, _PIECES - 1: -1}.get(step, 0)
        if direction != self._direction:  # one was lost, the tape jumped, or it runs the other way now
            self._pieces.clear()
            self._direction = direction or 1
        self._last_piece = piece
        self._pieces[piece] = nibble
        last = _PIECES - 1 if self._direction > 0 else 0
        if piece != last:
            return
        if len(self._pieces) == _PIECES:
            frames, seconds, minutes, hours = (self._pieces[i] | self._pieces[i + 1] << 4 for i in range(0, _PIECES, 2))
            # The time is that of its first piece: forwards, two frames ago. Backwards it ends where it began.
            self._set(when, hours, minutes, seconds, frames, late=2 if self._direction > 0 else 0)
            self._moves = True
        self._pieces.clear()

    def _set(self, when: float, hours: int, minutes: int, seconds: int, frames: int, late: int = 0) -> None:
        rate = RATES[hours >> 5 & 3]
        time = Time(hours & 31, minutes & 63, seconds & 63, frames & 31, rate)
        if time.hours < 24 and time.minutes < 60 and time.seconds < 60 and time.frames < rate.frames:
            self._number, self._rate, self._at = time.number + late, rate, when
