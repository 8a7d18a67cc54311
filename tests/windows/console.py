"""A show in a console of its own, whose keys can be pressed. Windows only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.live.running import Running
from tests.live.show import PATIENCE_S

CTRL_C, CTRL_BREAK = 0, 1

PRESS = """
import ctypes, sys
kernel = ctypes.WinDLL("kernel32", use_last_error=True)
handled = ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)(lambda event: 1)  # the keys are not for this process
kernel.FreeConsole()
for done in (
    kernel.AttachConsole(int(sys.argv[1])),
    kernel.SetConsoleCtrlHandler(handled, 1),
    kernel.GenerateConsoleCtrlEvent(int(sys.argv[2]), 0),
):
    if not done:
        raise ctypes.WinError(ctypes.get_last_error())
"""
"""A process has one console, so another process joins that of the show and presses its keys."""


class InAConsole(Running):
    """`press` sends a key to every process of its console: the show and its worker, as for a user."""

    def spawn(self, command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            creationflags=subprocess.CREATE_NEW_CONSOLE if sys.platform == "win32" else 0,
        )

    def press(self, key: int) -> None:
        subprocess.run([sys.executable, "-c", PRESS, str(self.process.pid), str(key)], check=True, timeout=PATIENCE_S)
