"""Reports a second control that has a weight but shows the same picture as the first."""

from __future__ import annotations

from streamvace.control.parameters import Snapshot
from streamvace.live.signals.settings import second_settings, signal_settings
from streamvace.telemetry.reporter import Reporter

WEIGHT = "/streamvace/second_control/weight"
_FIRST, _SECOND = "/streamvace/input/control", "/streamvace/input/second"


def is_the_first(snapshot: Snapshot) -> bool:
    """Whether both controls are the same kind of the same input, so that blending them changes nothing."""
    kinds = {settings(snapshot, "", 1).control for settings in (signal_settings, second_settings)}
    return len(kinds) == 1 and snapshot.text(_SECOND) in ("", snapshot.text(_FIRST))


class SecondControl:
    """Follows the parameters; `follow` may be called from any thread."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._idle = False

    def follow(self, snapshot: Snapshot) -> None:
        """Report once when the weight starts to have no effect."""
        weight = snapshot.number(WEIGHT)
        idle = weight > 0 and is_the_first(snapshot)
        if idle and not self._idle:
            self._reporter.report(
                "second control",
                f"a weight of {weight:g} changes nothing: it shows the same picture as the first; "
                f"give it an input ({_SECOND}) or another kind (/streamvace/second_control/kind)",
            )
        self._idle = idle
