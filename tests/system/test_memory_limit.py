"""A process that limits its memory cannot take more."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such limit")
def test_what_is_over_the_limit_fails_to_be_allocated() -> None:
    program = (
        "from streamvace.system.memory_limit import limit_memory\n"
        "assert limit_memory(300 * 2**20)\n"
        "kept = bytearray(100 * 2**20)\n"
        "try:\n    bytearray(400 * 2**20)\nexcept MemoryError:\n    print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["refused"]
