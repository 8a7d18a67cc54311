"""The output clock: one picture per tick to every sink, whatever the generator does.

Threads: the `presenter` thread owns the sinks and the slate. The engine thread calls `offer`. They share only the
playhead, behind a lock that is never held while a sink works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass

from streamvace.effects.between import HOLD, Between
from streamvace.effects.crossing import Crossing
from streamvace.effects.effects import Effects
from streamvace.effects.look import NEUTRAL, Look
from streamvace.live.output.freeze_fade import FreezeFade
from streamvace.live.output.playhead import ContentFrame, HoldMode, Playhead, Shown
from streamvace.live.output.sinks import Sinks
from streamvace.live.output.slate import Slate
from streamvace.live.output.tick_clock import TickClock
from streamvace.live.output.veil import Veil
from streamvace.live.worker.pace import Pace
from streamvace.records.backlog import Backlog
from streamvace.records.chunk import Chunk, Pixels
from streamvace.records.frame import Frame, Made
from streamvace.system.clock import STALL_NS, Clock, ShowClock
from streamvace.system.console import one_line
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats, Telemetry
from streamvace.video.core.resize import with_alpha

_SHARE_OF_TICK = 0.6
"""Of what is left of a tick, for pictures in between; the rest is for effects and outputs."""


@dataclass(frozen=True)
class Show:
    """The parameters that the presenter reads at each tick.

    rate: output ticks a second. paused: hold the picture and keep the queue. frozen: hold the picture, and let the
    queue run on unseen. black: fade to black. look: of the generated picture, under the freeze and the blackout.
    motion: what is shown between two generated pictures, see `Between`. reset_fade: seconds in which the output crosses
    to a new generation. hard: the last generation that begins with a cut all the same.
    """

    rate: float = 30.0
    generation: int = 0
    hold_mode: HoldMode = HoldMode.HOLD
    paused: bool = False
    frozen: bool = False
    black: bool = False
    look: Look = NEUTRAL
    motion: str = HOLD
    reset_fade: float = 0.0
    hard: int = 0


class Presenter:
    """Ticks at the output rate until stopped. It never skips a tick on purpose, and shows black only when asked to."""

    def __init__(
        self,
        *,
        size: tuple[int, int],
        content_rate: float,
        control: Callable[[int], Frame | None],
        show: Callable[[], Show],
        sinks: Sinks,
        telemetry: Telemetry,
        reporter: Reporter,
        upscale: int = 1,
        clock: Clock | None = None,
    ) -> None:
        """control: the control frame captured nearest to a moment; None before the first. upscale: factor from the
        generated pictures to the output."""
        self._content_rate = content_rate
        self._control = control
        self._show = show
        self._sinks = sinks
        self._telemetry = telemetry
        self._reporter = reporter
        self._clock = clock or ShowClock()
        self._slate = Slate(size)
        self._fade = FreezeFade()
        self._effects = Effects(upscale)
        self._between = Between()
        self._crossing = Crossing()
        self._due_ns = 0
        self._veil = Veil()
        self._playhead = Playhead(content_rate)
        self.backlog = Backlog(content_rate, show().rate)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._opened: Future[None] = Future()
        self._published = 0
        self._stalled_ns = 0
        self._shown: Frame | None = None
        self._thread = threading.Thread(target=self._run, name="presenter", daemon=True)

    def start(self) -> None:
        """Open the sinks on the presenter's thread and start to tick. Raises an opener's error."""
        self._thread.start()
        self._opened.result()

    def stop(self) -> None:
        """Stop ticking and close every sink, so that files are complete. Idempotent."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def ticking(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the open sinks, as receivers see them."""
        return self._sinks.names

    def offer(self, chunk: Chunk, pace: Pace) -> None:
        """Queue a finished chunk. pace: the current speed of the generator."""
        followed = chunk.trace.captured_ns
        if len(followed) != len(chunk.frames):
            followed = (chunk.captured_ns,) * len(chunk.frames)
        alphas = chunk.alpha if chunk.alpha is not None else [None] * len(chunk.frames)
        made = Made(chunk.index, chunk.seed, chunk.generation)
        frames = [
            ContentFrame(with_alpha(picture, alpha), made, captured_ns, chunk.trace)
            for picture, alpha, captured_ns in zip(chunk.frames, alphas, followed, strict=True)
        ]
        with self._lock:
            self._playhead.play_rate = pace.play_rate(self._content_rate)
            self._playhead.offer(frames)
            self._count_backlog()

    def showing(self) -> Frame | None:
        """The generated picture on show, without a blackout; None before the first. Any thread."""
        return self._shown

    def stats(self) -> Stats:
        """What the ticks showed, the faults of sinks, and stalled_ms: how long the clock stood still in all."""
        with self._lock:
            counters = asdict(self._playhead.counters)
            play_rate = self._playhead.play_rate
        del counters["received"]
        return {
            **counters,
            "play_rate": round(play_rate, 3),
            "motion_delay": round(1e3 * self.backlog.reserve / max(play_rate, 1e-3), 1),
            "motion_held": self._between.held,
            "sink_faults": self._sinks.faults,
            "stalled_ms": round(self._stalled_ns / 1e6, 3),
        }

    def _run(self) -> None:
        try:
            self._sinks.open()
        except Exception as error:  # noqa: BLE001 - raised by `start`, on the thread that can report it to the user
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        try:
            ticks = TickClock(self._show().rate, self._clock.now())
            while not self._stop.is_set():
                self._clock.wait_until(ticks.deadline_ns, self._stop)
                now_ns = self._clock.now()
                if now_ns < ticks.deadline_ns:
                    continue
                try:
                    late_ns = now_ns - ticks.deadline_ns
                    missed = ticks.fire(now_ns)
                    if late_ns > STALL_NS:
                        self._stood_still(late_ns, missed)
                    show = self._show()
                    if show.rate != ticks.rate:
                        ticks.set_rate(show.rate)
                        self._sinks.set_rate(show.rate)
                    self._tick(show, ticks.fired_ns, missed)
                except Exception as error:  # noqa: BLE001 - the next tick must come; counted and reported
                    self._reporter.report("presenter", one_line(error))
        finally:
            self._sinks.close()

    def _stood_still(self, late_ns: int, missed: int) -> None:
        """The thread slept through its ticks: the program was stopped, or the machine."""
        self._stalled_ns += late_ns
        line = f"the show's clock stood still for {late_ns / 1e9:.1f} s; nothing was published for {missed} ticks"
        self._reporter.report("clock", line)

    def _count_backlog(self) -> None:
        """Under the lock."""
        self.backlog.queued, self.backlog.play_rate = self._playhead.queued, self._playhead.play_rate

    def _tick(self, show: Show, due_ns: int, missed: int) -> None:
        with self._lock:
            self._playhead.cut(show.generation)
            kind, content = self._playhead.tick(due_ns, show.hold_mode, show.paused)
            following, share = self._playhead.ahead()
            bridged_s = self._playhead.bridged_s(due_ns)
            self.backlog.rate = show.rate
            self.backlog.reserve = 0 if show.motion == HOLD else 1
            self._count_backlog()
        if content is None:
            control = self._control(due_ns)
            captured_ns = control.captured_ns if control else 0
            pixels = self._effects.enlarge(self._slate.picture(control))
            frame = Frame(pixels, captured_ns, "streamvace", self._published)
        else:
            captured_ns, pixels = content.captured_ns, content.pixels
            if kind is Shown.REPEATED and show.hold_mode is HoldMode.FADE:
                pixels = self._fade.picture(pixels, bridged_s)
            elif kind is not Shown.REPEATED and following is not None:
                left_s = (due_ns - self._clock.now()) / 1e9 + 1 / show.rate
                pixels = self._between(pixels, following.pixels, share, show.motion, left_s * _SHARE_OF_TICK)
            pixels = self._with_effects(pixels, show, content, due_ns)
            frame = Frame(pixels, captured_ns, "streamvace", self._published, content.made)
        frame = self._veil.held(frame, frozen=show.frozen)
        self._shown = frame if frame.made is not None else None
        self._sinks.publish(self._veil.darkened(frame, due_ns, black=show.black))
        self._published += 1
        published_ns = self._clock.now()
        self._telemetry.ticked(published_ns, missed)
        if kind is Shown.FRESH and content is not None:
            self._telemetry.fresh(published_ns, captured_ns, content.trace)

    def _with_effects(self, pixels: Pixels, show: Show, content: ContentFrame, due_ns: int) -> Pixels:
        """The picture in its look. Its own control frame is mixed in, not the newest, so that shapes coincide."""

        def control() -> Pixels | None:
            frame = self._control(content.captured_ns or due_ns)
            return None if frame is None else frame.pixels

        elapsed_s, self._due_ns = (due_ns - self._due_ns) / 1e9, due_ns
        done = self._effects(pixels, show.look, control, elapsed_s=elapsed_s, history=content.generation)
        return self._crossing(done, content.generation, hard=show.hard, seconds=show.reset_fade, elapsed_s=elapsed_s)
