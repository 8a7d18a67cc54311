"""A worker of several processes: they meet or say who is missing, and end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from streamvace.live.worker.card_group import join_group
from streamvace.live.worker.messages import Ask, Died, Done, Ready, WorkerSetup
from streamvace.live.worker.worker import DEFAULT_FACTORY
from streamvace.live.worker.worker_link import WorkerLink
from streamvace.records.chunk import ChunkInput
from streamvace.records.model_options import ModelOptions
from streamvace.system.errors import UserError
from tests.live.running import ROOT
from tests.live.show import wait_until

SIZE = (64, 64)
THREE = ModelOptions(device="cpu,cpu,cpu", threads=1)
"""The embedded model has three heads."""
SETUP = WorkerSetup(DEFAULT_FACTORY, "embedded", SIZE, THREE)


def test_a_process_that_does_not_come_is_one_line_after_a_bounded_wait(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        join_group(0, ["cuda:0", "cuda:1", "cuda:2"], tmp_path, wait_s=0.05)
    assert str(refused.value) == (
        "of 3 processes (cuda:0, cuda:1, cuda:2), number 1, 2 did not come within 0.05 s; start with one --device"
    )


def until(link: WorkerLink, kind: type) -> object:
    """The next message of a kind."""
    while True:
        message = link.receive(120.0)
        assert message is not None
        assert not isinstance(message, Died), message
        if isinstance(message, kind):
            return message


@pytest.fixture
def link() -> Iterator[WorkerLink]:
    made = WorkerLink(SETUP)
    yield made
    made.close()


GROUP = """
from streamvace.live.worker.card_group import CardGroup
from streamvace.records.chunk import ChunkInput
from tests.live.worker.test_card_group import SETUP
group = CardGroup(SETUP)
print(len(group.step(ChunkInput("a red ball")).frames), "frames", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="several cards need Linux")
def test_a_group_that_ends_in_order_says_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    """As `render` ends."""
    ended = subprocess.run(
        [sys.executable, "-c", GROUP],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert (ended.returncode, ended.stdout) == (0, "9 frames\n")
    wait_until(lambda: list(tmp_path.glob("streamvace-group-*")) == [], "the folder of the group is gone")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_three_processes_make_a_chunk_and_the_end_of_one_is_the_end_of_all(link: WorkerLink) -> None:
    ready = until(link, Ready)
    assert isinstance(ready, Ready)
    assert ready.about["device"] == "cpu, cpu, cpu"
    asked = until(link, Ask)
    assert isinstance(asked, Ask)
    control = np.zeros((asked.frames, *SIZE, 3), np.uint8)
    link.send(ChunkInput("a red ball", control=control))
    done = until(link, Done)
    assert isinstance(done, Done)
    assert link.chunk(done).frames.shape == control.shape
    first, other = psutil.Process(link.pid).children()
    os.kill(other.pid, signal.SIGKILL)
    with pytest.raises(EOFError):
        until(link, Done)
    psutil.wait_procs([first], timeout=60)
    assert not first.is_running()
