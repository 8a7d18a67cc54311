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
