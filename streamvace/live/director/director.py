"""Decides what shapes the next chunk, as late as it can.

Threads: everything here runs on the engine thread, but for what says otherwise. The ring and the parameters it reads
are thread-safe and immutable at the point of reading: one snapshot shapes one chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

import osc_schema
from streamvace.control.parameters import Parameters, Snapshot
from streamvace.live.director.anchors import AnchorCue
from streamvace.live.director.chunk_request import shape_chunk
from streamvace.live.director.compositing import Finish, finish
from streamvace.live.director.drift_correction import DriftCorrection
from streamvace.live.director.frame_sampling import BASE_NS, ControlTiming, moved_on, sample
from streamvace.live.director.layout import ROLES, Pictures, lay_out, leading_role
from streamvace.live.director.look_ahead import LookAhead
from streamvace.live.director.prompts import PromptTransition, plain, spoken
from streamvace.live.director.stills import stills
from streamvace.live.inputs.frame_ring import FrameRing, Rings
from streamvace.live.inputs.pictures import Wish
from streamvace.live.worker.pace import Pace
from streamvace.records.backlog import Backlog
from streamvace.records.chunk import Chunk, ChunkInput, PromptMix, Trace
from streamvace.records.frame import Frame
from streamvace.system.clock import now_ns
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats
from streamvace.video.core.resize import fit_cover

Pixels = NDArray[np.uint8]

_FIRST_SPAN_NS = 1_000_000_000
"""What the first chunk looks at: the last second of control, not everything since the source was opened."""

_PAUSED_S = 0.1

_SHAPING = tuple(row.address for row in osc_schema.load() if row.applies == "next_chunk")
"""The parameters whose changes are seen in a chunk, and nowhere sooner."""


class Stock(Protocol):
    """The part of `PictureShelf` that a chunk takes from; it never waits for a disk."""

    @property
    def settled(self) -> bool:
        """Every picture asked for has been read or refused."""

    def take(self, wish: Wish) -> Pixels | None:
        """A picture, if it is there by now."""


class Director:
    """The supervisor's feed: withholds, builds and passes on chunks."""

    def __init__(
        self,
        *,
        size: tuple[int, int],
        blocks: Callable[[], int],
        inputs: Rings,
        parameters: Parameters,
        backlog: Backlog,
        deliver: Callable[[Chunk, Pace], None],
        shelf: Stock,
        look_ahead: LookAhead,
        reporter: Reporter,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """size: (width, height). blocks: context blocks of the pipeline that runs now. deliver: gets what is made."""
        self._size = size
        self._blocks = blocks
        self._inputs = inputs
        self._parameters = parameters
        self._backlog = backlog
        self._deliver = deliver
        self._shelf = shelf
        self._anchors = AnchorCue()
        self._finish = Finish()
        self._re_anchor = DriftCorrection(reporter)
        self._clock = clock
        self._generation: int | None = None
        self._sampled_ns = 0
        self._received_ns = 0
        self._prompts = PromptTransition()
        self._ruling: PromptMix | None = None
        self._step_s = 0.0
        self._look_ahead = look_ahead

    def stats(self) -> Stats:
        """For telemetry, from any thread. mix: the prompts that ruled the newest chunk, in words."""
        mix = self._ruling
        figures: Stats = {
            "mix": "" if mix is None else spoken(mix),
            "lookahead_ms": round(1e3 * self._look_ahead.seconds, 3),
        }
        return figures | self._re_anchor.stats()

    def wait_s(self, pace: Pace) -> float:
        """How long to withhold the next chunk. A reset waits for nothing; a pause waits until it ends."""
        snapshot = self._parameters.snapshot()
        self._step_s = pace.step_s
        if snapshot.flag("/streamvace/pause"):
            self._sampled_ns = 0
            self._look_ahead.interrupted()
            self._parameters.advance()  # a cue may be on its way that ends the pause
            return _PAUSED_S
        if self._generation is not None and snapshot.generation != self._generation:
            return 0.0
        return pace.wait_s(self._backlog.seconds, 1.0 / self._backlog.rate)

    def build(self, frames: int, first_frames: int) -> ChunkInput:
        """The next chunk's input, from one snapshot and the newest control frames."""
        now_ns = self._clock()
        self._look_ahead.chunk_starts(now_ns, self._step_s, self._backlog.seconds)
        snapshot = self._parameters.advance()
        reset = self._generation is not None and snapshot.generation != self._generation
        self._generation = snapshot.generation
        rings = {role: self._inputs.ring(role) for role in ROLES}  # once: a switch must not fall into a chunk
        lead = rings.get(leading_role(snapshot))
        timing = ControlTiming(snapshot.text("/streamvace/control_timing"))
        taken = self._sample(lead, first_frames if reset else frames, timing)
        layout = lay_out(snapshot, self._pictures(rings, lead, taken, timing))
        self._finish = Finish.of(snapshot, layout)
        anchored = self._anchors.due(snapshot, starts=reset or frames == first_frames, loaded=self._shelf.settled)
        inputs = shape_chunk(
            snapshot,
            layout,
            self._blocks(),
            stills=stills(snapshot, self._shelf.take, anchored=anchored),
            reset=reset,
            captured_ns=taken[-1].captured_ns if taken else 0,
        )
        inputs = self._re_anchor.apply(inputs, snapshot)
        return replace(
            inputs,
            prompt=plain(self._prompts.next(snapshot, now_ns, cut=reset)),
            trace=self._trace(snapshot, taken),
        )

    def accept(self, chunk: Chunk, pace: Pace) -> None:
        """Finish the chunk that was built last, the only one under way, and pass it on."""
        self._re_anchor.see(chunk)
        # Not always the prompt asked for: while a new one is being encoded, the old one rules on.
        self._ruling = self._prompts.shown if chunk.prompt is None else PromptMix.of(chunk.prompt)
        self._deliver(finish(chunk, self._finish), pace)

    def _sample(self, lead: FrameRing | None, count: int, timing: ControlTiming) -> list[Frame]:
        """`count` frames of the leading input, newest last; none without one or before its first picture."""
        since_ns = self._sampled_ns or self._clock() - _FIRST_SPAN_NS
        taken = sample(lead, count, since_ns, timing) if lead else []
        self._sampled_ns = taken[-1].captured_ns if taken else 0
        return taken

    def _trace(self, snapshot: Snapshot, taken: Sequence[Frame]) -> Trace:
        """What the stage knows of the chunk's times."""
        newest = max(snapshot.changed_ns.get(address, 0) for address in _SHAPING)
        received_ns = newest if 0 < self._received_ns < newest else 0
        self._received_ns = newest
        return Trace(tuple(frame.captured_ns for frame in taken), received_ns, self._clock())

    def _pictures(
        self,
        rings: Mapping[str, FrameRing],
        lead: FrameRing | None,
        taken: Sequence[Frame],
        timing: ControlTiming,
    ) -> Pictures:
        """What every role showed when these frames were captured. An input that plays several roles is fitted once."""
        fitted: dict[FrameRing, Pixels] = {}
        moments = [frame.captured_ns for frame in taken]
        for ring in set(rings.values()) if taken else ():
            frames = taken if ring is lead else ring.nearest(moments)
            if frames:
                fitted[ring] = (
                    self._moved_on(ring, frames) if timing is ControlTiming.AHEAD else _fit(frames, self._size)
                )
        return Pictures(**{role: fitted.get(ring) for role, ring in rings.items()})

    def _moved_on(self, ring: FrameRing, frames: Sequence[Frame]) -> Pixels:
        """The newest frame, moved on to where things will be when each picture of the chunk is shown."""
        newest = frames[-1]
        (before,) = ring.nearest([newest.captured_ns - BASE_NS])
        period_s = 1 / self._backlog.play_rate
        older, newer = (fit_cover(frame.pixels, self._size) for frame in (before, newest))
        base_s = (newest.captured_ns - before.captured_ns) / 1e9
        return moved_on(older, newer, base_s, [index * period_s for index in range(len(frames))])


def _fit(frames: Sequence[Frame], size: tuple[int, int]) -> Pixels:
    """uint8 `[F, H, W, 4]` of the show's size. A frame held for several places is scaled once."""
    fitted: dict[int, Pixels] = {}
    for frame in frames:
        if id(frame) not in fitted:
            fitted[id(frame)] = fit_cover(frame.pixels, size)
    return np.stack([fitted[id(frame)] for frame in frames])
