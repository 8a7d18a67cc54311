"""The supervisor with real processes: whatever happens to the worker, chunks come again."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from streamvace.live.worker.chunk_exchange import Link
from streamvace.live.worker.limits import Limits
from streamvace.live.worker.messages import Done, Ready, WorkerSetup
from streamvace.live.worker.pace import Pace
from streamvace.live.worker.status import State, Status
from streamvace.live.worker.supervisor import Supervisor
from streamvace.records.chunk import Chunk, ChunkInput
from streamvace.system.errors import UserError
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Telemetry
from tests.live.fakes import LOSES, FakeGenerator
from tests.live.processes import process_gone
from tests.live.show import SECOND, HandClock, wait_until

SIZE = (64, 48)
LIMITS = Limits(chunk_s=1.5, chunk_factor=1.0, backoff_s=(0.0, 0.05), attempts=2, steady_s=0.5)


class Script:
    """A feed whose prompt is the fake generator's script."""

    def __init__(self) -> None:
        self.prompt = self.asked = ""
        self.seed = 42
        self.generation = 0
        self.chunks: list[Chunk] = []
        self.threads: set[str] = set()
        self._reset_sent = 0

    def wait_s(self, pace: Pace) -> float:
        self.threads.add(threading.current_thread().name)
        return 0.0

    def build(self, frames: int, first_frames: int) -> ChunkInput:
        reset, self._reset_sent = self.generation != self._reset_sent, self.generation
        control = np.zeros((first_frames if reset else frames, SIZE[1], SIZE[0], 3), dtype=np.uint8)
        control[:, 0, 0] = 255
        self.asked = self.prompt
        return ChunkInput(self.prompt, self.seed, control=control, reset=reset, generation=self.generation)

    def accept(self, chunk: Chunk, pace: Pace) -> None:
        self.chunks.append(chunk)


class Engine:
    """A supervisor, its script, and the lines it reported."""

    def __init__(self, factory: str = "make", limits: Limits = LIMITS) -> None:
        self.script = Script()
        self.telemetry = Telemetry()
        self.lines: list[str] = []
        self.reporter = Reporter(self.lines.append)
        self.states: list[State] = []
        self.history: list[Status] = []
        self.supervisor = Supervisor(
            WorkerSetup(f"tests.live.fakes:{factory}", "embedded", SIZE),
            self.script,
            self.telemetry,
            self.reporter,
            limits=limits,
            on_change=self._changed,
        )
        self.supervisor.start()

    def _changed(self, status: Status) -> None:
        self.states.append(status.state)
        self.history.append(status)

    def wait_for_chunks(self, more: int = 3) -> None:
        wanted = len(self.script.chunks) + more
        wait_until(lambda: len(self.script.chunks) >= wanted, f"{more} more chunks; said: {self.lines}")

    def wait_for_restarts(self, count: int) -> None:
        wait_until(lambda: self.supervisor.status.restarts >= count, f"{count} restarts; said: {self.lines}")


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.supervisor.stop()


def test_chunks_come_nine_frames_first_and_twelve_after_that(engine: Engine) -> None:
    engine.wait_for_chunks(4)
    assert [len(chunk.frames) for chunk in engine.script.chunks[:4]] == [9, 12, 12, 12]
    states = list(dict.fromkeys(engine.states))
    assert states[:4] == [State.STARTING, State.WARMING, State.READY, State.RUNNING]
    assert engine.script.threads == {"engine"}
    assert int(engine.telemetry.stats()["chunks"]) >= 4


def test_how_the_model_runs_is_in_the_status_once_it_does(engine: Engine) -> None:
    engine.wait_for_chunks(1)
    assert engine.supervisor.stats()["model"] == "device nowhere, attention none, prompts wait"


def test_a_reset_gives_a_first_chunk_again(engine: Engine) -> None:
    engine.wait_for_chunks(3)
    engine.script.generation = 1
    wait_until(lambda: any(chunk.generation == 1 for chunk in engine.script.chunks), "the reset")
    first = next(chunk for chunk in engine.script.chunks if chunk.generation == 1)
    assert (first.index, len(first.frames)) == (0, 9)


def test_stop_leaves_no_process() -> None:
    engine = Engine()
    engine.wait_for_chunks()
    pid = engine.supervisor.status.pid
    engine.supervisor.stop()
    engine.supervisor.stop()
    assert process_gone(pid)
    assert engine.supervisor.status.state is State.STOPPED


def test_stop_during_the_start_leaves_no_process() -> None:
    engine = Engine()
    wait_until(lambda: engine.supervisor.status.pid != 0, "the process")
    pid = engine.supervisor.status.pid
    engine.supervisor.stop()
    assert process_gone(pid)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_killed_worker_comes_back_each_time(engine: Engine) -> None:
    for time in range(1, 4):
        engine.wait_for_chunks()
        pid = engine.supervisor.status.pid
        os.kill(pid, signal.SIGKILL)
        engine.wait_for_restarts(time)
        assert process_gone(pid)
    engine.wait_for_chunks()
    assert engine.supervisor.status.restarts == 3
    assert any(re.search(r"exit code -9 \(killed; .* GB of memory free\)", line) for line in engine.lines)


def test_a_worker_that_hangs_is_replaced(engine: Engine) -> None:
    engine.wait_for_chunks()
    pid = engine.supervisor.status.pid
    engine.script.prompt = "stall"
    engine.wait_for_restarts(1)
    assert process_gone(pid)
    engine.script.prompt = ""
    engine.wait_for_chunks()
    assert any("took longer than" in line for line in engine.lines)


def test_a_crash_loop_is_survived_and_ends_when_its_cause_does(engine: Engine) -> None:
    engine.wait_for_chunks()
    engine.script.prompt = "crash"
    engine.wait_for_restarts(3)
    engine.script.prompt = ""
    engine.wait_for_chunks()
    assert State.FAILED not in engine.states
    assert "exit code 9" in " ".join(engine.lines)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("nan", "FloatingPointError"),
        ("raise", "needs 12.1 GB, 10.4 GB free"),
        ("short", "out of memory on the card: needs 2.7 GB more, 1.3 GB free"),
    ],
)
def test_a_step_that_fails_costs_a_chunk_and_many_in_a_row_a_restart(engine: Engine, word: str, said: str) -> None:
    engine.wait_for_chunks()
    engine.script.prompt = word
    counted = "chunks_refused" if word == "nan" else "worker_failed_steps"
    wait_until(lambda: int(engine.supervisor.stats()[counted]) >= 1, "a failed step")
    assert said in engine.supervisor.status.error
    engine.wait_for_restarts(1)
    engine.script.prompt = ""
    engine.wait_for_chunks()
    assert said in " ".join(engine.lines)


def test_a_chunk_that_is_black_without_reason_is_counted_not_shown_and_the_stream_is_reset(engine: Engine) -> None:
    engine.wait_for_chunks()
    engine.script.seed = LOSES
    wait_until(lambda: engine.supervisor.status.refused_chunks >= 1, "the refusal")
    engine.script.seed = 42
    engine.wait_for_chunks()
    figures = engine.supervisor.stats()
    assert figures["chunks_refused"] >= 1
    assert (figures["worker_restarts"], figures["worker_failed_steps"]) == (0, 0)
    assert all(chunk.frames.max() == 255 for chunk in engine.script.chunks), "black was never handed on"
    assert any("flat picture (level 0 of 255)" in line for line in engine.lines)


def test_a_note_of_the_model_is_reported_once_not_with_every_chunk(engine: Engine) -> None:
    engine.script.prompt = "note"
    wait_until(lambda: "a remark" in engine.supervisor.status.error, "the remark")
    engine.wait_for_chunks(5)
    assert engine.reporter.counts() == {"note": 1}


def test_a_note_ends_with_its_cause_and_a_failed_step_with_the_next_chunk(engine: Engine) -> None:
    engine.script.prompt = "note"
    wait_until(lambda: engine.supervisor.status.error == "a remark", "the remark")
    engine.script.prompt = ""
    wait_until(lambda: engine.supervisor.status.error == "", "its end")
    engine.script.prompt = "raise"
    wait_until(lambda: "needs 12.1 GB" in engine.supervisor.status.error, "the failed step")
    engine.script.prompt = ""
    wait_until(lambda: engine.supervisor.status.error == "", "its end")


def test_what_only_the_user_can_fix_is_not_tried_again() -> None:
    engine = Engine("make_refusing")
    wait_until(lambda: engine.supervisor.status.failed, "the refusal")
    status = engine.supervisor.status
    assert (status.refused, status.restarts) == (True, 0)
    assert status.error == "weights model.safetensors: unreadable; download them again"
    engine.supervisor.stop()


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("make_broken", "ZeroDivisionError: a bug"),
        ("make_dying", "code 7"),
        ("make_short", "out of memory on the card: needs 2.7 GB more, 1.3 GB free"),
    ],
)
def test_a_worker_that_never_starts_is_given_up_after_some_attempts(factory: str, said: str) -> None:
    engine = Engine(factory)
    wait_until(lambda: engine.supervisor.status.failed, "giving up")
    status = engine.supervisor.status
    assert (status.refused, status.restarts) == (False, 1)
    assert said in status.error
    engine.supervisor.stop()


def test_a_machine_without_memory_for_the_pixels_is_refused_at_once() -> None:
    tries: list[WorkerSetup] = []

    def connect(setup: WorkerSetup) -> Link:
        tries.append(setup)
        raise UserError("the pictures need 25.6 MB; take a smaller --size")

    setup = WorkerSetup("tests.live.fakes:make", "embedded", SIZE)
    supervisor = Supervisor(setup, Script(), Telemetry(), Reporter(), limits=LIMITS, connect=connect)
    supervisor.start()
    wait_until(lambda: supervisor.status.failed, "given up")
    supervisor.stop()
    assert supervisor.status.refused
    assert supervisor.status.error == "the pictures need 25.6 MB; take a smaller --size"
    assert len(tries) == 1


def test_a_worker_silent_for_too_long_while_starting_is_given_up() -> None:
    engine = Engine("make_silent", replace(LIMITS, start_s=0.3, attempts=1))
    wait_until(lambda: engine.supervisor.status.failed, "giving up")
    assert "said nothing" in engine.supervisor.status.error
    engine.supervisor.stop()


def test_a_model_of_another_size_than_the_shows_is_refused() -> None:
    engine = Engine("make_small")
    wait_until(lambda: engine.supervisor.status.failed, "the refusal")
    assert engine.supervisor.status.refused
    assert "(16, 16)" in engine.supervisor.status.error
    engine.supervisor.stop()


def test_the_fake_counts_like_the_real_one() -> None:
    fake = FakeGenerator((16, 16), seconds=0)
    assert fake.frames_wanted() == 9
    fake.step(ChunkInput(""))
    assert fake.frames_wanted() == 12
    fake.reset()
    assert fake.frames_wanted() == 9


def test_a_reload_is_another_worker_and_the_show_goes_on_with_it(engine: Engine) -> None:
    wait_until(lambda: len(engine.script.chunks) >= 2, "two chunks")
    before = engine.supervisor.status.pid
    engine.supervisor.reload(WorkerSetup("tests.live.fakes:make", "another", SIZE))
    wait_until(lambda: engine.supervisor.status.pid not in (0, before), "another worker")
    wait_until(lambda: process_gone(before), "the old worker is gone")
    made = len(engine.script.chunks)
    wait_until(lambda: len(engine.script.chunks) > made, "chunks of the new one")
    assert len(engine.script.chunks[made].frames) == 9, "a new model starts a new stream"
    status = engine.supervisor.status
    assert (status.pipeline, status.restarts, status.went_back, engine.lines) == ("another", 0, 0, [])


@pytest.mark.parametrize("factory", ["make_refusing", "make_dying", "make_small"])
def test_a_reload_that_does_not_start_goes_back_to_the_setup_before(engine: Engine, factory: str) -> None:
    wait_until(lambda: bool(engine.script.chunks), "a chunk")
    engine.supervisor.reload(WorkerSetup(f"tests.live.fakes:{factory}", "another", SIZE))
    wait_until(lambda: engine.supervisor.status.went_back == 1, "it went back")
    made = len(engine.script.chunks)
    wait_until(lambda: len(engine.script.chunks) > made, "chunks again")
    assert {status.pipeline for status in engine.history if status.went_back} == {"embedded"}
    assert any("another does not start: " in line and "going back to embedded" in line for line in engine.lines)


def test_a_reloaded_worker_that_ran_and_crashes_later_is_restarted_as_it_is(engine: Engine) -> None:
    engine.wait_for_chunks(1)
    engine.supervisor.reload(WorkerSetup("tests.live.fakes:make", "another", SIZE))
    wait_until(lambda: engine.supervisor.status.pipeline == "another", "another worker")
    engine.wait_for_chunks(1)
    engine.script.prompt = "crash"
    engine.wait_for_restarts(LIMITS.attempts + 1)
    engine.script.prompt = ""
    engine.wait_for_chunks(1)
    status = engine.supervisor.status
    assert (status.pipeline, status.went_back) == ("another", 0)


def test_a_reload_during_a_step_that_hangs_does_not_wait_for_it(engine: Engine) -> None:
    wait_until(lambda: bool(engine.script.chunks), "a chunk")
    engine.script.prompt = "stall"
    wait_until(lambda: engine.script.asked == "stall", "the step hangs")
    engine.script.prompt = ""
    engine.supervisor.reload(WorkerSetup("tests.live.fakes:make", "another", SIZE))
    wait_until(lambda: engine.supervisor.status.pipeline == "another", "another worker")
    made = len(engine.script.chunks)
    wait_until(lambda: len(engine.script.chunks) > made, "chunks of the new one")


class BriefLink:
    """A worker without a process: ready at once, gone after so many seconds of its clock."""

    pid, exit_code = 1, 1

    def __init__(self, clock: PauseClock, lives_s: float) -> None:
        self._clock, self._lives_ns = clock, round(lives_s * SECOND)
        self._messages = iter([Ready(SIZE, 9, 0)])

    def receive(self, timeout_s: float) -> object:
        for message in self._messages:
            return message
        self._clock.time_ns += self._lives_ns
        raise EOFError

    def send(self, inputs: ChunkInput) -> None: ...

    def chunk(self, done: Done) -> Chunk:
        raise AssertionError("it makes none")

    def close(self, grace_s: float) -> None: ...


class PauseClock(HandClock):
    """Keeps how long it was waited for; the show ends with the eighth pause."""

    def __init__(self) -> None:
        super().__init__(10**18)
        self.pauses_s: list[float] = []

    def wait_until(self, when_ns: int, stop: threading.Event) -> None:
        self.pauses_s.append((when_ns - self.time_ns) / SECOND)
        super().wait_until(when_ns, stop)
        if len(self.pauses_s) == 8:
            stop.set()


@pytest.mark.parametrize(
    ("lives_s", "pauses_s"),
    [(1.0, [0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 30.0]), (6.0, [0.0] * 8)],
    ids=["crash loop", "steady"],
)
def test_crashes_in_a_row_are_pauses_that_grow_and_one_after_a_steady_time_is_none(
    lives_s: float, pauses_s: list[float]
) -> None:
    clock = PauseClock()
    supervisor = Supervisor(
        WorkerSetup("tests.live.fakes:make", "embedded", SIZE),
        Script(),
        Telemetry(),
        Reporter(lambda line: None),
        connect=lambda setup: BriefLink(clock, lives_s),
        clock=clock,
    )
    supervisor.start()
    wait_until(lambda: supervisor.status.state is State.STOPPED, "the eighth pause")
    supervisor.stop()
    assert clock.pauses_s == pauses_s
