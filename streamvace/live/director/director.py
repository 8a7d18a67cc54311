"""Decides what shapes the next chunk, as late as possible.

Threads: everything here runs on the engine thread unless stated otherwise. Rings and parameters are thread-safe, and
one immutable snapshot shapes one chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

import osc_schema
from streamvace.control.parameters import Parameters, Snapshot
from streamvace.live.director.anchors import AnchorCue
from streamvace.live.director.chunk_request import shape_chunk
from streamvace.live.director.compositing import Finish, finish
from streamvace.live.director.drift_correction import DriftCorrection
from streamvace.live.director.follow_cuts import FollowCuts
from streamvace.live.director.frame_sampling import BASE_NS, ControlTiming, extrapolate, sample
from streamvace.live.director.layout import ROLES, Pictures, lay_out, leading_role
from streamvace.live.director.look_ahead import LookAhead
from streamvace.live.director.prompts import PromptTransition, plain, spoken
from streamvace.live.director.stills import stills
from streamvace.live.inputs.frame_ring import FrameRing, Rings
from streamvace.live.inputs.pictures import Wish
from streamvace.live.worker.pace import Pace
from streamvace.records.backlog import Backlog
from streamvace.records.chunk import Chunk, ChunkInput, Pixels, PromptMix, Trace
from streamvace.records.frame import Frame
from streamvace.system.clock import now_ns
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats
from streamvace.video.core.resize import fit_cover

_FIRST_SPAN_NS = 1_000_000_000
"""The first chunk samples the last second of control, not everything since the source was opened."""

_PAUSED_S = 0.1
"""How long to withhold the next chunk while the show is paused."""

_SHAPING = tuple(row.address for row in osc_schema.load() if row.applies == "next_chunk")
"""Parameters whose changes first show in a chunk."""


class LoadedPictures(Protocol):
    """Pictures of the media folder that are in memory. Never waits for a disk."""

    @property
    def settled(self) -> bool:
        """Every picture asked for has been read or refused."""

    def take(self, wish: Wish) -> Pixels | None:
        """The fitted picture, or None while it is not loaded."""


class Director:
    """The feed of the worker: withholds and builds chunk inputs, finishes chunks and passes them on."""

    def __init__(
        self,
        *,
        size: tuple[int, int],
        blocks: Callable[[], int],
        inputs: Rings,
        parameters: Parameters,
        backlog: Backlog,
        deliver: Callable[[Chunk, Pace], None],
        pictures: LoadedPictures,
        look_ahead: LookAhead,
        reporter: Reporter,
        modulated: Callable[[Snapshot], Snapshot] = lambda snapshot: snapshot,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """size: (width, height). blocks: number of context blocks of the running pipeline. backlog: counter that the
        presenter writes. deliver: takes finished chunks. modulated: adds what modulators do when the next chunk is
        seen."""
        self._size = size
        self._blocks = blocks
        self._inputs = inputs
        self._parameters = parameters
        self._backlog = backlog
        self._deliver = deliver
        self._loaded = pictures
        self._look_ahead = look_ahead
        self._modulated = modulated
        self._clock = clock
        self._anchors = AnchorCue()
        self._finish = Finish()
        self._reporter = reporter
        self._drift = DriftCorrection(reporter)
        self._generation: int | None = None
        self._sampled_ns = 0
        self._received_ns = 0
        self._prompts = PromptTransition()
        self._cuts = FollowCuts()
        self._shown_mix: PromptMix | None = None
        self._step_s = 0.0

    def stats(self) -> Stats:
        """Figures for telemetry, from any thread. mix: the prompts of the newest chunk as text."""
        mix = self._shown_mix
        figures: Stats = {
            "mix": "" if mix is None else spoken(mix),
            "lookahead_ms": round(1e3 * self._look_ahead.seconds, 3),
        }
        return figures | self._drift.stats()

    def wait_s(self, pace: Pace) -> float:
        """How long to withhold the next chunk. A reset does not wait; a pause waits until it ends."""
        snapshot = self._parameters.snapshot()
        self._step_s = pace.step_s
        if snapshot.flag("/streamvace/pause"):
            self._sampled_ns = 0
            self._look_ahead.interrupted()
            self._prompts.paused(self._clock())
            self._parameters.advance()  # a fade or cue on its way can end the pause
            return _PAUSED_S
        if self._generation is not None and snapshot.generation != self._generation:
            return 0.0
        return pace.wait_s(self._backlog.spare_s, 1.0 / self._backlog.rate)

    def build(self, frames: int, first_frames: int) -> ChunkInput:
        """The next chunk's input, from one snapshot and the newest control frames."""
        now_ns = self._clock()
        self._look_ahead.chunk_starts(now_ns, self._step_s, self._backlog.seconds)
        snapshot = self._modulated(self._parameters.advance())
        reset = self._generation is not None and snapshot.generation != self._generation
        self._generation = snapshot.generation
        if reset:
            self._cuts = FollowCuts()
        rings = {role: self._inputs.ring(role) for role in ROLES}  # once: an input switch must not split a chunk
        lead = rings.get(leading_role(snapshot))
        timing = ControlTiming(snapshot.text("/streamvace/control_timing"))
        since_ns = self._sampled_ns or now_ns - _FIRST_SPAN_NS
        taken = self._sample(lead, first_frames if reset else frames, since_ns, timing)
        cut, taken = self._cut(snapshot, lead, taken, since_ns, first_frames)
        layout = lay_out(snapshot, self._pictures(rings, lead, taken, timing))
        self._finish = Finish.of(snapshot, layout)
        anchored = self._anchors.due(snapshot, starts=reset or frames == first_frames, loaded=self._loaded.settled)
        inputs = shape_chunk(
            snapshot,
            layout,
            self._blocks(),
            stills=stills(snapshot, self._loaded.take, anchored=anchored),
            reset=reset,
            captured_ns=taken[-1].captured_ns if taken else 0,
        )
        inputs = self._drift.apply(replace(inputs, cut="" if reset else cut), snapshot)
        return replace(
            inputs,
            prompt=plain(self._prompts.next(snapshot, now_ns, cut=reset)),
            trace=self._trace(snapshot, taken),
        )

    def accept(self, chunk: Chunk, pace: Pace) -> None:
        """Finish the chunk of the newest input (only one is in flight) and pass it on."""
        self._drift.see(chunk)
        # Not always the prompt asked for: while a new one is being encoded, the old one is used.
        self._shown_mix = self._prompts.shown if chunk.prompt is None else PromptMix.of(chunk.prompt)
        self._deliver(finish(chunk, self._finish), pace)

    def _sample(self, lead: FrameRing | None, count: int, since_ns: int, timing: ControlTiming) -> list[Frame]:
        """`count` frames of the leading input, newest last; empty without one or before its first frame."""
        taken = sample(lead, count, since_ns, timing) if lead else []
        self._sampled_ns = taken[-1].captured_ns if taken else 0
        return taken

    def _cut(
        self, snapshot: Snapshot, lead: FrameRing | None, taken: list[Frame], since_ns: int, first_frames: int
    ) -> tuple[str, list[Frame]]:
        """`ChunkInput.cut` of this chunk, and the frames that it follows then; see `FollowCuts.next`."""
        how = snapshot.text("/streamvace/follow_cuts")
        if how == "off" or lead is None or leading_role(snapshot) == "mask":
            self._cuts = FollowCuts()
            return "", taken
        smooth = snapshot.text("/streamvace/control_timing") == ControlTiming.SMOOTH.value
        return self._cuts.next(how, lead, taken, taken if smooth else lead.sample(len(taken), since_ns), first_frames)

    def _trace(self, snapshot: Snapshot, taken: Sequence[Frame]) -> Trace:
        """The stage's part of the chunk's times."""
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
        """The pictures of every role at the times of the sampled frames. An input with several roles is fitted once."""
        fitted: dict[FrameRing, Pixels] = {}
        moments = [frame.captured_ns for frame in taken]
        for ring in set(rings.values()) if taken else ():
            frames = taken if ring is lead else ring.nearest(moments)
            if frames and timing is ControlTiming.AHEAD:
                fitted[ring] = self._extrapolated(ring, frames[-1], len(frames))
            elif frames:
                fitted[ring] = _fit(frames, self._size)
        return Pictures(**{role: fitted.get(ring) for role, ring in rings.items()})

    def _extrapolated(self, ring: FrameRing, newest: Frame, count: int) -> Pixels:
        """`count` pictures: the newest frame, extrapolated to the time each frame of the chunk is shown."""
        (before,) = ring.nearest([newest.captured_ns - BASE_NS])
        period_s = 1 / self._backlog.play_rate
        older, newer = (fit_cover(frame.pixels, self._size) for frame in (before, newest))
        base_s = (newest.captured_ns - before.captured_ns) / 1e9
        return extrapolate(older, newer, base_s, [index * period_s for index in range(count)])


def _fit(frames: Sequence[Frame], size: tuple[int, int]) -> Pixels:
    """uint8 `[F, H, W, 4]` of size (width, height). A frame that occurs several times is scaled once."""
    fitted: dict[int, Pixels] = {}
    for frame in frames:
        if id(frame) not in fitted:
            fitted[id(frame)] = fit_cover(frame.pixels, size)
    return np.stack([fitted[id(frame)] for frame in frames])
