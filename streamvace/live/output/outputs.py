"""From the output URIs of the command line to openers for the presenter.

Threads: a window belongs to the main thread, which opens and closes it; the presenter only borrows it. Every other sink
is opened, used and closed on the presenter's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, cast

from streamvace.live.output.sinks import SinkOpener
from streamvace.records.frame import Frame, Sink
from streamvace.system.errors import UserError
from streamvace.system.files import check_output
from streamvace.video.endpoints import SINKS, open_sink, split_uri
from streamvace.video.film.format import parse_film

_WINDOW = "window"
_WEB = "web"


class Window(Protocol):
    """The part of a window sink that the main thread uses."""

    closed: bool

    def bind(
        self, actions: Mapping[str, Callable[[], None]], help_lines: Callable[[], Sequence[tuple[str, str]]]
    ) -> None:
        """Actions by name of the key, and the lines of the help."""

    def pump(self) -> None:
        """Draw the newest frame and handle window events. Main thread only."""

    def close(self) -> None:
        """Close the window. Main thread only."""


class Borrowed:
    """A sink that its owner closes."""

    def __init__(self, sink: Sink) -> None:
        self.name = sink.name
        self._sink = sink

    def publish(self, frame: Frame) -> None:
        """Pass the frame on."""
        self._sink.publish(frame)

    def close(self) -> None:
        """Do nothing."""


def check_outputs(outputs: Sequence[str], *, web: bool, overwrite: bool) -> tuple[str, ...]:
    """The outputs to open, without the web preview. The default is a window if there is a display.

    web: whether the preview is on. Raises UserError; opens nothing.
    """
    if not outputs:
        return (_WINDOW,) if _display() else ()
    if _WEB in outputs and not web:
        raise UserError("--output web needs the web preview; drop --no-web")
    asked = tuple(uri for uri in outputs if uri != _WEB)
    schemes = [split_uri(uri, SINKS) for uri in asked]
    if [scheme for scheme, _ in schemes].count(_WINDOW) > 1:
        raise UserError("two windows: only one is possible; drop an --output window")
    for uri, (scheme, rest) in zip(asked, schemes, strict=True):
        if scheme not in SINKS:
            raise UserError(f"Unknown output {uri!r}. Use {', '.join(SINKS)}, web or the path of a .mp4.")
        if scheme == _WINDOW and not _display():
            fix = "use --output web and open the printed address" if web else "use ndi:NAME, or a .mp4 path"
            raise UserError(f"no display for --output window; {fix}")
        if scheme == "file":
            check_output(parse_film(rest)[0], overwrite=overwrite)
    return asked


def prepare(outputs: Sequence[str], size: tuple[int, int], rate: float) -> tuple[Window | None, list[SinkOpener]]:
    """Open the window, if there is one, and make an opener for every output. Main thread only."""
    window: Window | None = None
    openers: list[SinkOpener] = []
    for uri in outputs:
        if split_uri(uri, SINKS)[0] == _WINDOW:
            sink = open_sink(uri, size, rate)
            window = cast(Window, sink)
            openers.append(partial(Borrowed, sink))
        else:
            openers.append(partial(open_sink, uri, size, rate))
    return window, openers


def _display() -> bool:
    try:
        from streamvace.video.window.sink import display_available
    except ImportError:  # no OpenGL on this machine
        return False
    return bool(display_available())
