"""Makes control pictures and masks from the inputs, between their rings and the director.

    ring = stage.ring("control")      # as Inputs.ring: the director does not know that there is a stage

A raw control without a mask, or with the input's own alpha as the mask, passes through at no cost: its ring is the
input's. Otherwise the newest frame becomes a control picture with the mask as its alpha, in a ring of the stage's own;
frames that arrive meanwhile are skipped and counted. A change of kind, or of what makes it, starts a new ring, so that
no chunk mixes two. Until the new kind is ready (its network loads, or its file is missing) the old one stays in use.

Threads: the `signals` thread does all the work; `ring`, `view` and `stats` may be called from any thread and never
wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from streamvace.conditioning.controls.base import Control
from streamvace.conditioning.masks import NO_MASK
from streamvace.conditioning.masks.base import Mask
from streamvace.conditioning.signals import RAW, Signal, SignalChain, SignalSettings
from streamvace.control.parameters import Snapshot
from streamvace.live.inputs.frame_ring import FrameRing, Rings
from streamvace.live.signals.auto_kind import AUTO, WITHOUT_DEPTH, AutoKind, Seen, seen
from streamvace.live.signals.parts import Kinds, Parts
from streamvace.live.signals.settings import judged, signal_settings
from streamvace.records.frame import Frame
from streamvace.system.clock import now_ns
from streamvace.system.console import one_line
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats
from streamvace.video.core.resize import fit_cover

_POLL_S = 0.004
"""A quarter of a 60 Hz frame: the most latency that polling adds, at almost no cost."""

_SMOOTH = 0.1
"""Weight of the newest cost in the moving average."""

MADE = ("control", "mask")
"""The roles that are made for the leading control."""

SECOND = ("second",)
"""The roles that are made for the second control, which has no mask."""

Wish = Callable[[Snapshot, str, int], SignalSettings]
"""From a snapshot, the pipeline and the picture's height to the settings; see `signal_settings`."""


@dataclass(frozen=True)
class SignalView:
    """The newest picture, fitted, with the signal made from it."""

    frame: Frame
    signal: Signal
    settings: SignalSettings


class SignalStage:
    """Rings for the director, made from the rings of the inputs."""

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
        auto: AutoKind | None = None,
        address: Callable[[], str] = lambda: "",
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """pipeline: for the automatic settings. watched: whether somebody looks at `view`, which is then made even if
        the director does not need it; must be cheap. roles: made here, the control's first, the mask's last. wish: the
        settings to use. auto: chooses the kind of `auto`, and sees film that is used raw. address: of the control's
        input."""
        self._inputs = inputs
        self._snapshot = snapshot
        self._kinds = Kinds(controls, masks)
        self._pipeline = pipeline
        self._size = size
        self._reporter = reporter
        self._watched = watched
        self._roles = roles
        self._wish = wish
        self._auto = auto
        self._address = address
        self._judged: Frame | None = None
        self._clock = clock
        self._chain = SignalChain(self._kinds.control, self._kinds.mask)
        self._used = SignalSettings()
        self._generation = 0
        self._done: tuple[Frame, Frame | None, SignalSettings] | None = None
        self._ring: FrameRing | None = None
        self._control: Control | None = None
        """What has made the pictures in the ring."""
        self._view: SignalView | None = None
        self._names: Mapping[str, str] = {"control": RAW, "mask": NO_MASK}
        self._control_ms = self._mask_ms = 0.0
        self._received = self._made = self._faults = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="signals", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and the loading of parts. Idempotent."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._kinds.close()

    def ring(self, role: str) -> FrameRing:
        """The ring of a role: made here, or the input's own."""
        made = self._ring
        return made if made is not None and role in self._roles else self._inputs.ring(role)

    @property
    def view(self) -> SignalView | None:
        """The newest picture and its signal; None before the first, and while nothing is made."""
        return self._view

    def stats(self) -> Stats:
        """The kinds in use, their cost and age, and how many frames were made or skipped."""
        newest = self.ring(self._roles[0]).newest()
        age_ms = 0.0 if newest is None else (self._clock() - newest.captured_ns) / 1e6
        return {
            **self._names,
            "control_kind": self._used.control,
            "control_ms": round(self._control_ms, 3),
            "mask_ms": round(self._mask_ms, 3),
            "control_age_ms": round(age_ms, 3),
            "control_made": self._made,
            "control_skipped": 0 if self._ring is None else max(0, self._received - self._made),
            "control_faults": self._faults,
        }

    def step(self) -> bool:
        """Make the signals of the newest frame. Returns whether there was anything to make. Own thread only."""
        snapshot = self._snapshot()
        wanted = self._resolved(snapshot, self._wish(snapshot, self._pipeline, self._size[1]))
        settings = self._kinds.ready(wanted, snapshot.text("/streamvace/mask/model"), self._meanwhile(snapshot, wanted))
        if snapshot.generation != self._generation:
            self._generation = snapshot.generation
            self._chain.reset()
        if not self._watched() and settings.passes_through:
            self._pass_through(settings)
            self._view = self._done = None
            return False
        frame, mask_frame = self._newest()
        if frame is None or self._is_done(frame, mask_frame, settings):
            return False
        self._done = frame, mask_frame, settings
        fitted = replace(frame, pixels=fit_cover(frame.pixels, self._size))
        self._publish(fitted, self._signal(fitted, mask_frame, settings), settings)
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self.step():
                self._stop.wait(_POLL_S)

    def _resolved(self, snapshot: Snapshot, wanted: SignalSettings) -> SignalSettings:
        """The settings with a kind in place of `auto`."""
        if self._auto is None or not judged(snapshot):
            return wanted
        # The address comes before the pictures: during a switch, none is judged as another input's for good.
        return self._auto.resolve(wanted, self._address(), lambda: self._look(wanted))

    def _meanwhile(self, snapshot: Snapshot, wanted: SignalSettings) -> SignalSettings:
        """What is used until the wanted kind is ready: the settings in use, but no raw film under `auto`."""
        chosen = snapshot.text("/streamvace/control_kind") == AUTO and wanted.control != RAW
        return replace(self._used, control=WITHOUT_DEPTH) if chosen and self._used.control == RAW else self._used

    def _look(self, wanted: SignalSettings) -> Seen | None:
        """The newest picture, once."""
        frame, mask_frame = self._newest()
        if frame is None or frame is self._judged:
            return None
        self._judged = frame
        mask_picture = None if mask_frame is None else fit_cover(mask_frame.pixels, self._size)
        return seen(fit_cover(frame.pixels, self._size), mask_picture, wanted)

    def _newest(self) -> tuple[Frame | None, Frame | None]:
        """The control's newest frame, and the frame of the mask's own input at that time, if it has one."""
        control, mask = self._inputs.ring(self._roles[0]), self._inputs.ring(self._roles[-1])
        self._received = control.counters().received
        frame = control.newest()
        if mask is control:
            return frame, None
        if frame is None:
            return mask.newest(), None
        at_that_time = mask.nearest([frame.captured_ns])
        return frame, at_that_time[0] if at_that_time else None

    def _is_done(self, frame: Frame, mask_frame: Frame | None, settings: SignalSettings) -> bool:
        """Whether the newest signal was made from these."""
        done = self._done
        return done is not None and done[0] is frame and done[1] is mask_frame and done[2] == settings

    def _signal(self, frame: Frame, mask_frame: Frame | None, settings: SignalSettings) -> Signal:
        mask_picture = None if mask_frame is None else fit_cover(mask_frame.pixels, self._size)
        try:
            return self._chain.update(frame.pixels, mask_picture, frame.captured_ns / 1e9, settings)
        except Exception as error:  # noqa: BLE001 - a network may raise anything; counted and reported, the show goes on
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
        ring, control = self._ring, self._kinds.control(settings.control)
        if ring is None or _kinds_of(settings) != _kinds_of(self._used) or control is not self._control:
            ring = FrameRing()
        self._control = control
        ring.push(replace(frame, pixels=signal.joined()))
        self._control_ms = _smoothed(self._control_ms, signal.control_ms)
        self._mask_ms = _smoothed(self._mask_ms, signal.mask_ms)
        self._use(ring, settings)

    def _pass_through(self, settings: SignalSettings) -> None:
        if self._ring is not None or self._used != settings:
            self._done = None
            self._control_ms = self._mask_ms = 0.0
            self._use(None, settings)

    def _use(self, ring: FrameRing | None, settings: SignalSettings) -> None:
        """Give out this ring, which is never empty, and describe what is in it."""
        self._ring, self._used = ring, settings
        control = self._kinds.control(settings.control)
        masks = [(source, self._kinds.mask(source)) for source in settings.sources]
        self._names = {
            "control": settings.control if control is None else f"{settings.control}: {control.backend}",
            "mask": ", ".join(f"{source}: {mask.backend}" for source, mask in masks if mask is not None) or NO_MASK,
        }


def _kinds_of(settings: SignalSettings) -> tuple[str, ...]:
    return settings.control, *settings.sources, settings.combine


def _smoothed(before: float, newest: float) -> float:
    return newest if before == 0 else before + _SMOOTH * (newest - before)
