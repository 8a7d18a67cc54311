"""Run by test_window.py in a process of its own, with a screen: opens a real window and tells what it saw, as JSON."""

from __future__ import annotations

import json
import sys
import threading
from ctypes import POINTER, c_ubyte
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.records.frame import Frame
from streamvace.system.errors import UserError
from streamvace.video.window.sink import WindowSink

SIZE = (160, 90)


def picture(seed: int = 0) -> NDArray[np.uint8]:
    """Noise, all alphas, and corners that tell which way is up: red top left, green top right, blue bottom left."""
    pixels = np.random.default_rng(seed).integers(0, 256, (SIZE[1], SIZE[0], 4), dtype=np.uint8)
    pixels[:20, :20] = (255, 0, 0, 255)
    pixels[:20, -20:] = (0, 255, 0, 0)
    pixels[-20:, :20] = (0, 0, 255, 128)
    return pixels


class Screen:
    """Keeps what each flip brings to the screen. Software OpenGL cannot read the screen itself back."""

    def __init__(self, window: Any) -> None:
        self.shown: NDArray[np.uint8] = np.zeros((1, 1, 3), np.uint8)
        self._window = window
        self._flip = window.flip
        window.flip = self.flip

    def flip(self) -> None:
        from pyglet import gl

        width, height = self._window.get_framebuffer_size()
        pixels = np.zeros((height, width, 3), np.uint8)
        gl.glReadBuffer(gl.GL_BACK)
        gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 1)
        gl.glReadPixels(0, 0, width, height, gl.GL_RGB, gl.GL_UNSIGNED_BYTE, pixels.ctypes.data_as(POINTER(c_ubyte)))
        self.shown = pixels[::-1]  # uint8 [H, W, 3], top row first
        self._flip()


def without_a_font(lines: object) -> None:
    raise AssertionError("Font: 'Segoe UI' not found")


def main(screenshot: str) -> None:
    report: dict[str, object] = {}
    asked = threading.Event()
    sink = WindowSink(SIZE, on_quit=asked.set, window_size=SIZE)
    from pyglet.window import key  # before the sink's own import, it would make one more window, which nobody sees

    window = sink._window
    screen = Screen(window)
    sink.pump()
    report["black_before_the_first"] = int(screen.shown.max()) == 0

    publisher = threading.Thread(target=lambda: [sink.publish(Frame(picture(n), 0, "test", n)) for n in range(5)])
    publisher.start()
    publisher.join()
    sink.pump()
    report["difference_at_1_to_1"] = int(np.abs(screen.shown.astype(int) - picture(4)[..., :3]).max())
    report["drawn"], report["dropped"] = sink.drawn, sink.dropped
    sink.pump()
    report["difference_when_drawn_again"] = int(np.abs(screen.shown.astype(int) - picture(4)[..., :3]).max())

    window.set_size(400, 300)
    for _ in range(3):
        sink.pump()
    shown = screen.shown
    cv2.imwrite(screenshot, shown[..., ::-1])
    report["letterboxed_size"] = [shown.shape[1], shown.shape[0]]
    report["bars_are_black"] = int(max(shown[:36].max(), shown[-36:].max())) == 0
    corners = [shown[40, 3], shown[40, -4], shown[-41, 3]]
    report["corners"] = [corner.tolist() for corner in corners]

    small = np.full((10, 30, 4), (9, 99, 199, 255), np.uint8)
    sink.publish(Frame(small, 0, "test", 9))
    sink.pump()
    report["after_a_change_of_size"] = screen.shown[150, 200].tolist()

    window.dispatch_event("on_key_press", key.F, 0)
    sink.pump()
    report["full_screen"] = window.fullscreen
    window.dispatch_event("on_key_press", key.F, 0)
    sink.pump()
    report["full_screen_left"] = not window.fullscreen
    window.set_size(900, 506)  # a real screen's share; letters can be read
    called: list[str] = []
    sink.bind(
        {"SPACE": lambda: called.append("space"), "F": lambda: called.append("not ours")},
        lambda: [("space", "next cue")],
    )
    sink.publish(Frame(picture(), 0, "test", 10))
    for _ in range(3):
        sink.pump()
    plain = screen.shown
    window.dispatch_event("on_key_press", key.SPACE, 0)
    window.dispatch_event("on_key_press", key.Q, 0)
    report["called"] = called
    window.dispatch_event("on_key_press", key.H, 0)
    sink.pump()
    cv2.imwrite(screenshot.replace(".png", "-help.png"), screen.shown[..., ::-1])
    changed = (screen.shown != plain).any(axis=2)
    report["help_covers"] = float(changed.mean())
    bright = (screen.shown.astype(int).sum(axis=2) > 700) & changed
    report["help_has_letters"] = int(bright.sum())
    window.dispatch_event("on_key_press", key.H, 0)
    sink.pump()
    report["difference_after_help"] = int(np.abs(screen.shown.astype(int) - plain).max())
    sink._help.draw = without_a_font  # type: ignore[method-assign]
    window.dispatch_event("on_key_press", key.H, 0)
    for _ in range(2):
        sink.pump()
    report["difference_without_a_font"] = int(np.abs(screen.shown.astype(int) - plain).max())
    window.dispatch_event("on_key_press", key.D, 0)
    sink.pump()
    report["still_shown_on_the_next_display"] = screen.shown.shape == plain.shape and not sink.closed
    report["open_before_escape"] = not sink.closed
    window.dispatch_event("on_key_press", key.ESCAPE, 0)
    sink.pump()
    report["escape_asks_to_quit"] = sink.closed and asked.is_set()
    sink.pump()
    report["window_stays_until_closed"] = window._context is not None
    sink.close()
    sink.close()
    sink.pump()
    sink.publish(Frame(small, 0, "test", 10))
    try:
        WindowSink(SIZE, display=9)
    except UserError as error:
        report["no_such_display"] = str(error)
    again = WindowSink(SIZE, full_screen=True, display=1)
    again.pump()
    report["full_screen_on_a_chosen_display"] = again._window.fullscreen
    again.close()
    print(json.dumps(report))


main(sys.argv[1])
