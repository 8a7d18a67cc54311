"""The triggers of the tempo: tap, resync, double, half, earlier, later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from streamvace.control.beats import BPM
from streamvace.control.commands import Arguments, button_pressed
from streamvace.control.parameters import Parameters
from streamvace.control.transport import Transport

TEMPO: Final = "/streamvace/tempo"
NUDGE_S: Final = 0.01
"""How far one press moves the beat: less than anybody hears at once, and ten presses are plain to see."""


def tempo_commands(transport: Transport, parameters: Parameters) -> Mapping[str, Callable[[Arguments], None]]:
    """What each trigger does, by address. A tempo that is tapped, doubled or halved becomes the value of BPM."""

    def hold(tempo: float) -> None:
        if tempo:
            parameters.set(BPM, (tempo,), writer="")

    acts: dict[str, Callable[[], None]] = {
        "tap": lambda: hold(transport.tap()),
        "resync": transport.resync,
        "double": lambda: hold(transport.scale(2.0)),
        "half": lambda: hold(transport.scale(0.5)),
        "earlier": partial(transport.nudge, -NUDGE_S),
        "later": partial(transport.nudge, NUDGE_S),
    }

    def pressed(act: Callable[[], None], arguments: Arguments) -> None:
        if button_pressed(arguments):
            act()

    return {f"{TEMPO}/{name}": partial(pressed, act) for name, act in acts.items()}
