"""A whole show on virtual time: the real presenter, director, supervisor and source poller around a scripted worker.

Nothing in it waits for real, so an hour with stalls and crashes takes seconds, and the same script gives the same show.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from streamvace.control.parameters import Parameters
from streamvace.live.director.director import Director
from streamvace.live.director.look_ahead import LookAhead
from streamvace.live.inputs.frame_ring import FrameRing, Rings
from streamvace.live.inputs.source_poller import SourcePoller
from streamvace.live.output.presenter import Presenter
from streamvace.live.output.sinks import SinkOpener, Sinks
from streamvace.live.output_setup import show_of
from streamvace.live.worker.health import Health
from streamvace.live.worker.limits import Limits
from streamvace.live.worker.messages import Ask, Done, Progress, Ready, StepFailed, WorkerSetup
from streamvace.live.worker.shared_frames import Packed
from streamvace.live.worker.supervisor import Supervisor
from streamvace.records.chunk import Chunk, ChunkInput
from streamvace.records.frame import Frame, Source
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Telemetry
from tests.live.fakes import FakeGenerator
from tests.live.show import SECOND, frame
from tests.live.virtual_time import VirtualTime, on_one_core

SIZE = (32, 32)
IMPATIENT = Limits(first_chunk_s=10.0, chunk_s=5.0, chunk_factor=4.0)
REAL_S = 600.0
"""For the longest show on the busiest machine."""


@dataclass(frozen=True)
class Turn:
    """How a worker takes one chunk. seconds: until it is done. ends: `done`, `fails`, `crashes` or `hangs`."""

    seconds: float = 0.55
    ends: str = "done"


Script = Callable[[int], Turn]
"""Number of the chunk, counted over all workers -> what becomes of it."""


class ScriptedLink:
    """A worker that is no process: it answers when the script says, on the show's clock."""

    def __init__(self, show: VirtualShow, setup: WorkerSetup, start_s: float) -> None:
        self._show = show
        self._generator = FakeGenerator(setup.size, seconds=0)
        self._due: deque[tuple[int, object]] = deque()
        self._hung = False
        self.exit_code: int | None = None
        self.pid = 1
        self._after(start_s / 2, Progress("half loaded"))
        self._after(start_s, Ready(setup.size, self._generator.frames_wanted(), 0))
        self._after(start_s, Ask(self._generator.frames_wanted()))

    def send(self, inputs: ChunkInput) -> None:
        self._show.sent.append((self._show.time.now(), inputs))
        turn = self._show.script(len(self._show.sent) - 1)
        if turn.ends == "hangs":
            self._hung = True
            return
        answer: object
        if turn.ends == "done":
            chunk = self._generator.step(replace(inputs, prompt=""))
            answer = Done(Packed(replace(chunk, trace=inputs.trace)), Health())
        else:
            answer = StepFailed("the step failed") if turn.ends == "fails" else EOFError()
            self._generator.reset()
        self._after(turn.seconds, answer)
        self._after(turn.seconds, Ask(self._generator.frames_wanted()))

    def receive(self, timeout_s: float) -> object:
        clock = self._show.time
        until_ns = clock.now() + round(timeout_s * SECOND)
        due_ns = self._due[0][0] if self._due else until_ns
        clock.wait_until(min(due_ns, until_ns), self._show.stopping)
        if not self._due or self._due[0][0] > clock.now():
            return None
        _, message = self._due.popleft()
        if isinstance(message, EOFError):
            self.exit_code = -9
            raise message
        return message

    def chunk(self, done: Done) -> Chunk:
        return done.chunk.header

    def close(self, grace_s: float) -> None:
        self._due.clear()

    def stand_still(self, seconds: float) -> None:
        """Whatever is on its way comes that much later."""
        self._due = deque((due_ns + round(seconds * SECOND), message) for due_ns, message in self._due)

    def _after(self, seconds: float, message: object) -> None:
        self._due.append((self._show.time.now() + round(seconds * SECOND), message))


class OneInput:
    """It plays every role."""

    def __init__(self, ring: FrameRing) -> None:
        self._ring = ring

    def ring(self, role: str) -> FrameRing:
        return self._ring


class NoPictures:
    """The media folder of a show that asks for none."""

    settled = True

    def take(self, wish: object) -> None:
        return None


class Ledger:
    """A sink that checks every frame as it comes and keeps what a test asks about."""

    name = "ledger"

    def __init__(self, show: VirtualShow) -> None:
        self._show = show
        self.published = 0
        self.times_ns: list[int] = []
        self.wrong: list[str] = []
        self._generation = -1

    def publish(self, frame: Frame) -> None:
        self.published += 1
        self.times_ns.append(self._show.time.now())
        if frame.pixels.shape != (SIZE[1], SIZE[0], 4):
            self.wrong.append(f"frame {self.published} is {frame.pixels.shape}")
        if not frame.pixels[..., :3].any():
            self.wrong.append(f"frame {self.published} is black")
        if frame.made is not None:
            if frame.made.generation < self._generation:
                self.wrong.append(f"frame {self.published} is of generation {frame.made.generation}")
            self._generation = max(self._generation, frame.made.generation)
        self._show.on_tick(self._show)

    def close(self) -> None:
        pass


class MovingSource:
    """A picture every 1/30 s of virtual time."""

    name = "moving"

    def __init__(self, show: VirtualShow, size: tuple[int, int] = SIZE) -> None:
        self._show = show
        self._size = size
        self._next_ns = show.time.now()
        self._count = 0

    def poll(self) -> Frame | None:
        now_ns = self._show.time.now()
        if now_ns < self._next_ns:
            return None
        self._next_ns = now_ns + SECOND // 30
        self._count += 1
        return frame(now_ns, 1 + self._count % 255, self._count, self._size)

    def close(self) -> None:
        pass


class VirtualShow:
    """Build it, `play` it to its end, and look at what it did."""

    def __init__(
        self,
        seconds: float,
        script: Script = lambda chunk: Turn(),
        *,
        opener: Callable[[VirtualShow], Source] = MovingSource,
        on_tick: Callable[[VirtualShow], None] = lambda show: None,
        start_s: float = 2.0,
        sinks: Sequence[SinkOpener] = (),
        inputs: Rings | None = None,
        limits: Limits = IMPATIENT,
        **values: bool | float | str,
    ) -> None:
        """on_tick: what a performer does; called at each tick on the presenter's thread. start_s: a worker's start.
        sinks: besides the ledger. inputs: instead of the moving source alone. limits: the supervisor's."""
        self.time = VirtualTime(actors=3, end_ns=round(seconds * SECOND))
        self._link: ScriptedLink | None = None
        self.script = script
        self.on_tick = on_tick
        self.stopping = threading.Event()
        self.sent: list[tuple[int, ChunkInput]] = []
        self.lines: list[str] = []
        self.telemetry = Telemetry()
        self.parameters = Parameters(
            {f"/streamvace/{name}": value for name, value in values.items()}, clock=self.time.now
        )
        self.ring = FrameRing()
        reporter = Reporter(self.lines.append, clock=self.time.now)
        self.ledger = Ledger(self)
        rings = inputs or OneInput(self.ring)
        self.presenter = Presenter(
            size=SIZE,
            content_rate=24,
            control=lambda moment_ns: rings.ring("control").beside(moment_ns),
            show=lambda: show_of(self.parameters.snapshot()),
            sinks=Sinks([lambda: self.ledger, *sinks], reporter),
            telemetry=self.telemetry,
            reporter=reporter,
            clock=self.time,
        )
        director = Director(
            size=SIZE,
            blocks=lambda: 4,
            inputs=rings,
            parameters=self.parameters,
            backlog=self.presenter.backlog,
            deliver=self.presenter.offer,
            pictures=NoPictures(),
            look_ahead=LookAhead(),
            reporter=reporter,
            clock=self.time.now,
        )
        self.supervisor = Supervisor(
            WorkerSetup("", "embedded", SIZE),
            director,
            self.telemetry,
            reporter,
            limits=limits,
            connect=lambda setup: self._connect(setup, start_s),
            clock=self.time,
        )
        self.poller = SourcePoller(lambda: opener(self), self.ring, reporter, clock=self.time)
        for part in (self.presenter.stats, self.supervisor.stats, self.poller.stats):
            self.telemetry.add(part)

    def play(self) -> dict[str, float | int | str]:
        """To the end; the show's figures."""
        with on_one_core():
            self.poller.start_patiently()
            self.presenter.start()
            self.supervisor.start()
        assert self.time.over.wait(REAL_S), "it did not come to its end"
        for part in (self.presenter, self.supervisor, self.poller):
            part.stop()
        return self.telemetry.stats()

    def stand_still(self, seconds: float, *, worker: bool) -> int:
        """Every thread of the stage stands still, as after SIGSTOP; with `worker`, it does, too. When it is over."""
        if worker and self._link is not None:
            self._link.stand_still(seconds)
        return self.time.jump(round(seconds * SECOND))

    def _connect(self, setup: WorkerSetup, start_s: float) -> ScriptedLink:
        self._link = ScriptedLink(self, setup, start_s)
        return self._link

    def set(self, name: str, *arguments: object) -> None:
        self.parameters.set(f"/streamvace/{name}", arguments, "performer")
