"""The output as a window on this machine's screen."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from streamvace.errors import UserError
from streamvace.video.frame import Frame
from streamvace.video.mailbox import Mailbox

Size = tuple[int, int]


def display_available() -> bool:
    """Whether this machine seems to have a screen to open a window on. Cheap, opens nothing, never raises."""
    if sys.platform in ("win32", "darwin"):
        return True
    # pyglet speaks X11 only; a Wayland desktop offers it through XWayland and then sets DISPLAY as well.
    return bool(os.environ.get("DISPLAY"))


def letterbox(picture: Size, window: Size) -> tuple[int, int, int, int]:
    """Where the whole picture goes in the window, shape kept and centred: left, bottom, right, top in pixels."""
    scale = min(window[0] / picture[0], window[1] / picture[1])
    width, height = max(1, round(picture[0] * scale)), max(1, round(picture[1] * scale))
    left, bottom = (window[0] - width) // 2, (window[1] - height) // 2
    return left, bottom, left + width, bottom + height


def opening_size(picture: Size, screen: Size) -> Size:
    """The picture times the largest whole number that leaves a third of the screen free; at least the picture."""
    factor = max(1, min(2 * screen[0] // (3 * picture[0]), 2 * screen[1] // (3 * picture[1])))
    return picture[0] * factor, picture[1] * factor


class WindowSink:
    """A window that shows the newest frame.

    Windows belong to the thread that opened them, and on macOS and Windows that must be the main thread. So the
    presenter's `publish` only leaves the frame, from any thread, and the application's main thread makes the window,
    calls `pump` at its own cadence, and closes it.

    F switches full screen; Escape or the window's own button asks to quit: `closed` becomes true, `on_quit` is called,
    and the window stays until `close`, so that the application decides.
    """

    def __init__(
        self,
        size: Size,
        title: str = "streamvace",
        full_screen: bool = False,
        on_quit: Callable[[], None] | None = None,
        window_size: Size | None = None,
    ) -> None:
        """size: (width, height) of the frames; window_size: by default a whole multiple of it that suits the screen.

        Raises UserError when there is no screen or no OpenGL.
        """
        self.name = "window"
        self.on_quit = on_quit
        self.drawn = 0
        """Frames that reached the screen."""
        self._slot: Mailbox[Frame] = Mailbox()
        self._asked_to_quit = False
        self._open = True
        self._window = _open_window(size, title, full_screen, window_size)
        self._window.push_handlers(on_close=self._quit, on_key_press=self._key)
        from streamvace.video.window_picture import WindowPicture  # needs the window's OpenGL context

        self._picture = WindowPicture(self._window)

    @property
    def dropped(self) -> int:
        """Frames replaced by a newer one before they were drawn."""
        return self._slot.dropped

    @property
    def closed(self) -> bool:
        """Whether the user asked to quit, or the window was closed."""
        return self._asked_to_quit or not self._open

    def publish(self, frame: Frame) -> None:
        self._slot.put(frame)

    def pump(self) -> None:
        """Handle what the user did, and draw if there is something new to draw. On the thread that made the window."""
        if not self._open:
            return
        self._window.switch_to()
        self._window.dispatch_events()
        frame = self._slot.take()
        if frame is not None:
            self._picture.upload(frame.pixels)
            self.drawn += 1
        # Drawn every time, new frame or not: after a resize or under another window the old picture is gone.
        self._picture.draw()
        self._window.flip()

    def close(self) -> None:
        """Close the window. On the thread that made it."""
        if self._open:
            self._open = False
            self._slot.close()
            self._window.close()

    def _quit(self) -> bool:
        first = not self._asked_to_quit
        self._asked_to_quit = True
        if first and self.on_quit is not None:
            self.on_quit()
        return True  # keeps pyglet from closing the window under us

    def _key(self, symbol: int, modifiers: int) -> bool:
        from pyglet.window import key

        if symbol == key.ESCAPE:
            return self._quit()
        if symbol == key.F:
            self._window.set_fullscreen(not self._window.fullscreen)
            self._window.set_mouse_visible(not self._window.fullscreen)
        return True


def _open_window(size: Size, title: str, full_screen: bool, window_size: Size | None) -> Any:
    if not display_available():
        raise UserError(
            "no screen: DISPLAY is not set; use --output web and open the printed address, or --output ndi:"
        )
    try:
        import pyglet

        # Shader checks cost time; the shadow window would be a second context that nobody needs.
        pyglet.options.debug_gl = False
        pyglet.options.shadow_window = False
        screen = pyglet.display.get_display().get_default_screen()
        width, height = window_size or opening_size(size, (screen.width, screen.height))
        # Straight alpha is not for the desktop: without alpha bits no compositor can show itself through the picture.
        config = pyglet.gl.Config(double_buffer=True, alpha_size=0, depth_size=0, sample_buffers=0)
        window = pyglet.window.Window(width, height, title, resizable=True, config=config, vsync=True)
        if full_screen:
            window.set_fullscreen(True)
            window.set_mouse_visible(False)
        return window
    except Exception as error:
        shown = os.environ.get("DISPLAY", "this desktop")
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"no window on {shown} ({reason}); use --output web and open the printed address") from error
