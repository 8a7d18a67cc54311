"""Reports a second control that has a weight but shows the same picture as the first."""

from __future__ import annotations

from streamvace.control.parameters import Snapshot
from streamvace.live.signals.auto_kind import AUTO
from streamvace.live.signals.settings import second_settings, signal_settings
from streamvace.telemetry.reporter import Reporter

WEIGHT = "/streamvace/second_control/weight"
_FIRST, _SECOND = "/streamvace/input/control", "/streamvace/input/second"


def is_the_first(snapshot: Snapshot, chosen: str) -> bool:
    """Whether both controls are the same kind of the same input, so that blending them changes nothing.

    chosen: the kind in place of `auto`; empty while it is not known.
    """
    first = signal_settings(snapshot, "", 1).control
    same = second_settings(snapshot, "", 1).control == (chosen if first == AUTO else first)
    return same and snapshot.text(_SECOND) in ("", snapshot.text(_FIRST))


class SecondControl:
    """Follows the parameters and the choice of `auto`; both may come from any thread."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._idle = False
        self._chosen = ""
        self._snapshot: Snapshot | None = None

    def chose(self, kind: str) -> None:
        """Adopt the kind in place of `auto`."""
        self._chosen = kind
        if self._snapshot is not None:
            self.follow(self._snapshot)

    def follow(self, snapshot: Snapshot) -> None:
        """Report once when the weight starts to have no effect."""
        self._snapshot = snapshot
        weight = snapshot.number(WEIGHT)
        idle = weight > 0 and is_the_first(snapshot, self._chosen)
        if idle and not self._idle:
            self._reporter.report(
                "second control",
                f"a weight of {weight:g} changes nothing: it shows the same picture as the first; "
                f"give it an input ({_SECOND}) or another kind (/streamvace/second_control/kind)",
            )
        self._idle = idle
