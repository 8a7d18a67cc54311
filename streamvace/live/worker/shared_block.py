"""Blocks of memory that two processes share, reserved when they are made.

On Linux, shared memory is a file in /dev/shm, which has 64 MB in a container by default. The system hands it out page
by page, and a process that writes where nothing is left ends with a bus error and without a word. So a block is
reserved as a whole, and where /dev/shm is too small or missing, it is anonymous memory (memfd), which has no such
limit.
"""

from __future__ import annotations

import mmap
import os
import secrets
import sys
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from typing import TypeAlias

from streamvace.system.errors import UserError

FOLDER = "/dev/shm"
"""Where Linux keeps shared memory."""

_MB = 1e6


Block: TypeAlias = "SharedMemory | AnonymousMemory"
"""Shared memory: other processes attach to it by its `name`. `close` detaches, `unlink` removes it."""


def create(nbytes: int) -> tuple[Block, str]:
    """A new block, and a line for the user if it is not where shared memory belongs. Raises UserError."""
    free = _free()  # before the attempt, which fills it up
    try:
        return _named(nbytes), ""
    except OSError as error:
        there = f"{FOLDER} has {free / _MB:.1f} MB free" if free is not None else f"{FOLDER}: {error.strerror}"
    wanted = f"the pictures of a chunk need {nbytes / _MB:.1f} MB of shared memory, {there}"
    try:
        return AnonymousMemory.create(nbytes), f"{wanted}; anonymous memory is used instead"
    except OSError as error:
        raise UserError(
            f"{wanted}, and there is no other ({error.strerror}); "
            "start a container with --shm-size=512m, or take a smaller --size"
        ) from error


def attach(name: str) -> Block:
    """The block of another process."""
    if "/" in name:
        return AnonymousMemory(name)
    # Before 3.13, attaching registers the name with the resource tracker as well. A spawned child shares its parent's
    # tracker, which keeps a set of names, so the parent's unlink clears it.
    if sys.version_info >= (3, 13):
        return SharedMemory(name=name, track=False)
    return SharedMemory(name=name)


def _named(nbytes: int) -> SharedMemory:
    """Shared memory of the system, reserved. Raises OSError."""
    name = f"streamvace_{os.getpid()}_{secrets.token_hex(4)}"
    if os.name == "posix":
        # The resource tracker removes what a killed process leaves behind, but Python registers the name only after
        # the memory exists. A kill in between, most likely while the tracker is being started, would leave it.
        resource_tracker.register(f"/{name}", "shared_memory")
    try:
        memory = SharedMemory(name, create=True, size=nbytes)
    except OSError:
        if os.name == "posix":
            resource_tracker.unregister(f"/{name}", "shared_memory")
        raise
    try:
        _reserve(f"{FOLDER}/{name}", nbytes)
    except OSError:
        memory.close()
        memory.unlink()
        raise
    return memory


def _reserve(path: str, nbytes: int) -> None:
    """Claim every page of a block now. Other systems have no folder that can be full, and do so themselves."""
    if sys.platform != "linux":
        return
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.posix_fallocate(descriptor, 0, nbytes)
    finally:
        os.close(descriptor)


def _free() -> int | None:
    """Bytes free in FOLDER; None without one."""
    with suppress(OSError, AttributeError):  # Windows has no statvfs
        found = os.statvfs(FOLDER)
        return found.f_bavail * found.f_frsize
    return None


class AnonymousMemory:
    """A block without a file. Other processes reach it through the descriptor of the one that made it, and the system
    frees it with the last of them, however they end."""

    def __init__(self, name: str) -> None:
        """name: path of a descriptor, of this process or another. Raises OSError."""
        self.name = name
        descriptor = os.open(name, os.O_RDWR)
        try:
            self._map = mmap.mmap(descriptor, 0)
        finally:
            os.close(descriptor)
        self.buf = memoryview(self._map)
        self.size = len(self._map)
        self._owned: int | None = None

    @classmethod
    def create(cls, nbytes: int) -> AnonymousMemory:
        """A new block, reserved. Raises OSError, also where the system has no such memory."""
        if sys.platform != "linux":
            raise OSError(0, "this system has no anonymous shared memory")
        descriptor = os.memfd_create("streamvace")
        try:
            os.posix_fallocate(descriptor, 0, nbytes)
            made = cls(f"/proc/{os.getpid()}/fd/{descriptor}")
        except OSError:
            os.close(descriptor)
            raise
        made._owned = descriptor
        return made

    def close(self) -> None:
        """Detach from it. Idempotent."""
        self.buf.release()
        self._map.close()

    def unlink(self) -> None:
        """Give the descriptor back: nobody can attach any more."""
        if self._owned is not None:
            os.close(self._owned)
            self._owned = None
