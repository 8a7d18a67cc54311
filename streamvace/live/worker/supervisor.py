"""Keeps a worker alive: starts it, waits until it is ready, restarts it, reloads it with another setup.

Threads: one engine thread, which owns the worker link and, through the chunk exchange, the director.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from streamvace.live.worker.chunk_exchange import ChunkExchange, Feed, Link, WorkerGone, receive
from streamvace.live.worker.clock_map import clock_offset
from streamvace.live.worker.limits import Limits
from streamvace.live.worker.messages import Progress, Ready, WorkerSetup
from streamvace.live.worker.status import State, Status, StatusBoard
from streamvace.live.worker.worker_link import GRACE_S, WorkerLink
from streamvace.system.clock import AwakeTime, Clock, ShowClock
from streamvace.system.console import one_line
from streamvace.system.errors import UserError
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats, Telemetry

log = logging.getLogger(__name__)


class Supervisor:
    """Runs the engine thread. A worker that dies, hangs or fails costs a restart, never the show."""

    def __init__(
        self,
        setup: WorkerSetup,
        feed: Feed,
        telemetry: Telemetry,
        reporter: Reporter,
        *,
        limits: Limits | None = None,
        on_change: Callable[[Status], None] | None = None,
        connect: Callable[[WorkerSetup], Link] = WorkerLink,
        clock: Clock | None = None,
    ) -> None:
        """on_change: called on the engine thread with every new status. connect: starts a worker."""
        self._setup = setup
        self._wanted: WorkerSetup | None = None
        self._fallback: WorkerSetup | None = None  # what ran before a reload, until the new one is READY
        self._reporter = reporter
        self._limits = limits or Limits()
        self._connect = connect
        self._clock = clock or ShowClock()
        self._stop = threading.Event()
        self._board = StatusBoard(on_change)
        self._exchange = ChunkExchange(
            feed, telemetry, reporter, self._board, self._limits, self._clock, self._must_leave
        )
        self._crashes = 0
        self._ready_ns: int | None = None
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    @property
    def status(self) -> Status:
        """The newest status; safe from any thread."""
        return self._board.status

    def start(self) -> None:
        """Start the engine thread. Does not wait for the worker."""
        self._thread.start()

    def reload(self, setup: WorkerSetup) -> None:
        """Replace the worker by one with this setup, without waiting for it; from any thread.

        Meanwhile the output holds its last picture. If the new worker does not start, the previous setup returns.
        """
        self._wanted = setup

    def stop(self) -> None:
        """End the worker and the thread. Idempotent."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def stats(self) -> Stats:
        """Figures for telemetry."""
        return self.status.stats()

    def _must_leave(self) -> bool:
        """Whether the current worker has to go though nothing is wrong with it: stopped, or a reload is wanted."""
        return self._stop.is_set() or self._wanted is not None

    def _run(self) -> None:
        """One worker after the other, until stopped or until a further try is pointless."""
        while not (self._stop.is_set() or self.status.failed):
            self._ready_ns = None
            try:
                self._run_worker()
            except WorkerGone as gone:
                self._replace(str(gone), gone.refused)
            except Exception as error:  # noqa: BLE001 - a fault of the stage's side: counted, reported, retried
                self._replace(one_line(error), refused=isinstance(error, UserError))
            else:
                self._take_wanted()
        if not self.status.failed:
            self._board.update(state=State.STOPPED, pid=0)

    def _run_worker(self) -> None:
        """The life of one worker. Returns when it has to leave, raises WorkerGone when it is dead or useless."""
        status = self.status
        if status.restarts == 0:
            self._board.update(state=State.STARTING)
        # After a crash, a picture soon is worth more than a smooth one later. A reload always warms up.
        warm_up = not status.was_ready or self._fallback is not None
        link = self._connect(replace(self._setup, warm_up=warm_up))
        grace_s = 0.0
        try:
            self._board.update(pid=link.pid, **_runs(self._setup))
            started_ns = self._clock.now()
            ready = self._await_ready(link)
            if ready is not None:
                self._ready_ns = self._clock.now()
                offset_ns = clock_offset(started_ns, self._ready_ns, ready.clock_ns)
                self._became_ready(ready)
                self._exchange.serve(link, ready.first_frames, offset_ns)
            grace_s = GRACE_S
        finally:
            link.close(grace_s)

    def _await_ready(self, link: Link) -> Ready | None:
        """Wait until it is loaded and warm; every message extends the time limit. None when it has to leave first."""
        silence = AwakeTime(self._clock)
        while not self._must_leave():
            message = receive(link)
            silent_s = silence.seconds()
            if isinstance(message, Ready):
                if message.size != self._setup.size:
                    raise WorkerGone(f"the model makes {message.size} pictures, the show is {self._setup.size}", True)
                return message
            if isinstance(message, Progress):
                silence.restart()
                if message.loaded and not self.status.was_ready:
                    self._board.update(state=State.WARMING, was_loaded=True)
                self._board.update(progress=message.text)
            elif silent_s > self._limits.start_s:
                raise WorkerGone(f"the worker said nothing for {self._limits.start_s:g} s while starting")
        return None

    def _became_ready(self, ready: Ready) -> None:
        self._fallback = None
        model = ", ".join(f"{what} {how}" for what, how in ready.about.items())
        log.info("the model runs: %s", model)
        self._board.update(
            state=State.READY, progress="", was_ready=True, model=model, warm=ready.health, health=ready.health
        )

    def _replace(self, line: str, refused: bool) -> None:
        """The worker is gone: start another after a pause, go back to the setup before a reload, or give up."""
        ready_s = 0.0 if self._ready_ns is None else (self._clock.now() - self._ready_ns) / 1e9
        self._crashes = 1 if ready_s > self._limits.steady_s else self._crashes + 1
        hopeless = refused or self._crashes >= self._limits.attempts
        if hopeless and self._fallback is not None:
            self._go_back(line, self._fallback)
        elif hopeless and not self.status.was_ready:
            self._board.update(state=State.FAILED, error=line, refused=refused, pid=0)
        else:
            self._reporter.report("worker", f"{line}; starting it again")
            self._board.update(state=State.RESTARTING, error=line, restarts=self.status.restarts + 1, pid=0)
            pause_ns = round(self._limits.pause_s(self._crashes) * 1e9)
            self._clock.wait_until(self._clock.now() + pause_ns, self._stop)

    def _go_back(self, line: str, fallback: WorkerSetup) -> None:
        """The new setup does not start; the one before is known to work."""
        line = f"{self._setup.pipeline} does not start: {line}; going back to {fallback.pipeline}"
        self._reporter.report("reload", line)
        self._crashes, self._setup, self._fallback = 0, fallback, None
        went_back = self.status.went_back + 1
        self._board.update(state=State.RESTARTING, error=line, pid=0, went_back=went_back, **_runs(fallback))

    def _take_wanted(self) -> None:
        """Switch to the setup of a reload, if one is wanted."""
        setup, self._wanted = self._wanted, None
        if setup is None:
            return
        if self.status.was_ready:
            self._fallback = self._fallback or self._setup
        self._crashes, self._setup = 0, setup
        self._board.update(state=State.RESTARTING, error="", pid=0, **_runs(setup))


def _runs(setup: WorkerSetup) -> dict[str, str]:
    """What the status says of a setup."""
    return {"pipeline": setup.pipeline, "latency": setup.model.latency}
