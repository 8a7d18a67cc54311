"""What every source of a beat says: a beat that runs on from a moment."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class BeatLine:
    """at: the moment, in seconds on the show's clock. beat: beats since the source's beat 0, at this moment. tempo:
    beats a minute. running: whether the beat counts."""

    at: float
    beat: float
    tempo: float
    running: bool = True

    def beat_at(self, now: float) -> float:
        """The beat at another moment, in seconds."""
        return self.beat + (now - self.at) * self.tempo / 60 * self.running

    def moved(self, now: float, beats: float) -> BeatLine:
        """The same from now on, so many beats further."""
        return replace(self, at=now, beat=self.beat_at(now) + beats)

    def scaled(self, now: float, factor: float, tempo: float) -> BeatLine:
        """From now on with the beats counted by this factor, and with another tempo."""
        return replace(self, at=now, beat=self.beat_at(now) * factor, tempo=tempo)
