"""A show in a console of its own: its keys are pressed, its window is closed, its user logs off. Windows only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from tests.live.running import Running
from tests.live.show import PATIENCE_S

CTRL_BREAK, CLOSE = 1, 2

PRESS = """
import ctypes, sys
CTRL_C = 0
kernel = ctypes.WinDLL("kernel32", use_last_error=True)
handled = ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)(lambda event: 1)  # the key is not for this process
kernel.FreeConsole()
for done in (
    kernel.AttachConsole(int(sys.argv[1])),
    kernel.SetConsoleCtrlHandler(handled, 1),
    kernel.GenerateConsoleCtrlEvent(CTRL_C, 0),
):
    if not done:
        raise ctypes.WinError(ctypes.get_last_error())
"""
"""A process has one console, so another process joins that of the show and presses Ctrl-C."""

TELL = """
import ctypes, sys
from ctypes import wintypes
kernel = ctypes.WinDLL("kernel32", use_last_error=True)
kernel.GetModuleHandleW.restype = kernel.OpenProcess.restype = kernel.GetProcAddress.restype = ctypes.c_void_p
kernel.GetProcAddress.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
kernel.CreateRemoteThread.argtypes = (ctypes.c_void_p,) * 2 + (ctypes.c_size_t,) + (ctypes.c_void_p,) * 2 + (
    wintypes.DWORD, ctypes.c_void_p)
kernel.CreateRemoteThread.restype = ctypes.c_void_p
ALL_ACCESS = 0x1FFFFF
routine = kernel.GetProcAddress(kernel.GetModuleHandleW("kernelbase.dll"), b"CtrlRoutine")
for pid in map(int, sys.argv[2:]):
    process = kernel.OpenProcess(ALL_ACCESS, 0, pid)
    if not process or not kernel.CreateRemoteThread(process, None, 0, routine, int(sys.argv[1]), 0, None):
        raise ctypes.WinError(ctypes.get_last_error())
"""
"""Windows tells a process of an event of its console by a thread at CtrlRoutine, which calls the handlers. Wine has
CtrlRoutine and uses it for Ctrl-C only: it drops Ctrl-Break, and ends processes whose window is closed untold."""

LOG_OFF = """
import ctypes, sys
from ctypes import wintypes
QUERY_END, END, LOGGING_OFF = 0x11, 0x16, 0x80000000
user = ctypes.WinDLL("user32")
user.SendMessageW.argtypes = (wintypes.HWND, wintypes.UINT, ctypes.c_size_t, ctypes.c_ssize_t)
asked = []
@ctypes.WINFUNCTYPE(ctypes.c_int, wintypes.HWND, wintypes.LPARAM)
def ask(window, _):
    pid = wintypes.DWORD()
    user.GetWindowThreadProcessId(window, ctypes.byref(pid))
    if pid.value in map(int, sys.argv[1:]):
        asked.append(window)
    return 1
user.EnumWindows(ask, 0)
assert asked, "it has no window that could be asked"
for window in asked:
    assert user.SendMessageW(window, QUERY_END, 0, -LOGGING_OFF), "it refuses"
for window in asked:
    user.SendMessageW(window, END, 1, -LOGGING_OFF)
"""
"""Windows asks every window whether the session may end, and then says that it does."""


class InAConsole(Running):
    """What is done to it is done to every process of its console: the show and its worker, as for a user."""

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

    def press_ctrl_c(self) -> None:
        _do(PRESS, self.process.pid)

    def press_ctrl_break(self) -> None:
        self._tell(CTRL_BREAK)

    def close_console(self) -> None:
        self._tell(CLOSE)

    def log_off(self) -> None:
        _do(LOG_OFF, *self._in_console())

    def _tell(self, event: int) -> None:
        _do(TELL, event, *self._in_console())

    def _in_console(self) -> list[int]:
        """Its processes in the order in which Windows tells them, the last one first: worker, show, and the launcher
        of a virtual environment. The encoder has no console."""
        ours = psutil.Process(self.process.pid)
        lines = {each.pid: each.cmdline() for each in (ours, *ours.children(recursive=True))}
        return [pid for pid, line in reversed(lines.items()) if "streamvace" in line or "spawn_main" in " ".join(line)]


def _do(program: str, *words: int) -> None:
    subprocess.run([sys.executable, "-c", program, *map(str, words)], check=True, timeout=PATIENCE_S)
