"""Outputs of what the model sees: the control picture and the mask.

`--output control@ndi:NAME` sends the control picture, `--output mask@spout:NAME` the mask. After the `@` stands the
address of any output except a window. The web page shows a view while somebody watches it.

Threads: the `signal outputs` thread opens, publishes and closes them at the output's rate. It never waits for a new
signal: it repeats the newest picture.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from streamvace.conditioning.controls.base import three
from streamvace.conditioning.signals import as_seen, to_keep
from streamvace.live.output.outputs import check_outputs
from streamvace.live.output.sinks import SinkOpener, Sinks
from streamvace.live.output.tick_clock import TickClock
from streamvace.live.signals.signal_stage import SignalView
from streamvace.records.chunk import Pixels
from streamvace.records.frame import Frame
from streamvace.system.clock import now_ns
from streamvace.system.console import one_line
from streamvace.system.errors import UserError
from streamvace.telemetry.reporter import Reporter
from streamvace.video.core.resize import with_alpha
from streamvace.video.endpoints import SINKS, open_sink, split_uri

_AT = "@"


def control_picture(view: SignalView) -> Pixels:
    """uint8 `[H, W, 3]`: the control where the mask generates, the input where it keeps."""
    return as_seen(view.signal.control, to_keep(view.frame.pixels, view.settings), view.signal.mask)


def mask_picture(view: SignalView) -> Pixels:
    """uint8 `[H, W, 3]`: white is generated. Without a mask all of it is white."""
    mask = view.signal.mask
    return np.full((*view.frame.pixels.shape[:2], 3), 255, np.uint8) if mask is None else three(mask)


VIEWS: Mapping[str, Callable[[SignalView], Pixels]] = {"control": control_picture, "mask": mask_picture}
"""The views: name on the command line, and the picture."""


def split_views(outputs: Sequence[str]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Split the outputs of the command line into those of the picture, and (view, address) of the views."""
    pictures: list[str] = []
    views: list[tuple[str, str]] = []
    for output in outputs:
        name, at, uri = output.partition(_AT)
        if at and name in VIEWS:
            views.append((name, uri))
        else:
            pictures.append(output)
    return tuple(pictures), tuple(views)


def check_views(views: Sequence[tuple[str, str]], *, overwrite: bool) -> None:
    """Raises UserError for an address that cannot show a view. Opens nothing."""
    for name, uri in views:
        scheme, _ = split_uri(uri, SINKS)
        if scheme in ("window", "web", ""):
            raise UserError(
                f"--output {name}{_AT}{uri}: name an output such as ndi:; the web page shows the {name} as well"
            )
        check_outputs([uri], web=True, overwrite=overwrite)


def view_openers(
    views: Sequence[tuple[str, str]], size: tuple[int, int], rate: float
) -> Mapping[str, tuple[SinkOpener, ...]]:
    """Openers by view. An address without a name takes the view's: `ndi:` of the control is `streamvace-control`."""
    openers: dict[str, tuple[SinkOpener, ...]] = {}
    for name, uri in views:
        scheme, rest = split_uri(uri, SINKS)
        address = f"{scheme}:{rest}" if rest else f"{scheme}:streamvace-{name}"
        openers[name] = (*openers.get(name, ()), partial(open_sink, address, size, rate))
    return openers


class SignalOutputs:
    """Publishes the views. A view that nobody watches costs nothing."""

    def __init__(
        self,
        openers: Mapping[str, Sequence[SinkOpener]],
        watched: Callable[[str], bool],
        reporter: Reporter,
        rate: Callable[[], float],
    ) -> None:
        """openers: of every view's outputs. watched: whether a view has an output, or a browser that looks at it.
        rate: the output's, ticks a second."""
        self._sinks = {name: Sinks(each, reporter) for name, each in openers.items()}
        self._watched = watched
        self._reporter = reporter
        self._rate = rate
        self._view: Callable[[], SignalView | None] = lambda: None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="signal outputs", daemon=True)

    @property
    def wanted(self) -> bool:
        """Whether any view is watched."""
        return any(map(self._watched, self._sinks))

    @property
    def names(self) -> tuple[str, ...]:
        """The open outputs, as `VIEW@NAME`."""
        return tuple(f"{view}{_AT}{name}" for view, sinks in self._sinks.items() for name in sinks.names)

    def start(self, view: Callable[[], SignalView | None]) -> None:
        """Start to publish. view: returns the newest one."""
        self._view = view
        self._thread.start()

    def stop(self) -> None:
        """Close every output. Idempotent."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        for name, sinks in self._sinks.items():
            try:
                sinks.open()
            except Exception as error:  # noqa: BLE001 - drivers raise anything; reported, the others go on
                self._reporter.report(f"output of the {name}", one_line(error))
        try:
            self._publish_until_stopped()
        finally:
            for sinks in self._sinks.values():
                sinks.close()

    def _publish_until_stopped(self) -> None:
        clock = TickClock(self._rate(), now_ns())
        shown: dict[str, tuple[SignalView, Frame]] = {}
        while not self._stop.wait(max(0, clock.deadline_ns - now_ns()) / 1e9):
            clock.fire(now_ns())
            if (rate := self._rate()) != clock.rate:
                clock.set_rate(rate)
                for sinks in self._sinks.values():
                    sinks.set_rate(rate)
            view = self._view()
            if view is None:
                continue
            for name in filter(self._watched, self._sinks):
                if name not in shown or shown[name][0] is not view:
                    shown[name] = view, _frame(name, view)
                self._sinks[name].publish(shown[name][1])


def _frame(name: str, view: SignalView) -> Frame:
    return Frame(with_alpha(VIEWS[name](view)), view.frame.captured_ns, name, view.frame.sequence)
