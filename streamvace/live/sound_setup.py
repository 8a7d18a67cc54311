"""Sound in a show: the device that the parameter names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from streamvace.control.parameters import Snapshot
from streamvace.live.stage import Stage
from streamvace.sound.sound_in import INPUT, SoundIn, check_package
from streamvace.system.errors import UserError


def open_sound(stage: Stage) -> SoundIn:
    """Sound in that follows its parameter until the show ends. Raises UserError if it is wanted and not installed."""
    sound = SoundIn(partial(stage.reporter.report, "sound"))
    stage.closing.callback(sound.close)

    def follow(wanted: str) -> None:
        if wanted:
            check_package()
        sound.follow(wanted)

    def on_change(snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        if INPUT in changed:
            try:
                follow(snapshot.text(INPUT).strip())
            except UserError as error:
                stage.refusals.refuse("sound", (INPUT,), snapshot.text(INPUT), error)

    follow(stage.parameters.snapshot().text(INPUT).strip())
    stage.closing.callback(stage.parameters.listen(on_change))
    return sound
