"""How long a change waits for the beat.

Threads: the OSC thread follows the parameters and asks; any thread may call `figures`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from streamvace.control.parameters import Snapshot
from streamvace.control.transport import Transport
from streamvace.system.errors import UserError

QUANTISE: Final = "/streamvace/quantise"
MASTER: Final = "/streamvace/tempo/master"
BPM: Final = "/streamvace/tempo/bpm"
BEATS_A_BAR: Final = "/streamvace/tempo/beats_a_bar"
ROWS: Final = frozenset({QUANTISE, MASTER, BPM, BEATS_A_BAR})
"""The parameters that the gate and its transport follow."""

BARS: Final = {"bar": 1, "2_bars": 2, "4_bars": 4}
"""Choice of `/streamvace/quantise` -> the grid of changes, in bars."""


class BeatGate:
    """Computes how long a change must wait to be seen on the beat."""

    def __init__(self, transport: Transport | None = None, look_ahead_s: Callable[[], float] = float) -> None:
        """look_ahead_s: how many seconds early a change must be set to be seen on time."""
        self.transport = transport or Transport()
        self._look_ahead_s = look_ahead_s
        self._beats = 0
        self._bar = 4

    def follow(self, snapshot: Snapshot) -> None:
        """Take what the parameters in ROWS say. Joins Link for master `link` and, with `auto`, while something waits
        for the beat. Raises UserError if Link is needed and not installed."""
        quantise, master = snapshot.text(QUANTISE), snapshot.text(MASTER)
        self._bar = snapshot.integer(BEATS_A_BAR)
        self._beats = 0
        self.transport.set_tempo(snapshot.number(BPM))
        self.transport.choose(master)
        if master == "link" or (master == "auto" and quantise != "off"):
            self._join(needed=master == "link")
        else:
            self.transport.link.leave()
            self.transport.release_link()
        self._beats = BARS[quantise] * self._bar if quantise in BARS else int(quantise == "beat")

    def _join(self, *, needed: bool) -> None:
        try:
            self.transport.link.join()
        except UserError:
            if needed or not self.transport.has_master:
                raise

    @property
    def holding(self) -> bool:
        """Whether changes wait. Without a beat that runs there is nothing to wait for."""
        return bool(self._beats) and self.transport.now().running

    def next_beat(self) -> float:
        """The first beat, or first beat of a bar, on which a change set now can still be seen."""
        now = self.transport.now()
        soonest = now.beat + self._look_ahead_s() * now.tempo / 60.0
        return math.ceil(soonest / self._beats) * float(self._beats) if self._beats else soonest

    def wait_s(self, beat: float) -> float:
        """Seconds until a change for this beat must be set; 0 when it is due or when nothing waits."""
        now = self.transport.now()
        if not self._beats or not now.running:
            return 0.0
        left_s = (beat - now.beat) * 60.0 / now.tempo
        if left_s > 2 * self._beats * 60.0 / now.tempo + self._look_ahead_s():
            return 0.0  # the master restarted its count of beats: do not wait for a beat that never comes
        return max(0.0, left_s - self._look_ahead_s())

    def figures(self) -> dict[str, float | int | str]:
        """For the status: the transport, 0 without a tempo."""
        now = self.transport.now()
        taps, tapped = self.transport.taps()
        return {
            "beat": round(now.beat, 3),
            "tempo": round(now.tempo, 2),
            "bar_phase": round(now.beat / self._bar % 1.0, 3) if now.tempo else 0.0,
            "running": now.running,
            "tempo_master": now.master,
            "taps": taps,
            "tapped": round(tapped, 1),
            "clock_losses": self.transport.losses,
            "link_peers": self.transport.link.peers,
        }

    def close(self) -> None:
        """Leave the session. Nothing waits any more."""
        self._beats = 0
        self.transport.link.leave()
