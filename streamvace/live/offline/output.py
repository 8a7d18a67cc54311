"""The finished pictures of a render: the output's effects, one frame after the other."""

from __future__ import annotations

from collections.abc import Iterator

from streamvace.control.parameters import Snapshot
from streamvace.effects.effects import Effects
from streamvace.effects.look import Look
from streamvace.live.offline.film_time import FilmTime
from streamvace.records.chunk import Chunk, Pixels
from streamvace.video.core.resize import with_alpha


class OfflineOutput:
    """Takes the chunks in order."""

    def __init__(self, rate: float, time: FilmTime, upscale: int) -> None:
        """rate: frames a second of the film, for the length of a trail. time: advanced with every picture. upscale:
        factor to the size of the film."""
        self._period_s = 1 / rate
        self._time = time
        self._effects = Effects(upscale)

    def pictures(self, chunk: Chunk, snapshot: Snapshot, control: Pixels | None, history: int = 0) -> Iterator[Pixels]:
        """Each uint8 `[H, W, 4]`; a film without alpha ignores the fourth channel.

        control: uint8 `[F, H, W, 4]` of the chunk's F frames, if there is an input. history: see `Effects`.
        """
        for number, frame in enumerate(chunk.frames):
            picture = with_alpha(frame, None if chunk.alpha is None else chunk.alpha[number])
            now = self._time.of_picture(snapshot)
            yield self._effects(
                picture,
                Look.of(now.number, now.text),
                lambda number=number: None if control is None else control[number],  # type: ignore[misc]
                elapsed_s=self._period_s,
                history=history,
            )
