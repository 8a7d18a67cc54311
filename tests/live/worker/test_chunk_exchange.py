"""The exchange of chunks with a worker, without a process: a link that says what it is told to, on a clock by hand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np
import pytest

from streamvace.live.worker.chunk_exchange import ChunkExchange, WorkerGone
from streamvace.live.worker.health import Health
from streamvace.live.worker.limits import Limits
from streamvace.live.worker.messages import Ask, Done, StepFailed
from streamvace.live.worker.pace import Pace
from streamvace.live.worker.status import State, StatusBoard
from streamvace.records.chunk import Chunk, ChunkInput, Trace
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Telemetry
from tests.live.show import SECOND, HandClock

DONE = Done(chunk=None, health=Health())  # type: ignore[arg-type]  # the link is asked for the chunk


class Rig:
    """An exchange over a link that sends `script`, one message a look. A number lets so many seconds pass, in looks at
    most half a second apart: more between two looks would be a stall of the stage."""

    pid, exit_code = 1, None

    def __init__(self, *script: object, chunk: Chunk | None = None) -> None:
        self.script: Iterator[object] = iter(script)
        self.made = chunk or made()
        self.over = False
        self.built: list[tuple[int, int]] = []
        self.sent: list[ChunkInput] = []
        self.accepted: list[tuple[Chunk, Pace]] = []
        self.lines: list[str] = []
        self.board = StatusBoard()
        self.clock = HandClock(10**18)
        self.exchange = ChunkExchange(
            self, Telemetry(), Reporter(self.lines.append), self.board, Limits(), self.clock, lambda: self.over
        )

    def serve(self, offset_ns: int = 0) -> None:
        self.exchange.serve(self, 9, offset_ns)

    def receive(self, timeout_s: float) -> object:
        message = next(self.script, None)
        self.over = message is None
        if isinstance(message, float):
            passed = min(message, 0.5)
            self.clock.time_ns += round(passed * SECOND)
            if message > passed:
                self.script = chain((message - passed,), self.script)
            return None
        return message

    def chunk(self, done: Done) -> Chunk:
        return self.made

    def send(self, inputs: ChunkInput) -> None:
        self.sent.append(inputs)

    def close(self, grace_s: float) -> None: ...

    def wait_s(self, pace: Pace) -> float:
        return 0.0

    def build(self, frames: int, first_frames: int) -> ChunkInput:
        self.built.append((frames, first_frames))
        return ChunkInput("red")

    def accept(self, chunk: Chunk, pace: Pace) -> None:
        self.accepted.append((chunk, pace))


def made(*notes: str) -> Chunk:
    trace = Trace((), 0, 0, started_ns=100, ended_ns=200, decoded_ns=300)
    return Chunk(np.zeros((12, 4, 4, 3), np.uint8), 5, 0, 0, 0, {}, notes, trace=trace)


def test_one_input_is_built_and_sent_for_each_time_the_worker_asks() -> None:
    rig = Rig(Ask(12), 0.1, 0.1, DONE, Ask(12), 0.1)
    rig.serve()
    assert rig.built == [(12, 9), (12, 9)]
    assert len(rig.sent) == 2
    assert (rig.board.status.state, rig.board.status.chunk) == (State.RUNNING, 5)


def test_a_step_lasts_from_its_sending_to_its_chunk() -> None:
    rig = Rig(Ask(12), 0.25, 0.25, DONE, 3.0, 3.0)
    rig.serve()
    ((_, pace),) = rig.accepted
    assert (pace.step_s, pace.fps) == (0.5, 24.0)


@pytest.mark.parametrize("offset_ns", [0, 5_000])
def test_the_chunk_s_times_are_told_on_the_stage_s_clock(offset_ns: int) -> None:
    rig = Rig(Ask(12), 0.1, DONE)
    rig.serve(offset_ns)
    ((chunk, _),) = rig.accepted
    times = chunk.trace.started_ns, chunk.trace.ended_ns, chunk.trace.decoded_ns
    assert times == (100 + offset_ns, 200 + offset_ns, 300 + offset_ns)


def test_an_error_is_over_with_the_next_chunk_and_a_note_lasts_as_long_as_chunks_carry_it() -> None:
    rig = Rig(Ask(12), 0.1, StepFailed("no room"), Ask(12))
    rig.serve()
    assert (rig.board.status.error, rig.board.status.failed_steps) == ("no room", 1)
    for notes, error in (((), ""), (("one", "two"), "two"), ((), "")):
        rig.script, rig.over, rig.made = iter((Ask(12), 0.1, DONE)), False, made(*notes)
        rig.serve()
        assert rig.board.status.error == error


def test_a_chunk_that_takes_too_long_ends_the_worker() -> None:
    Rig(Ask(12), 179.0).serve()
    with pytest.raises(WorkerGone, match="a chunk took longer than 180 s"):
        Rig(Ask(12), 181.0, 0.1).serve()
    with pytest.raises(WorkerGone, match="a chunk took longer than 30 s"):
        Rig(Ask(12), 0.5, DONE, Ask(12), 31.0, 0.1).serve()


def test_while_no_chunk_is_under_way_the_worker_may_be_silent() -> None:
    rig = Rig(Ask(12), 0.5, DONE, 1000.0, 1000.0)
    rig.serve()
    assert len(rig.accepted) == 1
