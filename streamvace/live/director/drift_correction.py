"""Drift correction: anchors the next chunk on a picture of the stream's own best look.

Triggered by `/streamvace/re_anchor`, or automatically with `/streamvace/re_anchor_auto`. Owned by the director.
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
"""Groups of parameters that do not change the look."""

LOOK = tuple(
    row.address
    for row in osc_schema.load()
    if row.applies == "next_chunk" and row.type != "trigger" and row.group not in _NO_LOOK
)
"""Parameters whose change begins a new scene: all that shape a chunk. Reverting a change that the performer made is
worse than missing a drift."""


class DriftCorrection:
    """Watches every chunk, and anchors the next one if the stream drifted or the performer asked for it."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._watch = DriftWatch()
        self._fired = 0
        self._count = 0
        self._given: ChunkInput | None = None
        self._scene: tuple[object, ...] = ()

    def apply(self, inputs: ChunkInput, snapshot: Snapshot) -> ChunkInput:
        """The next chunk's input, anchored if it is time."""
        self._scene = (snapshot.generation, *(snapshot[address] for address in LOOK))
        asked = snapshot.fired[NOW] != self._fired
        self._fired = snapshot.fired[NOW]
        drifted = snapshot.flag(AUTO) and self._watch.drifted
        if inputs.begins:
            self._watch = DriftWatch()
        elif asked or drifted:
            inputs = self._anchored(inputs, snapshot.text(HOW), by_hand=asked)
        self._given = inputs
        return inputs

    def see(self, chunk: Chunk) -> None:
        """The finished chunk of the newest input, before compositing."""
        given = self._given
        shown = None if given is None else given.control if given.control is not None else given.source
        self._watch.see(chunk.frames[-1], self._scene, None if shown is None else shown[-1])

    def stats(self) -> Stats:
        """Figures for telemetry, from any thread. drift: 1 at the edge of the band."""
        return {"drift": round(self._watch.departure.share, 3), "re_anchors": self._count}

    def _anchored(self, inputs: ChunkInput, how: str, *, by_hand: bool) -> ChunkInput:
        best, what = self._watch.best, self._watch.departure.what
        if best is None:
            self._reporter.report("re-anchor", "no picture yet to anchor on")
            return inputs
        self._count += 1
        self._watch.rest()
        if not by_hand:
            after = "" if self._watch.try_again() else "; it drifts too often, so the current look is now the reference"
            self._reporter.report("re-anchor", f"the picture drifted ({what}): anchored on the best recent one{after}")
        if how == "reference":
            return replace(inputs, references=_one_more(inputs.references, best))
        # The performer's own first frame takes precedence.
        return inputs if inputs.first_frame is not None else replace(inputs, first_frame=best)


def _one_more(references: Pixels | None, picture: Pixels) -> Pixels:
    """The references with this picture added; it replaces the last one if all places are taken."""
    held = picture[None][:0] if references is None else references
    return np.concatenate((held[: MAX_REFERENCES - 1], picture[None]))
