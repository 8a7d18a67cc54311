"""`streamvace midi list | map | learn | forget`."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import typer

import osc_schema
from streamvace.live.options import DEFAULT_OSC_PORT
from streamvace.midi.learn import HINT
from streamvace.midi.map_file import NAME, MapFile
from streamvace.midi.map_format import full_address
from streamvace.midi.mapping import conflicts, lasting_name
from streamvace.midi.midi_in import check_package
from streamvace.midi.probe import found_devices
from streamvace.osc.codec import Message, OscError, decode, encode_message
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.system.paths import user_path

app = typer.Typer(no_args_is_help=True, help="List MIDI devices, show the map, learn and forget controls.")

STATUS: Final = "/streamvace/status/"
ANSWERS_S: Final = 2.0
"""How long a show may take to answer."""
ASKS_S: Final = 0.2
"""Between two questions to the show while a control is learned."""

Media = Annotated[
    Path | None, typer.Option("--media", parser=user_path, metavar="DIR", help="Media folder of the show.")
]
Cues = Annotated[Path | None, typer.Option(parser=user_path, metavar="FILE", help="Cue file of the show.")]
Port = Annotated[int, typer.Option("--osc-port", metavar="PORT", help="UDP port of the show.")]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="A parameter, such as context_scale or cue/go.")]


@app.command("list")
def list_devices() -> None:
    """List the MIDI devices of this machine."""
    check_package()
    names = found_devices()
    for name in names:
        typer.echo(lasting_name(name))
    if not names:
        typer.echo("no MIDI device was found")


@app.command("map")
def show_map(media: Media = None, cues: Cues = None) -> None:
    """Check the map file and show what moves what."""
    path = (cues or MediaFolder(media).root / "cues.json").with_name(NAME)
    mappings = MapFile(path, osc_schema.by_address()).read().mappings
    shared = conflicts(mappings)
    for place, mapping in enumerate(mappings):
        value = "" if mapping.value is None else f" = {mapping.value}"
        also = ", ".join(mappings[other].row.name for other in shared.get(place, ()))
        remarks = (mapping.encoder or mapping.press, "feedback" * mapping.feedback, f"also moves {also}" * bool(also))
        told = ", ".join(filter(None, remarks))
        typer.echo(f"{mapping} -> {mapping.row.name}{value}" + (f"   ({told})" if told else ""))
    typer.echo(f"{path}: {len(mappings)} rows" if path.exists() else f"{path}: there is no map yet")


@app.command()
def learn(
    address: Address,
    value: Annotated[str | None, typer.Argument(help="What a press sends, such as the name of a cue.")] = None,
    port: Port = DEFAULT_OSC_PORT,
) -> None:
    """Let a running show learn a control. Exit code 1 if nothing was learned."""
    with _Show(port) as show:
        show.ask("/streamvace/midi/learn", address, *(() if value is None else (_typed(address, value),)))
        typer.echo(HINT)
        # The status follows a moment after the command. A quick hand may be done by then.
        latest = time.monotonic() + ANSWERS_S
        while not show.text("midi_learn") and time.monotonic() < latest:
            time.sleep(ASKS_S)
        while show.text("midi_learn"):
            time.sleep(ASKS_S)
        learned = show.text("midi_learned")
    typer.echo(learned)
    raise typer.Exit(0 if " moves " in learned else 1)


@app.command()
def forget(address: Address, port: Port = DEFAULT_OSC_PORT) -> None:
    """Take every control of a parameter out of the map of a running show."""
    with _Show(port) as show:
        show.ask("/streamvace/midi/forget", address)


def _typed(address: str, value: str) -> object:
    """A value as its parameter takes it; what cannot be read is refused by the show."""
    row = osc_schema.by_address().get(full_address(address))
    if row is None or row.type not in ("float", "int", "bool"):
        return value
    with suppress(ValueError):
        typed: object = json.loads(value)
        return typed
    return value


class _Show:
    """A show on this machine, asked over OSC. Raises UserError for what it refuses, and if it does not answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(ANSWERS_S)

    def __enter__(self) -> _Show:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, address: str, *arguments: object) -> None:
        """Send a command. The pong that follows it means that the command was carried out."""
        self._send(address, *arguments)
        self._send("/streamvace/ping")
        while (answer := self._answer()).address != "/streamvace/pong":
            if answer.address == STATUS + "error":
                raise UserError(str(answer.arguments[0]))

    def text(self, name: str) -> str:
        """A text of the status."""
        self._send(STATUS + name, "?")
        while (answer := self._answer()).address != STATUS + name:
            pass
        return str(answer.arguments[0])

    def _send(self, address: str, *arguments: object) -> None:
        self._socket.sendto(encode_message(address, *arguments), ("127.0.0.1", self._port))

    def _answer(self) -> Message:
        try:
            return decode(self._socket.recv(1 << 16))[0]
        except (OSError, OscError, IndexError):
            raise UserError(
                f"no show answers at OSC port {self._port}; start one with --midi-input all, or name its --osc-port"
            ) from None
