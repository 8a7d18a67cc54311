"""What the setup functions of a show share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from streamvace.control.parameters import Parameters, Snapshot
from streamvace.control.refusals import Refusals
from streamvace.live.options import RunOptions
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Telemetry


@dataclass(frozen=True)
class Stage:
    """size: (width, height) of the generated picture. closing: closes what was opened, in reverse order."""

    options: RunOptions
    size: tuple[int, int]
    media: MediaFolder
    parameters: Parameters
    telemetry: Telemetry
    reporter: Reporter
    refusals: Refusals
    closing: ExitStack

    @property
    def rate(self) -> float:
        """Output ticks a second at this moment."""
        return self.parameters.snapshot().number("/streamvace/output_rate")

    def followed_by(self, follow: Callable[[Snapshot], None]) -> None:
        """Call `follow` with the parameters now and after every change."""
        self.parameters.listen(lambda snapshot, changed: follow(snapshot))
        follow(self.parameters.snapshot())
