"""The modulators of a show: they follow their parameters until it ends."""

from __future__ import annotations

from collections.abc import Mapping

from streamvace.control.parameters import Snapshot
from streamvace.control.transport import Transport
from streamvace.live.stage import Stage
from streamvace.modulators.modulators import Modulators
from streamvace.modulators.settings import address
from streamvace.sound.sound_in import SoundIn


def open_modulators(stage: Stage, transport: Transport, sound: SoundIn) -> Modulators:
    """Raises UserError for a target of the command line that cannot move; later ones are refused."""
    modulators = Modulators(stage.parameters.schema, transport.now, sound=sound.levels)
    for error in modulators.follow(stage.parameters.snapshot()).values():
        raise error

    def on_change(snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        for number, error in modulators.follow(snapshot).items():
            target = address(number, "target")
            stage.refusals.refuse("modulator", (target,), snapshot[target], error)

    stage.closing.callback(stage.parameters.listen(on_change))
    return modulators
