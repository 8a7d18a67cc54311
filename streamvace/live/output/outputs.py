"""From the output URIs of the command line to openers for the presenter.

Threads: a window belongs to the main thread, so it is opened and closed there and the presenter only borrows it; every
other sink is opened, used and closed on the presenter's thread.
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
        """Keys by their names, and the words for them."""

    def pump(self) -> None:
        """Draw the newest frame and answer the desktop's events. Main thread only."""

    def close(self) -> None:
        """Take it off the screen. Main thread only."""


class Borrowed:
    """A sink that somebody else closes."""

    def __init__(self, sink: Sink) -> None:
        self.name = sink.name
        self._sink = sink

    def publish(self, frame: Frame) -> None:
        """The sink's own."""
        self._sink.publish(frame)

    def close(self) -> None:
        """Left to the owner."""


def check_outputs(outputs: Sequence[str], *, web: bool, overwrite: bool) -> tuple[str, ...]:
    """The outputs to open, the web preview apart. None asked for: a window where there is a display.

    web: the preview is on. Raises UserError; opens nothing.
    """
    if not outputs:
        return (_WINDOW,) if _display() else ()
    if _WEB in outputs and not web:
        raise UserError("--output web and no web preview contradict each other; drop --no-web")
    asked = tuple(uri for uri in outputs if uri != _WEB)
    schemes = [split_uri(uri, SINKS) for uri in asked]
    if [scheme for scheme, _ in schemes].count(_WINDOW) > 1:
        raise UserError("two windows were asked for: one is possible; drop an --output window")
    for uri, (scheme, rest) in zip(asked, schemes, strict=True):
        if scheme not in SINKS:
            raise UserError(
                f"unknown output {uri!r}: there is {', '.join(SINKS)}, web; use one of these, or a .mp4 path"
            )
        if scheme == _WINDOW and not _display():
            mend = "use --output web and open the printed address" if web else "use ndi:NAME, or a .mp4 path"
            raise UserError(f"no display for --output window; {mend}")
        if scheme == "file":
            check_output(parse_film(rest)[0], overwrite=overwrite)
    return asked


def prepare(outputs: Sequence[str], size: tuple[int, int], rate: float) -> tuple[Window | None, list[SinkOpener]]:
    """The window, opened here and now, and an opener for every output. Call it on the main thread."""
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
