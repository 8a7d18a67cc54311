"""What the levels of a desk make of the show. Pure: levels come in, messages for the parameters come out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from streamvace.dmx.personality import CUE_NUMBER, ENABLE, HALF, RECALL, Channel, Depth, channels, size

Sent = tuple[str, tuple[object, ...]]
"""An address and its arguments."""

_OFF, _ON = range(HALF), range(HALF, 256)


class Player:
    """One fixture.

    While its enable channel is below HALF, nothing changes. When it comes up, every fader, switch and choice of the
    desk counts at once; from then on those that move. A trigger fires when its channel comes up to HALF, and only
    after it was seen below.
    """

    def __init__(self, depth: Depth) -> None:
        self._channels = channels(depth)
        self._size = size(depth)
        special = {channel.name: channel for channel in self._channels if channel.row is None}
        self._enable, self._cue_number = special[ENABLE], special[CUE_NUMBER]
        self._before: bytes | None = None
        self.enabled = False

    def forget(self) -> None:
        """The levels before count no more: the next ones count at once, if the desk is enabled then."""
        self._before, self.enabled = None, False

    def take(self, levels: bytes, cues: Sequence[str]) -> list[Sent]:
        """New levels, those of the universe from the fixture's first channel on. cues: the names of all cues."""
        levels = levels[: self._size].ljust(self._size, b"\0")
        before, was_enabled = self._before, self.enabled
        if levels == before:
            return []
        self._before, self.enabled = levels, self._enable.level(levels) in _ON
        if not self.enabled:
            return []
        return list(self._sent(levels, before, cues, everything=not was_enabled))

    def _sent(self, levels: bytes, before: bytes | None, cues: Sequence[str], *, everything: bool) -> Iterator[Sent]:
        for channel in self._channels:
            if channel.row is None:
                continue
            level = channel.level(levels)
            last = None if before is None else channel.level(before)
            if channel.presses:
                if last is not None and last in _OFF and level in _ON:
                    yield from self._press(channel, levels, cues)
            elif everything or level != last:
                yield channel.row.address, (channel.value(level),)

    def _press(self, channel: Channel, levels: bytes, cues: Sequence[str]) -> Iterator[Sent]:
        assert channel.row is not None
        if channel.row.address != RECALL:
            yield channel.row.address, (True,)
            return
        number = self._cue_number.level(levels)
        if number:
            # A number without a cue is refused by name, so that the desk's mistake is seen.
            yield RECALL, (cues[number - 1] if number <= len(cues) else f"{number}",)
