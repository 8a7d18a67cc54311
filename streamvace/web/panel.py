"""The control panel's side in the server: what a page may set, and what it is told about the parameters.

Values are set through OSC (`osc.local_clients`), so they are coerced, quantised and answered like any other message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import osc_schema
from osc_schema import Parameter, Value
from streamvace.web.news import Beat, Topic, entries, later, leaps
from streamvace.web.page_midi import Door

ARRIVALS_S = 0.25
"""Between two readings of what has arrived."""
MIDI_S = 0.2
"""Between two readings of the MIDI map and the last message."""

Name = tuple[str, int]


class LocalClients(Protocol):
    """The part of `osc.local_clients.LocalClients` in use."""

    def open(self, answer: Callable[[str, tuple[object, ...]], None], host: str, /) -> Name: ...

    def post(self, name: Name, address: str, /, *arguments: object) -> object: ...

    def close(self, name: Name, /) -> None: ...


class Panel:
    """The panels of one schema. Belongs to the web server's event loop."""

    def __init__(
        self,
        schema: Iterable[Parameter],
        clients: LocalClients,
        values: Callable[[], Mapping[str, Value]],
        cues: Callable[[], Iterable[str]],
        arrivals: Callable[[], Sequence[Mapping[str, object]]],
        refusals: Callable[[], Mapping[str, object]],
        tiles: Callable[[], Sequence[Mapping[str, object]]],
        *,
        glides: Iterable[str] = (),
        curves: Iterable[str] = (),
        lacking: Callable[[], Mapping[str, object]] = dict,
        midi: Callable[[], Mapping[str, object]] = dict,
        live: Callable[[], Mapping[str, Value]] = dict,
        sound: Callable[[], Mapping[str, float]] = dict,
        waiting: Callable[[], Mapping[str, Value]] = dict,
        beat: Callable[[], Beat] = lambda: Beat(0.0, 0.0, False, 0.0),
        door: Door | None = None,
        error: str = "/streamvace/status/error",
    ) -> None:
        """values: of every parameter and output. glides: addresses that take a value, seconds and a curve.

        arrivals: the last OSC messages in, from every sender, oldest first. Each has `number` (of its newest message),
        `at` (seconds since 1970), `from`, `address`, `arguments`, `fate` (applied, answered, waits, clamped, refused,
        unknown, ignored, heard), `why` (one line, may be empty) and `times`. It replaces an earlier one with the same
        `from`, `address` and `fate`. A page is told those with greater numbers than before.

        refusals: by address, why the parameter does not hold what was asked (a row of `control.refusals.Refusal`), or
        None once that is over. tiles: see `control.cue_list.CueList.tiles`; the picture of a cue is at
        `/cue/PICTURE.jpg`, empty for none.

        curves: their names. lacking: by address, the choices that cannot be had now, each with `why` and `fix`.
        midi: see `midi.desk.Desk.state`. live: by address, the values that modulators give their targets now; `values`
        has what faders set. sound: what is heard, 0..1: level, low, low_mid, high_mid, high, fast, slow, hits; empty
        without sound. waiting: by address, what waits for the beat. beat: where it is. error:
        the address of complaints.
        """
        self._rows = {row.address: row for row in schema}
        self._clients = clients
        self._glides = tuple(glides)
        self._error = error
        self.door = door
        """Takes the MIDI devices of pages; None: nothing does."""
        controls = {
            "schema": [_described(row) for row in self._rows.values()],
            "groups": dict(osc_schema.groups()),
            "glides": self._glides,
            "curves": tuple(curves),
        }
        self.topics = (
            Topic("panel", lambda: controls),
            Topic("values", values, news=entries),
            Topic("cues", lambda: tuple(cues())),
            Topic("cue_tiles", tiles),
            Topic("arrivals", arrivals, ARRIVALS_S, news=later),
            Topic("refusals", refusals, news=entries),
            Topic("lacking", lacking),
            Topic("midi", midi, MIDI_S),
            Topic("live", live),
            Topic("sound", sound),
            Topic("waiting", waiting),
            Topic("beat", beat, 0.0, news=leaps),  # read for each page: it tells where the beat is now
        )
        """What a page is told."""

    def open(self, complain: Callable[[str], None], host: str) -> Name:
        """Connect a page; returns its name. complain: called on the OSC thread with each complaint about it. host:
        where the browser runs; empty for this machine."""

        def answer(address: str, arguments: tuple[object, ...]) -> None:
            if address == self._error and arguments:  # all other answers are values, which every page is told anyway
                complain(str(arguments[0]))

        return self._clients.open(answer, host)

    def close(self, name: Name) -> None:
        """Disconnect a page."""
        self._clients.close(name)

    def handle(self, name: Name, said: Mapping[str, object]) -> str:
        """Set what a page asks for. Returns a complaint, or an empty string; OSC may complain later."""
        address, arguments = said.get("address"), said.get("arguments")
        if not isinstance(arguments, list) or address is None:
            return "invalid message from the page"
        row = self._rows.get(address) if isinstance(address, str) else None
        settable = (row is not None and row.access == "write") or address in self._glides
        if not settable or not isinstance(address, str):
            return f"the panel cannot set {address!r:.60}"
        self._clients.post(name, address, *arguments)
        return ""


def _described(row: Parameter) -> dict[str, object]:
    """A row in the page's terms."""
    return {
        "address": row.address,
        "type": row.type,
        "label": row.label,
        "help": row.help,
        "group": row.group,
        "access": row.access,
        "unit": row.unit,
        "min": row.minimum,
        "max": row.maximum,
        "choices": row.choices,
        "length": row.max_length,
        "items": row.max_items,
        "argument": row.argument,
        "default": row.default,
        "scale": row.scale,
        "snaps": row.snaps,
        "level": row.level,
        "needs": [{"address": need.address, "values": need.values, "unless": need.unless} for need in row.needs],
    }
