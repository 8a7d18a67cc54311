"""MIDI in a show: the devices that the parameter names, and the clock that they send."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from streamvace.control.parameters import Snapshot
from streamvace.control.transport import Transport
from streamvace.live.stage import Stage
from streamvace.midi.clock_input import ClockInput
from streamvace.midi.midi_in import INPUT, MidiIn, check_package
from streamvace.system.errors import UserError


def open_midi(stage: Stage, transport: Transport) -> MidiIn:
    """MIDI in that follows its parameter until the show ends. Raises UserError if it is wanted and not installed."""
    midi = MidiIn(ClockInput(transport.midi).take, partial(stage.reporter.report, "MIDI"))
    stage.closing.callback(midi.close)

    def follow(wanted: str) -> None:
        if wanted:
            check_package()
        transport.midi.expected = bool(wanted)
        midi.follow(wanted)

    def on_change(snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        if INPUT in changed:
            try:
                follow(snapshot.text(INPUT))
            except UserError as error:
                stage.refusals.refuse("MIDI", (INPUT,), snapshot.text(INPUT), error)

    follow(stage.parameters.snapshot().text(INPUT))
    stage.closing.callback(stage.parameters.listen(on_change))
    return midi
