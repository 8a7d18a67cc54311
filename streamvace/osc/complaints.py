"""What is said about messages that are not used as they are: to their sender, or only to the people of the show.

Collected during a turn of the OSC thread, once for each sender and address; the server sends and reports them.
"""

from __future__ import annotations

from typing import NamedTuple

from streamvace.osc.codec import OscError
from streamvace.osc.counters import Counters
from streamvace.osc.monitor import Fate, Monitor
from streamvace.osc.near_misses import ROOT, NearMisses
from streamvace.osc.pattern import is_pattern
from streamvace.osc.peer import Peer

MAX_COMPLAINTS = 64
"""Pairs of sender and address that get a complaint in a turn."""
ANSWERS = (f"/{ROOT}/status/", f"/{ROOT}/pong", f"/{ROOT}/cue/name")
"""What a show answers with. None of it is ever answered: two shows would complain to each other for ever."""


class Complaint(NamedTuple):
    """Why a message is not used as it is, in one line. asked: its arguments, as text. fix: a command, or empty."""

    fate: Fate
    line: str
    asked: str = ""
    fix: str = ""


class Complaints:
    """The complaints of one turn.

    told: by sender and address, what the sender is told. noted: by sender and kind, what is not answered, because it is
    no OSC, belongs to another program, or is an answer itself.
    """

    def __init__(self, counters: Counters, monitor: Monitor, near_misses: NearMisses) -> None:
        self._counters = counters
        self._monitor = monitor
        self._near_misses = near_misses
        self.told: dict[tuple[Peer, str], Complaint] = {}
        self.noted: dict[tuple[Peer, str], str] = {}

    def end_turn(self) -> None:
        """Begin with nothing again."""
        self.told, self.noted = {}, {}

    def tell(self, peer: Peer, about: str, fate: Fate, line: str) -> None:
        """The message that is being handled is not used as it is."""
        self._monitor.becomes(fate, line)
        self.complain(peer, about, Complaint(fate, line, self._monitor.newest_arguments()))

    def refuse_after_all(self, peer: Peer, address: str, line: str, fix: str = "") -> None:
        """A message that was taken up earlier in this turn is refused."""
        asked = self._monitor.became(peer, address, line)
        self.complain(peer, address, Complaint("refused", line, asked, fix))

    def complain(self, peer: Peer, about: str, complaint: Complaint) -> None:
        """Tell the sender, unless it is about an answer."""
        if about.startswith(ANSWERS):
            self._counters.answers += 1
            self._monitor.becomes("ignored", "an answer, not a command")
            self._note(peer, "OSC answers", "this sender passes answers on, as another show does; they are ignored")
            return
        self._counters.complaints += 1
        if len(self.told) < MAX_COMPLAINTS or (peer, about) in self.told:
            self.told[peer, about] = complaint

    def unknown(self, peer: Peer, address: str) -> None:
        """There is no such address. The sender hears of it if it means this show."""
        self._counters.unknown += 1
        meant = "" if is_pattern(address) else self._near_misses.meant(address)
        if meant or address.startswith(f"/{ROOT}/"):
            hint = f"; did you mean {meant}?" if meant else ""
            self.tell(peer, address, "unknown", f"{address[:80]}: there is no such parameter{hint}")
            return
        # A shared port carries other programs' traffic: they are not told about their own addresses.
        self._monitor.becomes("ignored", "not for this show")
        self._note(peer, "OSC for others", f"{address[:80]} is no address of this show; its own begin with /{ROOT}/")

    def unreadable(self, peer: Peer, problem: OscError, line: str, at: float) -> None:
        """A datagram cannot be decoded. Its sender hears of it if it is meant for this show. at: seconds since 1970."""
        address = problem.address
        self._monitor.note(at, peer, address or "(not OSC)")
        if address.startswith(f"/{ROOT}/"):
            self.tell(peer, address, "refused", line)
        else:
            self._monitor.becomes("refused", line)
            self._note(peer, "not OSC", line)

    def _note(self, peer: Peer, kind: str, line: str) -> None:
        if len(self.noted) < MAX_COMPLAINTS:
            self.noted[peer, kind] = line
