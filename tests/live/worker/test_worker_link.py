"""What the link promises: pixels cross unharmed, and no process and no shared memory is ever left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from streamvace.live.worker.messages import (
    PROTOCOL,
    Ask,
    Died,
    Done,
    Progress,
    Ready,
    StepFailed,
    WorkerSetup,
)
from streamvace.live.worker.shared_frames import SharedFrames, arrays_of
from streamvace.live.worker.worker_link import INBOX_BYTES, MAX_CHUNK_FRAMES, WorkerLink
from streamvace.records.chunk import MAX_REFERENCES, ChunkInput, Trace
from streamvace.system.clock import now_ns
from tests.live.processes import STAGE, memory_gone, process_gone
from tests.live.show import wait_until

SETUP = WorkerSetup("tests.live.fakes:make", "embedded", (64, 48))


def hear(link: WorkerLink, *kinds: type) -> object:
    """The next message of one of these kinds."""
    heard: list[object] = []

    def found() -> bool:
        message = link.receive(0.1)
        if isinstance(message, kinds):
            heard.append(message)
        return bool(heard)

    wait_until(found, f"a message of {kinds}")
    return heard[0]


def names(link: WorkerLink) -> list[str]:
    return [link._inbox.name, link._outbox.name]


def test_a_chunk_goes_there_and_comes_back() -> None:
    before_ns = now_ns()
    link = WorkerLink(SETUP)
    memory = names(link)
    try:
        ready = hear(link, Ready)
        assert isinstance(ready, Ready)
        assert (ready.size, ready.first_frames) == ((64, 48), 9)
        assert before_ns < ready.clock_ns < now_ns(), "both processes read one clock"
        assert hear(link, Ask) == Ask(9)
        control = np.zeros((9, 48, 64, 3), dtype=np.uint8)
        sampled = Trace(captured_ns=(11,), received_ns=10, sampled_ns=now_ns())
        link.send(
            ChunkInput("hello", 1, control=control, generation=3, captured_ns=11, snapshot_version=5, trace=sampled)
        )
        done = hear(link, Done)
        assert isinstance(done, Done)
        chunk = link.chunk(done)
        assert chunk.frames.shape == (9, 48, 64, 3)
        assert chunk.frames[0, 0, 0].tolist() == [0, 3, 255]
        assert (chunk.generation, chunk.captured_ns, chunk.snapshot_version) == (3, 11, 5)
        trace = chunk.trace
        assert (trace.captured_ns, trace.received_ns) == ((11,), 10)
        assert sampled.sampled_ns <= trace.started_ns <= trace.ended_ns <= trace.decoded_ns <= now_ns()
        assert hear(link, Ask) == Ask(12)
    finally:
        link.close()
    assert link.exit_code == 0
    assert all(memory_gone(name) for name in memory)
    link.close()


@pytest.mark.parametrize(
    ("factory", "warm_up", "warms"),
    [(SETUP.factory, True, True), (SETUP.factory, False, False), ("tests.live.fakes:make_ready", True, False)],
)
def test_a_worker_warms_up_unless_it_replaces_another_or_has_nothing_to_prepare(
    factory: str, warm_up: bool, warms: bool
) -> None:
    link = WorkerLink(replace(SETUP, factory=factory, warm_up=warm_up))
    said: list[str] = []
    try:
        while not isinstance(message := hear(link, Progress, Ready), Ready):
            assert isinstance(message, Progress)
            said.append(message.text)
    finally:
        link.close()
    assert ("the fake is warming" in said) is warms


def test_a_step_that_fails_is_reported_and_the_stream_is_reset() -> None:
    link = WorkerLink(SETUP)
    try:
        hear(link, Ask)
        link.send(ChunkInput("raise"))
        failed = hear(link, StepFailed)
        assert failed == StepFailed("RuntimeError: out of memory: needs 12.1 GB, 10.4 GB free")
        assert hear(link, Ask) == Ask(9)
    finally:
        link.close()


def test_a_worker_that_dies_without_a_message_is_noticed_and_leaves_no_memory() -> None:
    link = WorkerLink(replace(SETUP, factory="tests.live.fakes:make_dying"))
    memory = names(link)
    with pytest.raises(EOFError):
        hear(link, Ask)
    link.close(0)
    assert link.exit_code == 7
    assert all(memory_gone(name) for name in memory)


def test_the_last_message_is_read_before_the_end() -> None:
    link = WorkerLink(replace(SETUP, factory="tests.live.fakes:make_refusing"))
    try:
        died = hear(link, Died)
        assert isinstance(died, Died)
        assert died.refused
        assert died.line == "weights model.safetensors: unreadable; download them again"
        assert "make_refusing" in died.trace
    finally:
        link.close()


def test_a_worker_of_another_version_refuses() -> None:
    link = WorkerLink(replace(SETUP, protocol=PROTOCOL + 1))
    try:
        died = hear(link, Died)
        assert isinstance(died, Died)
        assert died.refused
        assert "protocol" in died.line
    finally:
        link.close()


def test_pixels_that_do_not_fit_are_refused_with_both_sizes() -> None:
    with (
        closing(SharedFrames.create(1000)) as memory,
        pytest.raises(ValueError, match=r"need \d+ bytes, the shared memory holds \d+"),
    ):
        memory.pack(ChunkInput("", control=np.zeros((9, 100, 100, 3), np.uint8)))


@pytest.mark.parametrize("offset", [-1, -(2**40), 2**40, 2**63 - 64])
def test_pixels_outside_the_memory_are_refused(offset: int) -> None:
    control = np.zeros((9, 8, 8, 3), np.uint8)
    with closing(SharedFrames.create(4096)) as memory:
        packed = memory.pack(ChunkInput("", control=control))
        stray = replace(packed, planes=(replace(packed.planes[0], offset=offset),))
        with pytest.raises(ValueError, match=r"control is at bytes .*, the shared memory holds \d+"):
            memory.unpack(stray)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM] if sys.platform != "win32" else [])
def test_when_the_stage_is_killed_the_worker_ends_and_its_memory_goes(number: int, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    script = tmp_path / "stage.py"
    script.write_text(STAGE)
    stage = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    try:
        assert stage.stdout is not None
        pid, *memory = stage.stdout.readline().split()
        assert len(memory) == 2
        stage.send_signal(number)
        stage.wait()
        wait_until(lambda: process_gone(int(pid)), "the worker ended by itself")
        wait_until(lambda: all(memory_gone(name) for name in memory), "the shared memory went")
    finally:
        stage.kill()
        stage.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_the_worker_ignores_ctrl_c() -> None:
    link = WorkerLink(SETUP)
    try:
        os.kill(link.pid, signal.SIGINT)  # while it imports
        hear(link, Ask)
        os.kill(link.pid, signal.SIGINT)
        link.send(ChunkInput("hello"))
        hear(link, Done)
    finally:
        link.close()


def test_the_fullest_chunk_input_fits_the_shared_memory() -> None:
    """Every picture at its largest; a field that is added must be added to INBOX_BYTES too."""
    width, height = 64, 48
    frames = [np.zeros((MAX_CHUNK_FRAMES, height, width, 3), np.uint8) for _ in range(3)]
    planes = [np.zeros((MAX_CHUNK_FRAMES, height, width), np.uint8) for _ in range(2)]
    still = np.zeros((height, width, 3), np.uint8)
    full = ChunkInput(
        "hello",
        control=frames[0],
        source=frames[1],
        second_control=frames[2],
        mask=planes[0],
        scale_map=planes[1],
        references=np.full((MAX_REFERENCES, height, width, 3), 7, np.uint8),
        first_frame=still,
        last_frame=still,
    )
    arrays = arrays_of(full)
    assert set(arrays) == {field.name for field in fields(ChunkInput) if "Pixels" in str(field.type)}
    assert sum(array.nbytes for array in arrays.values()) == width * height * INBOX_BYTES
    with closing(SharedFrames.create(width * height * INBOX_BYTES)) as memory:
        unpacked = memory.unpack(memory.pack(full))
    assert unpacked.references is not None
    assert (unpacked.references == full.references).all()
