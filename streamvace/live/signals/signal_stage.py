"""Makes control pictures and masks of what the inputs show, between their rings and the director.

    ring = stage.ring("control")      # as Inputs.ring: the director does not know that there is a stage

A control that leaves the picture as it is and no mask, or the input's own alpha, pass through untouched and cost
nothing: the ring is the input's. Otherwise the newest frame is taken, made into a control picture with the mask as its
alpha, and put into a ring of the stage's own; frames that came meanwhile are skipped and counted. When the performer
chooses another kind the ring is a new one, so that no chunk mixes two kinds; until the new kind can be had (a network
loads, or its file is missing) the old one goes on.

Threads: one of its own (`signals`) does all the work; `ring`, `view` and `stats` are called from any thread and never
wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from streamvace.conditioning.controls.base import Control
from streamvace.conditioning.masks import NO_MASK
from streamvace.conditioning.masks.base import Mask
from streamvace.conditioning.signals import Signal, SignalChain, SignalSettings
from streamvace.control.parameters import Snapshot
from streamvace.live.inputs.frame_ring import FrameRing, Rings
from streamvace.live.signals.parts import Parts, mask_key
from streamvace.live.signals.settings import signal_settings
from streamvace.records.frame import Frame
from streamvace.system.clock import now_ns
from streamvace.telemetry.reporter import Reporter, one_line
from streamvace.telemetry.telemetry import Stats
from streamvace.video.core.resize import fit_cover

_POLL_S = 0.004
"""A quarter of a 60 Hz frame: adds at most that much latency, costs next to nothing."""

_SMOOTH = 0.1
"""Share of the newest frame's cost in the cost that is shown."""

MADE = ("control", "mask")
"""The roles whose pictures are made for the control that leads."""

SECOND = ("second",)
"""The same for the control that is blended in; it has no mask."""

Wish = Callable[[Snapshot, str, int], SignalSettings]
"""From a snapshot, the pipeline and the picture's height to what is asked for; see `signal_settings`."""


@dataclass(frozen=True)
class SignalView:
    """The newest picture, fitted, with what was made of it, for whoever wants to look."""

    frame: Frame
    signal: Signal
    settings: SignalSettings


class SignalStage:
    """From the inputs' rings to those the director samples."""

    def __init__(
        self,
        *,
        inputs: Rings,
        snapshot: Callable[[], Snapshot],
        controls: Parts[Control],
        masks: Parts[Mask],
        pipeline: str,
        size: tuple[int, int],
        reporter: Reporter,
        watched: Callable[[], bool] = lambda: False,
        roles: tuple[str, ...] = MADE,
        wish: Wish = signal_settings,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """pipeline: what the automatic settings are for. watched: whether somebody looks at `view`, so that it is
        made even where the director needs nothing; cheap. roles: what is made here, the control's first, the mask's
        last. wish: what is asked for."""
        self._inputs = inputs
        self._snapshot = snapshot
        self._controls = controls
        self._masks = masks
        self._pipeline = pipeline
        self._size = size
        self._reporter = reporter
        self._watched = watched
        self._roles = roles
        self._wish = wish
        self._clock = clock
        self._chain = SignalChain(controls.get, self._mask)
        self._detector = ""
        self._wanted: tuple[str, ...] = ()
        self._used = SignalSettings()
        self._generation = 0
        self._done: tuple[Frame, Frame | None, SignalSettings] | None = None
        self._rings: Mapping[str, FrameRing] = MappingProxyType({})
        self._view: SignalView | None = None
        self._figures: Stats = _figures(SignalSettings(), 0.0, 0.0, "", "")
        self._received = self._made = self._faults = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="signals", daemon=True)

    def start(self) -> None:
        """Begin to make signals."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and what it loads. Idempotent."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._controls.close()
        self._masks.close()

    def ring(self, role: str) -> FrameRing:
        """The pictures of a role: made here, or the input's own."""
        return self._rings.get(role) or self._inputs.ring(role)

    @property
    def view(self) -> SignalView | None:
        """The newest picture and what was made of it; None before the first and where nothing is made."""
        return self._view

    def stats(self) -> Stats:
        """What is in use, what it costs, how old it is, and what was skipped."""
        newest = self.ring(self._roles[0]).newest()
        age_ms = 0.0 if newest is None else (self._clock() - newest.captured_ns) / 1e6
        return {
            **self._figures,
            "control_age_ms": round(age_ms, 3),
            "control_made": self._made,
            "control_skipped": max(0, self._received - self._made) if self._rings else 0,
            "control_faults": self._faults,
        }

    def step(self) -> bool:
        """Make the signals of the newest frame, if there is anything to make; whether there was. Own thread only."""
        snapshot = self._snapshot()
        self._detector = snapshot.text("/streamvace/mask/model")
        settings = self._at_hand(self._wish(snapshot, self._pipeline, self._size[1]))
        if snapshot.generation != self._generation:
            self._generation = snapshot.generation
            self._chain.reset()
        if not self._watched() and settings.passes_through:
            self._pass_through(settings)
            self._view = None
            return False
        frame, mask_frame = self._newest()
        if frame is None or self._is_done(frame, mask_frame, settings):
            return False
        fitted = replace(frame, pixels=fit_cover(frame.pixels, self._size))
        self._publish(fitted, self._signal(fitted, mask_frame, settings), settings)
        return True

    def _is_done(self, frame: Frame, mask_frame: Frame | None, settings: SignalSettings) -> bool:
        """Whether these were made into signals already; from now on they were."""
        done, self._done = self._done, (frame, mask_frame, settings)
        return done is not None and done[0] is frame and done[1] is mask_frame and done[2] == settings

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self.step():
                self._stop.wait(_POLL_S)

    def _at_hand(self, settings: SignalSettings) -> SignalSettings:
        """The settings with the kinds that can be had now: what can't yet stays what it was."""
        wanted = (settings.control, settings.mask, settings.second_mask, self._detector)
        if wanted != self._wanted:
            self._wanted = wanted
            self._controls.retry()
            self._masks.retry()
        used = self._used
        if self._controls.get(settings.control) is None:
            settings = replace(settings, control=used.control)
        if settings.mask != NO_MASK and self._mask(settings.mask) is None:
            settings = replace(settings, mask=used.mask)
        if settings.second_mask != NO_MASK and self._mask(settings.second_mask) is None:
            settings = replace(settings, second_mask=used.second_mask)
        return settings

    def _mask(self, source: str) -> Mask | None:
        return self._masks.get(mask_key(source, self._detector))

    def _newest(self) -> tuple[Frame | None, Frame | None]:
        """The newest frame of what steers, and that of the mask's own input at that time, if it has one."""
        control, mask = self._inputs.ring(self._roles[0]), self._inputs.ring(self._roles[-1])
        self._received = control.counters().received
        frame = control.newest()
        if mask is control:
            return frame, None
        if frame is None:
            return mask.newest(), None
        at_that_time = mask.nearest([frame.captured_ns])
        return frame, at_that_time[0] if at_that_time else None

    def _signal(self, frame: Frame, mask_frame: Frame | None, settings: SignalSettings) -> Signal:
        mask_picture = None if mask_frame is None else fit_cover(mask_frame.pixels, self._size)
        try:
            return self._chain.update(frame.pixels, mask_picture, frame.captured_ns / 1e9, settings)
        except Exception as error:  # noqa: BLE001 - a network may raise anything; counted and reported, the picture goes on
            self._faults += 1
            self._reporter.report(f"control {settings.control}, mask {settings.mask}", one_line(error))
            self._chain.reset()
            return Signal(np.ascontiguousarray(frame.pixels[..., :3]), None, 0.0, 0.0, False)

    def _publish(self, frame: Frame, signal: Signal, settings: SignalSettings) -> None:
        self._made += 1
        self._view = SignalView(frame, signal, settings)
        if settings.passes_through:
            self._pass_through(settings)
            return
        made = replace(frame, pixels=signal.joined())
        kinds = (settings.control, *settings.sources, settings.combine)
        ring = self._rings.get(self._roles[0])
        if ring is None or kinds != (self._used.control, *self._used.sources, self._used.combine):
            ring = FrameRing()
        ring.push(made)
        # Only now: whoever samples a new ring finds a picture in it.
        self._rings = MappingProxyType(dict.fromkeys(self._roles, ring))
        self._used = settings
        self._figures = _figures(
            settings,
            _smoothed(self._figures, "control_ms", signal.control_ms),
            _smoothed(self._figures, "mask_ms", signal.mask_ms),
            self._backend(settings.control),
            ", ".join(f"{source}: {self._mask_backend(source)}" for source in settings.sources),
        )

    def _pass_through(self, settings: SignalSettings) -> None:
        if self._rings or self._used != settings:
            self._rings = MappingProxyType({})
            self._used = settings
            self._figures = _figures(settings, 0.0, 0.0, "the input", "alpha: the input" if settings.sources else "")
            self._done = None

    def _backend(self, kind: str) -> str:
        control = self._controls.get(kind)
        return "" if control is None else control.backend

    def _mask_backend(self, source: str) -> str:
        mask = self._mask(source)
        return "" if mask is None else mask.backend


def _figures(settings: SignalSettings, control_ms: float, mask_ms: float, backend: str, masks: str) -> Stats:
    return {
        "control": f"{settings.control}: {backend}" if backend else settings.control,
        "mask": masks or NO_MASK,
        "control_ms": round(control_ms, 3),
        "mask_ms": round(mask_ms, 3),
    }


def _smoothed(figures: Stats, name: str, newest: float) -> float:
    before = figures[name]
    return newest if not isinstance(before, float) or before == 0 else before + _SMOOTH * (newest - before)
