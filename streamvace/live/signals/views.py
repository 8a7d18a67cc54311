"""What the model sees, as outputs of their own: the control picture and the mask, so that an artist can look at them.

`--output control@ndi:NAME` sends the control picture, `--output mask@spout:NAME` the mask; before the `@` stands what
is sent, behind it any address of an output but a window. The web page shows both while somebody looks.

Threads: one of its own (`signal outputs`) opens, publishes and closes them, at the output's rate, whatever the signals
cost: an output goes on with the newest picture there is.
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
from streamvace.system.errors import UserError
from streamvace.telemetry.reporter import Reporter, one_line
from streamvace.video.core.resize import with_alpha
from streamvace.video.endpoints import SINKS, open_sink, split_uri

_AT = "@"


def control_picture(view: SignalView) -> Pixels:
    """uint8 `[H, W, 3]`: the control where it is generated, the picture where it is kept."""
    return as_seen(view.signal.control, to_keep(view.frame.pixels, view.settings), view.signal.mask)


def mask_picture(view: SignalView) -> Pixels:
    """uint8 `[H, W, 3]`: white is generated; all of it without a mask."""
    mask = view.signal.mask
    return np.full((*view.frame.pixels.shape[:2], 3), 255, np.uint8) if mask is None else three(mask)


VIEWS: Mapping[str, Callable[[SignalView], Pixels]] = {"control": control_picture, "mask": mask_picture}
"""What can be looked at; a row is a name for the command line and a picture."""


def split_views(outputs: Sequence[str]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """(outputs of the picture, (view, address) of the others), from what the command line gave."""
    views = tuple((name, uri) for name, at, uri in (each.partition(_AT) for each in outputs) if at and name in VIEWS)
    told = {f"{name}{_AT}{uri}" for name, uri in views}
    return tuple(each for each in outputs if each not in told), views


def check_views(views: Sequence[tuple[str, str]], *, overwrite: bool) -> None:
    """Raises UserError for an address that can't be one of a view; opens nothing."""
    for name, uri in views:
        scheme, _ = split_uri(uri, SINKS)
        if scheme in ("window", "web", ""):
            raise UserError(
                f"--output {name}{_AT}{uri}: name an output such as ndi:; the web page shows the {name} too"
            )
        check_outputs([uri], web=True, overwrite=overwrite)


def view_openers(
    views: Sequence[tuple[str, str]], size: tuple[int, int], rate: float
) -> Mapping[str, tuple[SinkOpener, ...]]:
    """By view. An address without a name is called after the view: `ndi:` of the control is `streamvace-control`."""
    openers: dict[str, tuple[SinkOpener, ...]] = {}
    for name, uri in views:
        scheme, rest = split_uri(uri, SINKS)
        address = f"{scheme}:{rest}" if rest else f"{scheme}:streamvace-{name}"
        openers[name] = (*openers.get(name, ()), partial(open_sink, address, size, rate))
    return openers


class SignalOutputs:
    """Publishes the views; one without an output or a watcher costs nothing."""

    def __init__(
        self,
        openers: Mapping[str, Sequence[SinkOpener]],
        watched: Callable[[str], bool],
        reporter: Reporter,
        rate: Callable[[], float],
    ) -> None:
        """openers: of every view's outputs. watched: whether somebody looks at a view apart from these (a browser,
        whose sink is among them). rate: the output's, ticks a second."""
        self._banks = {name: Sinks(each, reporter) for name, each in openers.items()}
        self._watched = watched
        self._reporter = reporter
        self._rate = rate
        self._view: Callable[[], SignalView | None] = lambda: None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="signal outputs", daemon=True)

    @property
    def wanted(self) -> bool:
        """Whether anybody looks at anything."""
        return any(map(self._watched, self._banks))

    @property
    def names(self) -> tuple[str, ...]:
        """What the open outputs are called, each with its view before it."""
        return tuple(f"{view}{_AT}{name}" for view, bank in self._banks.items() for name in bank.names)

    def start(self, view: Callable[[], SignalView | None]) -> None:
        """Begin to publish. view: gives the newest one."""
        self._view = view
        self._thread.start()

    def stop(self) -> None:
        """Close every output. Idempotent."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        opened = [bank for name, bank in self._banks.items() if self._opens(name, bank)]
        try:
            self._publish_until_stopped()
        finally:
            for bank in reversed(opened):
                bank.close()

    def _opens(self, name: str, bank: Sinks) -> bool:
        """Whether its outputs could be opened: one that can't is told, and the others go on."""
        try:
            bank.open()
        except Exception as error:  # noqa: BLE001 - drivers raise anything; reported, the show goes on without it
            self._reporter.report(f"output of the {name}", one_line(error))
            return False
        return True

    def _publish_until_stopped(self) -> None:
        clock = TickClock(self._rate(), now_ns())
        shown: dict[str, tuple[SignalView, Frame]] = {}
        while not self._stop.wait(max(0, clock.deadline_ns - now_ns()) / 1e9):
            clock.fire(now_ns())
            if self._rate() != clock.rate:
                clock.set_rate(self._rate())
            view = self._view()
            for name, bank in self._banks.items() if view is not None else ():
                if view is not None and self._watched(name):
                    if name not in shown or shown[name][0] is not view:
                        shown[name] = view, _frame(name, view)
                    bank.publish(shown[name][1])


def _frame(name: str, view: SignalView) -> Frame:
    return Frame(with_alpha(VIEWS[name](view)), view.frame.captured_ns, name, view.frame.sequence)
