"""Several inputs at once, and which of them plays which role.

`--input` may be given several times. A **role** is what an input is used for: `control` steers the picture, `mask` says
where to generate, `source` is repainted by video to video. Roles are the parameters `/streamvace/input/ROLE`; their
text is the number of a given input ("1", "2"), its address as it was given, or any other address, which is opened on
demand and closed when no role wants it any more. Empty means what the control takes, and for the control the first.
A new role is a new row of the schema.

    ring = inputs.ring("mask")        # of what plays the mask now; cheap, from any thread

Switching is hot: a role keeps its old input until the new one has given its first picture, so that neither the output
nor the control ever has a gap. An input that cannot be opened costs one line and is tried again, patiently.

Threads: one of its own (`inputs`) opens and closes; each input has its poller's thread. `ring` and `follow` are called
from any thread and never wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.live.inputs.source_poller import SourcePoller
from streamvace.records.frame import Source
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats
from streamvace.video.endpoints import SOURCES, open_source, split_uri

PREFIX = "/streamvace/input/"
"""What stands before the role in the address of its parameter."""

LEAD = "control"
"""The role that the others follow while they have no input of their own."""

NOTHING = "none"
"""The address of an input that never gives a picture: a role that asks for it has no picture, and at once."""

_LOOK_S = 0.01
"""How often an input that was asked for is looked at for its first picture: less than a tick of any output."""


_LEAVE_S = 0.25
"""How long a switch waits for an input that goes, so that a device asked for again is free. One that hangs goes by
itself."""


class _Input:
    """One open input: its ring and what fills it."""

    def __init__(self, address: str, opener: Callable[[], Source], reporter: Reporter) -> None:
        self.address = address
        self.ring = FrameRing()
        self.poller = SourcePoller(opener, self.ring, reporter, address)

    @property
    def arrived(self) -> bool:
        """Whether a role may switch to it without a gap."""
        return self.address == NOTHING or self.ring.newest() is not None


class Inputs:
    """Every open input, and a ring for every role."""

    def __init__(
        self,
        given: Sequence[str],
        open_given: Callable[[str], Source],
        open_asked: Callable[[str], Source],
        reporter: Reporter,
    ) -> None:
        """given: addresses of the command line, at least one. open_given, open_asked: make the source of an address
        given there, and of one asked for during the show, where more is forbidden; both raise UserError."""
        if not given:
            raise ValueError("a show has at least one input; `none` is one")
        self._reporter = reporter
        self._open_asked = open_asked
        self._given = tuple(_Input(address, _bound(open_given, address), reporter) for address in given)
        self._asked: dict[str, _Input] = {}
        self._leaving: list[_Input] = []
        self._playing: Mapping[str, _Input] = MappingProxyType({LEAD: self._given[0]})
        self._wanted: Mapping[str, str] = {}
        self._switches = 0
        self._stop = threading.Event()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inputs", daemon=True)

    def start(self) -> None:
        """Open the given inputs. Raises what the first one that cannot be opened raised, with none left open."""
        try:
            for each in self._given:
                each.poller.start()
        except BaseException:
            self._close_all()
            raise
        self._thread.start()

    def stop(self) -> None:
        """Close every input. Idempotent."""
        self._stop.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join()
        self._close_all()

    def follow(self, values: Mapping[str, object]) -> None:
        """The parameters changed: take the roles from them, soon. values: a snapshot's, by OSC address."""
        wanted = {
            address.removeprefix(PREFIX): text.strip()
            for address, text in values.items()
            if address.startswith(PREFIX) and isinstance(text, str)
        }
        if wanted != self._wanted:
            self._wanted = wanted
            self._changed.set()

    def ring(self, role: str) -> FrameRing:
        """The pictures of what plays this role now; a role without an input of its own has the control's."""
        playing = self._playing
        return playing.get(role, playing[LEAD]).ring

    def stats(self) -> Stats:
        """The control's figures, and how many inputs there are."""
        playing = self._playing
        return {
            **playing[LEAD].poller.stats(),
            "inputs": len(self._given) + len(self._asked),
            "input_switches": self._switches,
            **{f"input_{role}": each.address for role, each in playing.items()},
        }

    def _run(self) -> None:
        pending = False
        while not self._stop.is_set():
            self._changed.wait(_LOOK_S if pending else None)
            self._changed.clear()
            pending = self._settle(self._wanted)

    def _settle(self, wanted: Mapping[str, str]) -> bool:
        """Bring the roles as near to what is wanted as can be now. True while one still waits for a first picture."""
        playing, pending = dict(self._playing), False
        for role in (LEAD, *(role for role in wanted if role != LEAD)):
            text = wanted.get(role, "")
            if not text and role != LEAD:
                self._switches += playing.pop(role, None) is not None
                continue
            found = self._find(text)
            if not found.arrived and found is not self._given[0]:
                pending = True
            elif playing.get(role) is not found:
                playing[role] = found
                self._switches += 1
        self._playing = MappingProxyType(playing)
        self._close_unused(set(wanted.values()))
        return pending

    def _find(self, text: str) -> _Input:
        """The input that a parameter names, opened when nobody has opened it yet."""
        for number, each in enumerate(self._given, 1):
            if text in ("", str(number), each.address):
                return each
        if text not in self._asked:
            opener = self._no_such_number if text.isdecimal() else self._open_asked
            self._asked[text] = _Input(text, _bound(opener, text), self._reporter)
            self._asked[text].poller.start_patiently()
        return self._asked[text]

    def _no_such_number(self, text: str) -> Source:
        count = len(self._given)
        raise UserError(f"there is no input {text}: --input was given {count} times; take a number from 1 to {count}")

    def _close_unused(self, wanted: set[str]) -> None:
        playing = self._playing.values()
        for address, each in list(self._asked.items()):
            if address not in wanted and not any(each is played for played in playing):
                del self._asked[address]
                each.poller.stop(_LEAVE_S)
                self._leaving.append(each)
        self._leaving = [each for each in self._leaving if each.poller.running]

    def _close_all(self) -> None:
        for each in (*self._given, *self._asked.values(), *self._leaving):
            each.poller.stop()
        self._asked.clear()


def _bound(opener: Callable[[str], Source], address: str) -> Callable[[], Source]:
    return lambda: opener(address)


def open_confined(address: str, size: tuple[int, int], media: MediaFolder) -> Source:
    """A source asked for during the show. Whoever reaches the port must not read the files of this machine, so a file
    is one of the media folder. Raises UserError."""
    scheme, rest = split_uri(address, SOURCES)
    if scheme == "file":
        name, _, options = rest.partition("?")
        address = f"file:{media.find(name)}?{options}"
    return open_source(address, size)
