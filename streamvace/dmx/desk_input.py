"""One universe of a light desk: datagrams come in, messages for the parameters and lines for people come out.

Pure; times are in seconds. The work for each datagram is bounded, and so is the number of them a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from streamvace.dmx import artnet, sacn
from streamvace.dmx.packets import Levels, PacketError
from streamvace.dmx.personality import RECALL, VERSION, Depth
from streamvace.dmx.player import Player, Sent
from streamvace.dmx.sources import ArtNetSources, SacnSources
from streamvace.system.allowance import Allowance, Allowances

MOST_A_SECOND: Final = 4000
"""Datagrams that are read: 90 universes at the rate of a desk. Further ones are dropped and counted."""
POLLS: Final = (4, 1.0)
"""Answers to one host: at once, and a second. An answer is larger than its question."""
_MOST_HOSTS: Final = 64
_NAME: Final = "streamvace"

Input = Literal["off", "artnet", "sacn"]


@dataclass(frozen=True)
class Settings:
    """What the parameters say. universe: as the protocol numbers it. channel: the fixture's first one, from 1. latest:
    how two Art-Net sources merge. lost_cue: the cue that is recalled when the desk is lost; empty: everything stays."""

    input: Input = "off"
    universe: int = 1
    channel: int = 1
    depth: Depth = "8_bit"
    latest: bool = False
    lost_cue: str = ""


class News(NamedTuple):
    """A line for people. wrong: whether somebody has to do something."""

    wrong: bool
    line: str


@dataclass
class Counters:
    """Datagrams: used, left out (other universes, senders that do not count, a flood), and damaged. losses: of the
    desk."""

    packets: int = 0
    dropped: int = 0
    faults: int = 0
    losses: int = 0


class DeskInput:
    """The desk that one show listens to."""

    def __init__(
        self,
        settings: Settings,
        counters: Counters,
        cues: Callable[[], Sequence[str]],
        address: Callable[[], str] = lambda: "127.0.0.1",
    ) -> None:
        """cues: reads the names of the cues. address: the IPv4 address that an answer to a poll names."""
        self._settings = settings
        self._counters = counters
        self._cues = cues
        self._address = address
        self._sources = SacnSources() if settings.input == "sacn" else ArtNetSources(latest=settings.latest)
        self._player = Player(settings.depth)
        self._allowance = Allowance(MOST_A_SECOND, MOST_A_SECOND)
        self._answers = Allowances(*POLLS, _MOST_HOSTS)
        self._fresh = False  # whether levels have come since the last look
        self._live = False
        self._said: set[str] = set()
        self._lines: list[News] = []

    @property
    def enabled(self) -> bool:
        """Whether the desk steers."""
        return self._live and self._player.enabled

    def told(self) -> str:
        """The senders that are there, for the status."""
        sources = self._sources.sources.values()
        if self._settings.input == "sacn":
            return ", ".join(f"{source.name or 'sACN'} (priority {source.priority})" for source in sources)
        return ", ".join(source.name for source in sources)

    def take(self, data: bytes, host: str, now: float) -> bytes | None:
        """A datagram from a host; returns the answer that it gets, if any."""
        if not self._allowance.take(now):
            line = f"more than {MOST_A_SECOND} datagrams a second; status/dmx_dropped counts the rest"
            self._drop("flood", line, wrong=True)
            return None
        try:
            packet = sacn.parse(data) if self._settings.input == "sacn" else artnet.parse(data, host)
        except PacketError as error:
            self._counters.faults += 1
            self._once("damaged", News(True, f"{error} (from {host}); status/dmx_faults counts them"))
            return None
        if isinstance(packet, artnet.Poll):
            return self._answer(packet, host, now)
        if packet is not None:
            self._heard(packet, now)
        return None

    def due(self, now: float) -> list[Sent]:
        """What is to be sent to the show now."""
        self._sources.forget(now)
        levels = self._sources.merged()
        if levels is None:
            return self._lost() if self._live else []
        if not self._fresh:
            return []
        self._fresh = False
        if not self._live:
            self._live = True
            self._lines.append(News(False, f"{self.told()} is there, on universe {self._settings.universe}"))
        return self._player.take(levels[self._settings.channel - 1 :], self._cues())

    def news(self) -> list[News]:
        """Lines for people since the last call."""
        lines, self._lines = self._lines, []
        return lines

    def _heard(self, packet: Levels, now: float) -> None:
        if packet.universe != self._settings.universe:
            line = f"universe {packet.universe} arrives too; only {self._settings.universe} is used (dmx/universe)"
            self._drop("universe", line, wrong=False)
        elif self._sources.take(packet, now):
            self._counters.packets += 1
            self._fresh = True
        elif packet.preview:
            self._drop("preview", f"{packet.name or packet.source} sends a preview, which steers nothing", wrong=False)
        elif packet.source not in self._sources.sources and not packet.ended:
            line = f"{packet.name or packet.source} is one sender too many; it waits for another to stop"
            self._drop("sources", line, wrong=True)
        else:
            self._counters.dropped += 1

    def _lost(self) -> list[Sent]:
        self._live = self._fresh = False
        self._counters.losses += 1
        cue = self._settings.lost_cue
        then = f"the cue {cue!r} is recalled" if cue else "everything stays as it is"
        self._lines.append(News(True, f"no levels on universe {self._settings.universe} any more; {then}"))
        if not cue:
            return []
        self._player.forget()
        return [(RECALL, (cue,))]

    def _answer(self, poll: artnet.Poll, host: str, now: float) -> bytes | None:
        if not poll.low <= self._settings.universe <= poll.high:
            return None
        if not self._answers.of(host, now).take(now):
            self._counters.dropped += 1
            return None
        report = f"version {VERSION}, {self._counters.packets} packets"
        return artnet.poll_reply(self._address(), self._settings.universe, _NAME, report)

    def _drop(self, kind: str, line: str, *, wrong: bool) -> None:
        self._counters.dropped += 1
        self._once(kind, News(wrong, line))

    def _once(self, kind: str, news: News) -> None:
        if kind not in self._said:
            self._said.add(kind)
            self._lines.append(news)
