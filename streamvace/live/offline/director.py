"""Builds and finishes the chunks of a render, as `live/director` does for a show."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streamvace.control.parameters import Snapshot
from streamvace.live.director.chunk_request import shape_chunk
from streamvace.live.director.compositing import Finish, finish
from streamvace.live.director.drift_correction import DriftCorrection
from streamvace.live.director.layout import Pictures, lay_out
from streamvace.live.director.stills import fit_still, stills
from streamvace.live.inputs.pictures import Wish, load_picture
from streamvace.live.offline.signals import OfflineSignals
from streamvace.live.options import context_blocks
from streamvace.live.worker.worker import ChunkMaker
from streamvace.records.chunk import Chunk, ChunkInput, Pixels
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter

MakeGenerator = Callable[[str, str], ChunkMaker]
"""Loads the generator of a pipeline at a latency."""


class OfflineDirector:
    """Owns the generator. One chunk at a time: `build`, then `step`."""

    def __init__(
        self,
        pipeline: str,
        latency: str,
        make: MakeGenerator,
        signals: OfflineSignals,
        still: Callable[[Wish], Pixels | None],
    ) -> None:
        """still: a picture of the media folder, fitted, or None if it is missing."""
        self.notes: set[str] = set()
        """For the user: remarks of the model, and what could not be done."""
        self._make = make
        self._signals = signals
        self._still = still
        self._drift = DriftCorrection(Reporter())
        self._finish = Finish()
        self.load(pipeline, latency)

    def load(self, pipeline: str, latency: str) -> None:
        """Replace the generator by that of another pipeline or latency."""
        self.generator = self._make(pipeline, latency)
        self._blocks = context_blocks(pipeline)
        self._signals.runs(pipeline)

    def build(
        self,
        snapshot: Snapshot,
        pictures: Pictures,
        moments: Sequence[float],
        *,
        anchored: bool,
        reset: bool = False,
    ) -> ChunkInput:
        """The input of the next chunk. pictures: of the inputs. moments: their times in seconds. anchored: with the
        first and last frame."""
        layout = lay_out(snapshot, self._signals.made_of(pictures, moments, snapshot))
        self.notes |= self._signals.notes
        self._finish = Finish.of(snapshot, layout)
        given = stills(snapshot, self._still, anchored=anchored)
        return self._drift.apply(shape_chunk(snapshot, layout, self._blocks, stills=given, reset=reset), snapshot)

    def step(self, inputs: ChunkInput) -> Chunk:
        """Make the chunk that was built last, finished for the output."""
        chunk = self.generator.step(inputs)
        self._drift.see(chunk)
        self.notes.update(chunk.notes)
        return finish(chunk, self._finish)


def load_still(wish: Wish, media: MediaFolder, size: tuple[int, int]) -> Pixels:
    """A picture of the media folder, fitted to `size` (width, height); see `fit_still`. Raises UserError."""
    return fit_still(load_picture(media.find(wish.name)), wish.use, size)
