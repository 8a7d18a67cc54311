"""The output as a window on this machine's screen."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamvace.records.frame import Frame
from streamvace.system.console import one_line
from streamvace.system.errors import UserError
from streamvace.video.core.mailbox import Mailbox
from streamvace.video.window.geometry import Size, opening_size

OWN_KEYS = (("f", "full screen"), ("d", "next display"), ("h", "hide this"), ("escape", "end the show"))
"""Keys of every window, with their help."""

log = logging.getLogger(__name__)

_FROM_EDGE = 40
"""Pixels between a window and the corner of its display."""


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """Options of an address, as in `window:full?display=2`."""

    display: int = 0
    """Counted from 1; 0 is the desktop's default display."""


def display_available() -> bool:
    """Whether this machine seems to have a screen. Cheap, opens nothing, never raises."""
    if sys.platform in ("win32", "darwin"):
        return True
    # pyglet supports X11 only; Wayland desktops offer it through XWayland and then set DISPLAY.
    return bool(os.environ.get("DISPLAY"))


def opengl_renderer() -> str:
    """Name of the graphics adapter that draws for this program, which is also the one that its Spout textures live on.

    "" without a screen or without OpenGL. Opens a hidden window for a moment.
    """
    if not display_available():
        return ""
    try:
        import pyglet

        pyglet.options.shadow_window = False
        window = pyglet.window.Window(16, 16, visible=False)
        name: str = window.context.get_info().get_renderer()
        window.close()
    except Exception as error:  # noqa: BLE001 - a driver raises anything; the check names what it said
        return f"none ({one_line(error)})"
    return name


class WindowSink:
    """A window that shows the newest frame.

    A window belongs to the thread that opened it, on macOS and Windows to the main thread. So `publish` only leaves the
    frame, from any thread, and the main thread makes the window, calls `pump` regularly, and closes it.

    F switches full screen, D moves to the next display, H shows the keys; `bind` adds keys. Escape or the close button
    asks to quit: `closed` becomes true, `on_quit` is called, and the window stays until the application calls `close`.
    """

    def __init__(
        self,
        size: Size,
        full_screen: bool = False,
        on_quit: Callable[[], None] | None = None,
        window_size: Size | None = None,
        display: int = 0,
    ) -> None:
        """size: (width, height) of the frames; window_size: default: a whole multiple of `size` that suits the screen;
        display: counted from 1 in the desktop's order; 0 is its default display.

        Raises UserError without such a display or without OpenGL.
        """
        self.name = "window"
        self.on_quit = on_quit
        self.drawn = 0
        """Frames that reached the screen."""
        self._slot: Mailbox[Frame] = Mailbox()
        self._asked_to_quit = False
        self._open = True
        self._actions: Mapping[str, Callable[[], None]] = {}
        self._help_lines: Callable[[], Sequence[tuple[str, str]]] = tuple
        self._help_shown = False
        self._window = _open_window(size, full_screen, window_size, display)
        self._window.push_handlers(on_close=self._quit, on_key_press=self._key)
        from streamvace.video.window.help import WindowHelp
        from streamvace.video.window.picture import WindowPicture  # needs the window's OpenGL context

        self._picture = WindowPicture(self._window)
        self._help = WindowHelp(self._window)

    def bind(
        self, actions: Mapping[str, Callable[[], None]], help_lines: Callable[[], Sequence[tuple[str, str]]] = tuple
    ) -> None:
        """Add keys, by pyglet's names, called on the window's thread; F, D, H and Escape cannot be rebound.

        help_lines: gives (key, what it does) for the help, each time it is drawn.
        """
        self._actions, self._help_lines = actions, help_lines

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
        """Handle keys and other events, and draw. On the thread that made the window."""
        if not self._open:
            return
        self._window.switch_to()
        self._window.dispatch_events()
        frame = self._slot.take()
        if frame is not None:
            self._picture.upload(frame.pixels)
            self.drawn += 1
        # Drawn every time: a resize or another window on top erases the picture.
        self._picture.draw()
        if self._help_shown:
            self._draw_help()
        self._window.flip()

    def close(self) -> None:
        """Close the window. On the thread that made it."""
        if self._open:
            self._open = False
            self._slot.close()
            self._window.close()

    def _draw_help(self) -> None:
        try:
            self._help.draw((*self._help_lines(), *OWN_KEYS))
        except Exception as error:  # noqa: BLE001 - a system without fonts, say; it costs the help and not the show
            self._help_shown = False
            log.warning("the window cannot show its keys (%s); they are in docs/video-io.md", one_line(error))

    def _quit(self) -> bool:
        first = not self._asked_to_quit
        self._asked_to_quit = True
        if first and self.on_quit is not None:
            self.on_quit()
        return True  # keeps pyglet from closing the window

    def _key(self, symbol: int, modifiers: int) -> bool:
        from pyglet.window import key

        if symbol == key.ESCAPE:
            return self._quit()
        name: str = key.symbol_string(symbol)
        own = {"F": self._switch_full_screen, "D": self._next_display, "H": self._switch_help}
        action = own.get(name) or self._actions.get(name)
        if action is not None:
            action()
        return True

    def _switch_help(self) -> None:
        self._help_shown = not self._help_shown

    def _switch_full_screen(self) -> None:
        self._show_full_screen(not self._window.fullscreen, None)

    def _next_display(self) -> None:
        screens = self._window.display.get_screens()
        here = screens.index(self._window.screen) if self._window.screen in screens else 0
        screen = screens[(here + 1) % len(screens)]
        if self._window.fullscreen:
            self._show_full_screen(True, screen)
        else:
            self._window.set_location(screen.x + _FROM_EDGE, screen.y + _FROM_EDGE)

    def _show_full_screen(self, full: bool, screen: Any) -> None:
        self._window.set_fullscreen(full, screen)
        self._window.set_mouse_visible(not full)


def choose_display(screens: Sequence[Any], number: int) -> Any:
    """The screen with this number, counted from 1. Raises UserError with the displays there are."""
    if 1 <= number <= len(screens):
        return screens[number - 1]
    there = ", ".join(f"{index} ({screen.width}x{screen.height})" for index, screen in enumerate(screens, 1))
    raise UserError(f"there is no display {number}; there is {there}; try window:full?display={len(screens)}")


def _open_window(size: Size, full_screen: bool, window_size: Size | None, number: int) -> Any:
    if not display_available():
        raise UserError(
            "no screen: DISPLAY is not set; use --output web and open the printed address, or --output ndi:NAME"
        )
    try:
        import pyglet

        # Shader checks cost time; the shadow window would be a second OpenGL context.
        pyglet.options.debug_gl = False
        pyglet.options.shadow_window = False
        display = pyglet.display.get_display()
        screen = choose_display(display.get_screens(), number) if number else display.get_default_screen()
        width, height = window_size or opening_size(size, (screen.width, screen.height))
        # Without alpha bits, compositors cannot blend the desktop into the picture.
        config = pyglet.gl.Config(double_buffer=True, alpha_size=0, depth_size=0, sample_buffers=0)
        window = pyglet.window.Window(
            width, height, "streamvace", resizable=True, config=config, vsync=True, screen=screen
        )
        if full_screen:
            window.set_fullscreen(True, screen)
            window.set_mouse_visible(False)
        elif number:
            window.set_location(screen.x + _FROM_EDGE, screen.y + _FROM_EDGE)
        return window
    except UserError:
        raise
    except Exception as error:
        shown = os.environ.get("DISPLAY", "this desktop")
        raise UserError(
            f"no window on {shown} ({one_line(error)}); use --output web and open the printed address"
        ) from error
