"""Python processes beside the show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_NO_WINDOW = 0x08000000
"""Windows' CREATE_NO_WINDOW: no console window, and no Ctrl-C from ours."""


def start_child(module: str, *words: str, quiet: bool = False) -> subprocess.Popen[bytes]:
    """Run a module as a program with unbuffered pipes for its standard input and output.

    It finds streamvace and everything that this process can import by PYTHONPATH. Ctrl-C in the terminal does not reach
    it: its owner ends it. quiet: what it writes to standard error goes nowhere. Raises OSError.
    """
    found = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-m", module, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        bufsize=0,
        env={**os.environ, "PYTHONPATH": found},
        creationflags=_NO_WINDOW if sys.platform == "win32" else 0,
        start_new_session=True,
    )


def own_pipes() -> tuple[int, int]:
    """For a process that `start_child` started: its pipes, as descriptors to read from and to write to.

    Libraries do not see them any more: what they print goes to standard error and not between the answers, and standard
    input is empty. Many libraries and drivers ask, while they are loaded, what kind of file standard input is. On
    Windows that question waits as long as a thread waits for input from the same pipe, so the process would hang.
    """
    pipes = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    return pipes
