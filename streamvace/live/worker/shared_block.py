"""Blocks of memory that two processes share, reserved when they are made.

On Linux a block is anonymous (memfd): the system frees it with the last process that holds it, however they end. Named
shared memory would stay in /dev/shm after `kill -9` of the whole process group, has 64 MB in a container by default,
and a process that writes where nothing is left ends with a bus error and without a word.
"""

from __future__ import annotations

import mmap
import os
import secrets
import sys
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from typing import TypeAlias

import psutil

from streamvace.system.errors import UserError

_MB = 1e6


Block: TypeAlias = "SharedMemory | AnonymousMemory"
"""Shared memory: other processes attach to it by its `name`. `close` detaches, `unlink` removes it."""


def create(nbytes: int) -> Block:
    """A new block. Raises UserError if there is no memory for it."""
    try:
        return AnonymousMemory.create(nbytes) if sys.platform == "linux" else _named(nbytes)
    except OSError as error:
        raise UserError(
            f"the pictures of a chunk need {nbytes / _MB:.1f} MB of shared memory, "
            f"{psutil.virtual_memory().available / _MB:.1f} MB are available ({error.strerror}); take a smaller --size"
        ) from error


def attach(name: str) -> Block:
    """The block of another process."""
    return AnonymousMemory(name) if sys.platform == "linux" else _attached(name)


def _attached(name: str) -> SharedMemory:
    # Before 3.13, attaching registers the name with the resource tracker as well. A spawned child shares its parent's
    # tracker, which keeps a set of names, so the parent's unlink clears it.
    if sys.version_info >= (3, 13):
        return SharedMemory(name=name, track=False)
    return SharedMemory(name=name)


def _named(nbytes: int) -> SharedMemory:
    """Shared memory of the system. Raises OSError."""
    name = f"streamvace_{os.getpid()}_{secrets.token_hex(4)}"
    if os.name == "posix":
        # The resource tracker removes what a killed process leaves behind, but Python registers the name only after
        # the memory exists. A kill in between, most likely while the tracker is being started, would leave it.
        resource_tracker.register(f"/{name}", "shared_memory")
    try:
        return SharedMemory(name, create=True, size=nbytes)
    except OSError:
        if os.name == "posix":
            resource_tracker.unregister(f"/{name}", "shared_memory")
        raise


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
        """A new block, every page of it reserved. Linux only. Raises OSError."""
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
