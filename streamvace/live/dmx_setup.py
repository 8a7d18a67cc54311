"""The light desk of a show: the protocol, the universe and the fixture that the parameters name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from ipaddress import IPv4Address
from typing import Final, cast

from streamvace.control.parameters import Snapshot
from streamvace.dmx.desk_input import Input, Settings
from streamvace.dmx.dmx_in import PORTS, DmxIn, Ways, bind, check
from streamvace.dmx.personality import Depth
from streamvace.live.stage import Stage
from streamvace.osc.local_clients import LocalClients
from streamvace.osc.peer import DMX
from streamvace.system.errors import UserError
from streamvace.system.network import AllowList

INPUT: Final = "/streamvace/dmx/input"
_PREFIX: Final = "/streamvace/dmx/"


def settings_of(snapshot: Snapshot) -> Settings:
    """What the parameters say of the desk."""
    return Settings(
        cast(Input, snapshot.text(INPUT)),
        snapshot.integer(f"{_PREFIX}universe"),
        snapshot.integer(f"{_PREFIX}channel"),
        cast(Depth, snapshot.text(f"{_PREFIX}mode")),
        snapshot.text(f"{_PREFIX}merge") == "ltp",
        snapshot.text(f"{_PREFIX}lost_cue").strip(),
    )


def open_dmx(
    stage: Stage,
    clients: LocalClients,
    cues: Callable[[], Sequence[str]],
    allow: AllowList,
    ports: Mapping[str, int] = PORTS,
) -> DmxIn:
    """A desk that follows its parameters until the show ends. clients: the way to the parameters.

    Raises UserError if the desk of the command line cannot be opened; later ones are refused.
    """
    host = stage.options.dmx_host
    peer = clients.open(lambda address, arguments: None, kind=DMX)

    def refuse(settings: Settings, error: UserError) -> None:
        stage.refusals.refuse("light desk", (INPUT,), settings.input, error)

    ways = Ways(
        post=lambda address, arguments: clients.post(peer, address, *arguments),
        cues=cues,
        report=partial(stage.reporter.report, "light desk"),
        say=lambda line: stage.reporter.note("light desk", line, ""),
        refuse=refuse,
        allows=allow.allows,
    )
    wanted = settings_of(stage.parameters.snapshot())
    if wanted.input != "off":
        check(wanted)
        bind(host, ports[wanted.input], wanted).close()  # whether it can be opened, before the show begins
    desk = DmxIn(host, ways, ports)
    stage.closing.callback(desk.close)

    def on_change(snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        ours = [address for address in changed if address.startswith(_PREFIX)]
        if not ours:
            return
        settings = settings_of(snapshot)
        try:
            check(settings)
        except UserError as error:
            for address in ours:
                stage.refusals.refuse("light desk", (address,), snapshot[address], error)
            return
        desk.follow(settings)

    desk.follow(wanted)
    stage.closing.callback(stage.parameters.listen(on_change))
    return desk


def check_host(host: str) -> None:
    """Raises UserError for what is no IPv4 address."""
    try:
        IPv4Address(host)
    except ValueError:
        raise UserError(
            f"--dmx-host {host}: Art-Net and sACN take an IPv4 address; 127.0.0.1 is this machine"
        ) from None
