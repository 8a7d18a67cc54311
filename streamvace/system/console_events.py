"""What Windows tells a program by handlers instead of signals: Ctrl-Break, a closed console window, logging off,
shutting down.

After all but Ctrl-Break, Windows ends the process when the handler returns, or after about five seconds. So a handler
says that the program is to end and then waits: the main thread closes the outputs and ends the process. Other systems
send signals.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_CTRL_C, _CTRL_BREAK = 0, 1
"""The other events end the process: the console's window is closed (2), the user logs off (5), a shutdown (6)."""

_HELD_S = 60.0
"""Longer than Windows waits for any handler."""

_held = threading.Event()
"""Set, for good, when a console's handler waits for the end of this process. Windows locks the list of handlers while
one runs: whoever changes the list then waits, too, and the show would not get to its end."""

_WM_QUERYENDSESSION, _WM_ENDSESSION, _WM_QUIT = 0x11, 0x16, 0x12


@contextmanager
def ended_by_windows(stop: Callable[[], object]) -> Iterator[None]:
    """Call `stop` at Ctrl-Break, when the console window is closed, the user logs off or the system shuts down; nothing
    on other systems. stop: called on a thread of the system's. After all but Ctrl-Break, the process ends a few seconds
    later, finished or not."""
    if sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32")
        handler = ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)(lambda event: handled(event, stop))
        kernel.SetConsoleCtrlHandler(handler, True)
        watching = threading.Event()
        watch = threading.Thread(target=_watch_session, args=(stop, watching), name="session watch", daemon=True)
        watch.start()
        try:
            yield
        finally:
            if not _held.is_set():
                kernel.SetConsoleCtrlHandler(handler, False)
            watching.wait()  # before, the thread has no queue, and the message would be lost
            ctypes.WinDLL("user32").PostThreadMessageW(watch.native_id, _WM_QUIT, 0, 0)
    else:
        yield


def handled(event: int, stop: Callable[[], object]) -> bool:
    """The handler of a console. False leaves the event to the handler before it: Python makes a signal of Ctrl-C."""
    if event == _CTRL_C:
        return False
    if event == _CTRL_BREAK:
        stop()
    else:
        _held.set()
        stop()
        time.sleep(_HELD_S)
    return True


def answer(message: int, leaving: int, stop: Callable[[], object]) -> int | None:
    """A window's answer to a message about the end of the session; None for any other message. leaving: 0 if another
    program has refused the end."""
    if message == _WM_QUERYENDSESSION:
        return 1
    if message != _WM_ENDSESSION:
        return None
    if leaving:
        stop()
        time.sleep(_HELD_S)
    return 0


def _watch_session(stop: Callable[[], object], watching: threading.Event) -> None:
    """Own a window that nobody sees, until this thread gets WM_QUIT. watching: set when it exists.

    A program that has loaded user32 gets no console event for the end of a session: Windows asks its windows.
    """
    if sys.platform == "win32":
        from ctypes import wintypes

        word = ctypes.c_size_t  # as wide as a pointer, like WPARAM, LPARAM and LRESULT
        procedure = ctypes.WINFUNCTYPE(word, wintypes.HWND, wintypes.UINT, word, word)

        class WindowClass(ctypes.Structure):
            """WNDCLASSW of the Windows API."""

            _fields_ = (
                ("style", wintypes.UINT),
                ("procedure", procedure),
                ("class_extra", ctypes.c_int),
                ("window_extra", ctypes.c_int),
                *((name, ctypes.c_void_p) for name in ("instance", "icon", "cursor", "background")),
                ("menu", wintypes.LPCWSTR),
                ("name", wintypes.LPCWSTR),
            )

        user: Any = ctypes.WinDLL("user32")
        user.DefWindowProcW.argtypes = (wintypes.HWND, wintypes.UINT, word, word)
        user.DefWindowProcW.restype = word
        user.CreateWindowExW.argtypes = (
            *(wintypes.DWORD, wintypes.LPCWSTR, wintypes.LPCWSTR, wintypes.DWORD),
            *(*(ctypes.c_int,) * 4, *(ctypes.c_void_p,) * 4),
        )
        user.CreateWindowExW.restype = ctypes.c_void_p

        @procedure
        def serve(window: int, message: int, leaving: int, reason: int) -> int:
            known = answer(message, leaving, stop)
            return int(user.DefWindowProcW(window, message, leaving, reason) if known is None else known)

        name = f"streamvace session watch {threading.get_native_id()}"
        user.RegisterClassW(ctypes.byref(WindowClass(procedure=serve, name=name)))
        # A top-level window: one below HWND_MESSAGE gets no messages about the session.
        window = user.CreateWindowExW(0, name, None, 0, 0, 0, 0, 0, None, None, None, None)
        watching.set()
        message = wintypes.MSG()
        while user.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
            user.DispatchMessageW(ctypes.byref(message))
        user.DestroyWindow(ctypes.c_void_p(window))
        user.UnregisterClassW(name, None)


@contextmanager
def children_without_interrupts() -> Iterator[None]:
    """Processes that are started meanwhile get no Ctrl-C of the console, from their first instruction on. Windows only;
    Ctrl-C in these milliseconds is lost."""
    if sys.platform == "win32" and not _held.is_set():
        kernel = ctypes.WinDLL("kernel32")
        kernel.SetConsoleCtrlHandler(None, True)  # a child inherits this attribute
        try:
            yield
        finally:
            kernel.SetConsoleCtrlHandler(None, False)
    else:
        yield
