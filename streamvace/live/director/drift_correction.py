"""Holding a long stream to its own best look: the next chunk is anchored on a picture that the stream made itself.

Belongs to the director. By hand with `/streamvace/re_anchor`, by itself with `/streamvace/re_anchor_auto`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import osc_schema
from streamvace.control.parameters import Snapshot
from streamvace.records.chunk import MAX_REFERENCES, Chunk, ChunkInput, Pixels
from streamvace.telemetry.drift_watch import DriftWatch
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats

NOW, AUTO, HOW = "/streamvace/re_anchor", "/streamvace/re_anchor_auto", "/streamvace/re_anchor_as"

_NO_LOOK = ("anchors", "output", "status")
"""Groups of parameters that change nothing of how the model paints."""

LOOK = tuple(
    row.address
    for row in osc_schema.load()
    if row.applies == "next_chunk" and row.type != "trigger" and row.group not in _NO_LOOK
)
"""Parameters that are meant to change the look: a change of one begins a new scene. All that shape a chunk: to take a
performer's change for drift, and jump back from it, is worse than to let a drift go on."""


class DriftCorrection:
    """Watches every chunk and says which ones are anchored, and on what."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._watch = DriftWatch()
        self._fired = 0
        self._count = 0
        self._given: ChunkInput | None = None
        self._scene: tuple[object, ...] = ()

    def apply(self, inputs: ChunkInput, snapshot: Snapshot) -> ChunkInput:
        """The next chunk's input, anchored when it is time."""
        self._scene = (snapshot.generation, *(snapshot[address] for address in LOOK))
        asked = snapshot.fired[NOW] != self._fired
        self._fired = snapshot.fired[NOW]
        drifted = snapshot.flag(AUTO) and self._watch.drifted
        if inputs.reset:
            self._watch = DriftWatch()
        elif asked or drifted:
            inputs = self._anchored(inputs, snapshot.text(HOW), by_hand=asked)
        self._given = inputs
        return inputs

    def see(self, chunk: Chunk) -> None:
        """The chunk of the newest input, as the model made it."""
        given = self._given
        shown = None if given is None else given.control if given.control is not None else given.source
        self._watch.see(chunk.frames[-1], self._scene, None if shown is None else shown[-1])

    def stats(self) -> Stats:
        """For telemetry, from any thread. drift: 1 at the edge of the band."""
        return {"drift": round(self._watch.departure.share, 3), "re_anchors": self._count}

    def _anchored(self, inputs: ChunkInput, how: str, *, by_hand: bool) -> ChunkInput:
        best, what = self._watch.best, self._watch.departure.what
        if best is None:
            self._reporter.report("re-anchor", "there is no picture yet to anchor on")
            return inputs
        self._count += 1
        self._watch.rest()
        if not by_hand:
            after = "" if self._watch.try_again() else "; it came back too often, so this is the look from now on"
            self._reporter.report("re-anchor", f"the picture drifted ({what}), anchored on its best recent one{after}")
        if how == "reference":
            return replace(inputs, references=_one_more(inputs.references, best))
        # What the performer chose as the first frame goes before.
        return inputs if inputs.first_frame is not None else replace(inputs, first_frame=best)


def _one_more(references: Pixels | None, picture: Pixels) -> Pixels:
    """The references and this one; it takes the last one's place where all are taken."""
    held = picture[None][:0] if references is None else references
    return np.concatenate((held[: MAX_REFERENCES - 1], picture[None]))
