"""Helpers for tests with real processes: the workers of a show, is one gone, is its memory gone, a stage to kill."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from multiprocessing.shared_memory import SharedMemory

import psutil


def process_gone(pid: int) -> bool:
    """No such process, or a zombie that only waits for whoever started it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # os.kill(pid, 0) would be Ctrl-C on Windows
    except psutil.NoSuchProcess:
        return True


def workers(pid: int) -> list[int]:
    """The workers of a show that live. pid: the show's, or that of the launcher of a virtual environment on Windows."""
    living = []
    for child in psutil.Process(pid).children(recursive=True):
        # It ended meanwhile. On Windows the system may say then that a number is wrong, or that nobody may look.
        with suppress(psutil.Error, OSError):
            if "spawn_main" in " ".join(child.cmdline()) and not process_gone(child.pid):
                living.append(int(child.pid))
    return living


def memory_gone(name: str) -> bool:
    """No shared memory of that name is left. On Linux it is a descriptor, whose number may be another file's by now."""
    if sys.platform.startswith("linux"):
        try:
            return not os.readlink(name).startswith("/memfd:streamvace")
        except OSError:
            return True
    try:
        SharedMemory(name=name).close()
    except FileNotFoundError:
        return True
    return False


STAGE = """
import sys, time
from streamvace.live.worker.messages import Ask, WorkerSetup
from streamvace.live.worker.worker_link import WorkerLink

if __name__ == "__main__":
    link = WorkerLink(WorkerSetup("tests.live.fakes:make", "embedded", (64, 64)))
    while not isinstance(link.receive(0.1), Ask):
        pass
    print(link.pid, link._inbox.name, link._outbox.name, flush=True)
    time.sleep(600)
"""
"""A stage that starts a worker, says its process id and the names of the shared memory, and waits to be killed."""
