"""Threads share two heaps where the C library is glibc, and the user's own setting wins."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from streamvace.system.heaps import MOST, few_heaps

ROOT = Path(__file__).resolve().parents[2]
GLIBC = platform.libc_ver()[0] == "glibc"

HEAPS = """
import ctypes, sys, threading
from streamvace.system.heaps import few_heaps
if sys.argv[1] == "few":
    assert few_heaps()
libc = ctypes.CDLL(None)
ready, done = threading.Barrier(7), threading.Barrier(7)
def hold():
    libc.malloc(5000)
    ready.wait()
    done.wait()
for _ in range(6):
    threading.Thread(target=hold, daemon=True).start()
ready.wait()
libc.malloc_stats()
done.wait()
"""


def heaps(which: str) -> int:
    """How many heaps the C library has after six threads have allocated."""
    command = [sys.executable, "-c", HEAPS, which]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return done.stderr.count("Arena ")


@pytest.mark.skipif(not GLIBC, reason="heaps of glibc")
def test_six_threads_share_two_heaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    assert heaps("few") == MOST == 2
    assert heaps("default") > MOST


def test_the_users_own_number_of_heaps_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "8")
    assert not few_heaps()
