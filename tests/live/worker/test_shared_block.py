"""Shared memory is reserved when it is made, leaves nothing behind, and is told where there is too little."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from streamvace.live.worker import shared_block
from streamvace.live.worker.shared_block import AnonymousMemory, attach, create
from streamvace.live.worker.shared_frames import SharedFrames
from streamvace.records.chunk import ChunkInput
from streamvace.system.errors import UserError

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has memory without a name")

ROOT = Path(__file__).resolve().parents[3]


@linux
def test_every_page_of_a_block_is_reserved_when_it_is_made() -> None:
    memory = create(1 << 20)
    try:
        assert os.stat(memory.name).st_blocks * 512 >= 1 << 20
    finally:
        memory.close()
        memory.unlink()


@linux
def test_a_block_ends_with_its_owner() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (3, 20, 30, 3), np.uint8)
    with closing(SharedFrames.create(pixels.nbytes)) as ours, closing(SharedFrames.attach(ours.name)) as theirs:
        received = theirs.unpack(ours.pack(ChunkInput("", control=pixels)))
        assert (received.control == pixels).all()
    with pytest.raises(OSError, match="No such"):
        attach(ours.name)


def test_pixels_cross_in_named_memory_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    memory = create(4096)
    try:
        other = attach(memory.name)
        memory.buf[:3] = b"abc"
        assert bytes(other.buf[:3]) == b"abc"
        other.close()
    finally:
        memory.close()
        memory.unlink()


@linux
def test_without_memory_the_line_names_what_is_wanted_what_is_there_and_the_fix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nothing(nbytes: int) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(AnonymousMemory, "create", nothing)
    monkeypatch.setattr(shared_block.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 9_000_000}))
    with pytest.raises(UserError) as caught:
        create(25_600_000)
    assert str(caught.value) == (
        "the pictures of a chunk need 25.6 MB of shared memory, 9.0 MB are available (Cannot allocate memory); "
        "take a smaller --size"
    )


HOLD = """
import time
import numpy as np
from streamvace.live.worker.shared_frames import SharedFrames
from streamvace.records.chunk import ChunkInput

memory = SharedFrames.create(8 << 20)
memory.pack(ChunkInput("", control=np.full((2, 1024, 1024, 3), 7, np.uint8)))
print(memory.name, flush=True)
time.sleep(600)
"""


@linux
def test_a_container_with_little_shared_memory_works_and_a_killed_group_leaves_nothing() -> None:
    """With a real file system of 1 MB at /dev/shm, in a namespace of its own where the system allows one."""
    inside = 'mount -t tmpfs -o size=1m tmpfs /dev/shm 2>/dev/null; exec "$0" -c "$1"'
    command = [sys.executable, HOLD]
    spaces = ["unshare", "--mount", "--map-root-user"]
    allowed = subprocess.run([*spaces, "true"], capture_output=True, check=False).returncode == 0
    before = set(os.listdir("/dev/shm"))
    with subprocess.Popen(
        [*(spaces if allowed else ()), "sh", "-c", inside if allowed else 'exec "$0" -c "$1"', *command],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert os.stat(name).st_size >= 8 << 20
        os.killpg(process.pid, signal.SIGKILL)
    assert not Path(name).exists()
    assert not [each for each in set(os.listdir("/dev/shm")) - before if each.startswith(f"streamvace_{process.pid}")]
