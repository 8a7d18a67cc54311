"""Shared memory that is too small is told in one line, never by a bus error."""

from __future__ import annotations

import errno
import os
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

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps shared memory in a folder")

FULL = OSError(errno.ENOSPC, "No space left on device")

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A /dev/shm without room for the block."""

    def refuse(path: str, nbytes: int) -> None:
        raise FULL

    monkeypatch.setattr(shared_block, "_reserve", refuse)


@linux
def test_every_page_of_a_block_is_reserved_when_it_is_made() -> None:
    memory, note = create(1 << 20)
    try:
        assert note == ""
        assert os.stat(f"{shared_block.FOLDER}/{memory.name}").st_blocks * 512 >= 1 << 20
    finally:
        memory.close()
        memory.unlink()


@linux
def test_pixels_cross_in_anonymous_memory_where_the_folder_is_too_small(full: None) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (3, 20, 30, 3), np.uint8)
    before = {entry.name for entry in os.scandir(shared_block.FOLDER)}
    with closing(SharedFrames.create(pixels.nbytes)) as ours, closing(SharedFrames.attach(ours.name)) as theirs:
        assert ours.note.endswith("anonymous memory is used instead")
        received = theirs.unpack(ours.pack(ChunkInput("", control=pixels)))
        assert (received.control == pixels).all()
        made = {entry.name for entry in os.scandir(shared_block.FOLDER)} - before
        assert not any(name.startswith(f"streamvace_{os.getpid()}_") for name in made), "nothing is left in the folder"
    with pytest.raises(OSError, match="No such"):
        attach(ours.name)


@linux
def test_a_missing_folder_is_as_good_as_a_full_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object, **named: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(shared_block, "SharedMemory", missing)
    memory, note = create(1000)
    assert isinstance(memory, AnonymousMemory)
    assert "anonymous memory" in note
    memory.close()
    memory.unlink()


@linux
def test_without_any_memory_the_line_names_what_is_wanted_what_is_there_and_the_fix(
    full: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(nbytes: int) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(AnonymousMemory, "create", nothing)
    monkeypatch.setattr(shared_block, "_free", lambda: 1_000_000)
    with pytest.raises(UserError) as caught:
        create(25_600_000)
    assert str(caught.value) == (
        "the pictures of a chunk need 25.6 MB of shared memory, /dev/shm has 1.0 MB free, and there is no other "
        "(Cannot allocate memory); start a container with --shm-size=512m, or take a smaller --size"
    )


SMALL_FOLDER = """
import numpy as np
from contextlib import closing
from streamvace.live.worker.shared_frames import SharedFrames
from streamvace.records.chunk import ChunkInput

with closing(SharedFrames.create(8 << 20)) as memory:
    memory.pack(ChunkInput("", control=np.full((2, 1024, 1024, 3), 7, np.uint8)))
    print(memory.note)
"""


@linux
def test_a_container_with_little_shared_memory_works_and_says_so() -> None:
    """With a real file system of 1 MB at /dev/shm, in a namespace of its own."""
    inside = 'mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "$0" -c "$1"'
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", inside, sys.executable, SMALL_FOLDER],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no namespaces here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (
        "the pictures of a chunk need 8.4 MB of shared memory, /dev/shm has 1.0 MB free; "
        "anonymous memory is used instead"
    )
