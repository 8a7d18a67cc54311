"""How PyTorch takes memory from a CUDA card."""

from __future__ import annotations

import os
import sys

VARIABLES = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")
"""The name that every version of PyTorch reads, and the newer one."""


def grow_segments() -> None:
    """Let PyTorch extend its pieces of device memory instead of adding new ones. Call it before torch is imported.

    Prompt encoding, a recache and references need tensors of other sizes than a steady chunk. With fixed pieces, what
    they leave free fits nothing else, and memory runs out although enough is free. PyTorch supports this on Linux only.
    The user's own setting wins. Child processes inherit it.
    """
    if sys.platform == "linux" and not any(name in os.environ for name in VARIABLES):
        os.environ[VARIABLES[0]] = "expandable_segments:True"
