"""The open inputs, and which of them plays which role.

`--input` may be given several times. A **role** is what an input is used for: `control` steers the picture, `mask` says
where to generate, `source` is repainted by video to video. Roles are the parameters `/streamvace/input/ROLE`. Their
text is the number of an `--input` ("1", "2"), its address as given, or any other address, which is opened on demand and
closed when no role uses it. An empty text means the control's input, and for the control itself the first `--input`.
A new role is a new row of the schema.

    ring = inputs.ring("mask")        # of the input that plays the mask now; cheap, from any thread

A role keeps its old input until the new one has delivered its first frame, so neither the output nor the control has a
gap. An input that cannot be opened is reported once and retried, and the parameter shows what it lacks. An address
that no input can ever have is refused, and the parameter returns to the one before.

Threads: the `inputs` thread opens and closes; each input has its poller's thread. `ring` and `follow` may be called
from any thread and never wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from streamvace.control.refusals import Lack
from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.live.inputs.source_poller import SourcePoller
from streamvace.records.frame import Frame, Source
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats
from streamvace.video.endpoints import SOURCES, check_source, source_of, split_uri
from streamvace.video.film.source import FileSource, split_file

PREFIX = "/streamvace/input/"
"""The address of a role's parameter is this and the role."""

LEAD = "control"
"""Roles without an input of their own use this role's."""

NOTHING = "none"
"""Address of an input without pictures. A role switches to it at once."""

_LOOK_S = 0.01
"""Interval for checking a requested input for its first frame: less than a tick of any output."""

_LEAVE_S = 0.25
"""How long a switch waits for the old input to close, so that its device can be opened again. One that hangs longer
closes in the background."""


class _Input:
    """An input, its ring and the poller that fills it."""

    def __init__(self, address: str, opener: Callable[[str], Source], reporter: Reporter) -> None:
        self.address = address
        self.ring = FrameRing()
        self.poller = SourcePoller(partial(opener, address), self.ring, reporter, address)

    @property
    def arrived(self) -> bool:
        """Whether a role can switch to it without a gap."""
        return self.address == NOTHING or self.ring.newest() is not None


class Inputs:
    """Every open input, and a ring for every role."""

    def __init__(
        self,
        given: Sequence[str],
        open_given: Callable[[str], Source],
        open_asked: Callable[[str], Source],
        reporter: Reporter,
        refuse: Callable[[str, str, Exception], None],
        check: Callable[[str], None] = check_source,
    ) -> None:
        """given: addresses of the command line, at least one. open_given opens one of them, open_asked an address that
        is requested during the show, which is more restricted; both raise UserError. refuse: takes a parameter's
        address, the text that it holds, and why that is impossible. check: raises UserError for such a text."""
        if not given:
            raise ValueError("a show has at least one input; `none` is one")
        self._reporter = reporter
        self._open_asked = open_asked
        self._refuse = refuse
        self._check = check
        self._given = tuple(_Input(address, open_given, reporter) for address in given)
        self._asked: dict[str, _Input] = {}
        self._leaving: list[_Input] = []
        self._playing: Mapping[str, _Input] = {LEAD: self._given[0]}  # replaced whole, never changed
        self._wanted: Mapping[str, str] = {}
        self._chosen: Mapping[str, _Input] = {}  # what each role wants, by role; replaced whole
        self._switches = 0
        self._stop = threading.Event()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inputs", daemon=True)

    def start(self) -> None:
        """Open the given inputs. If one cannot be opened, close the others and raise its error."""
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
        """Adopt the roles of these parameters soon. values: a snapshot's, by OSC address."""
        wanted = {
            address.removeprefix(PREFIX): text
            for address, text in values.items()
            if address.startswith(PREFIX) and isinstance(text, str)
        }
        if wanted != self._wanted:
            self._wanted = wanted
            self._changed.set()

    def ring(self, role: str) -> FrameRing:
        """The ring of the input that plays this role now; without one, the control's."""
        playing = self._playing
        return playing.get(role, playing[LEAD]).ring

    @property
    def lead(self) -> str:
        """The address of the input that plays the control now."""
        return self._playing[LEAD].address

    def newest(self, address: str) -> Frame | None:
        """The newest picture of an open input, by its address or number; None if this one is not open."""
        given = {str(number): each for number, each in enumerate(self._given, 1)}
        opened = {each.address: each for each in (*self._given, *self._playing.values())} | given
        return opened[address].ring.newest() if address in opened else None

    def lacks(self) -> Mapping[str, Lack]:
        """What is wrong with the inputs that roles want, by the address of the role's parameter. From any thread."""
        return {
            PREFIX + role: Lack(each.address, each.poller.fault)
            for role, each in self._chosen.items()
            if each.poller.fault
        }

    def stats(self) -> Stats:
        """The control's figures, how many inputs are open, and which plays each role."""
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
        """Switch every role whose new input is ready. Returns whether one still waits for its first frame."""
        playing, pending = dict(self._playing), False
        chosen: dict[str, _Input] = {}
        for role in (LEAD, *(role for role in wanted if role != LEAD)):
            text = wanted.get(role, "")
            if not text.strip() and role != LEAD:
                self._switches += playing.pop(role, None) is not None
                continue
            try:
                found = chosen[role] = self._find(text.strip())
            except UserError as error:
                self._refuse(PREFIX + role, text, error)
                continue
            if not found.arrived and found is not self._given[0]:
                pending = True
            elif playing.get(role) is not found:
                playing[role] = found
                self._switches += 1
        self._playing, self._chosen = playing, chosen
        self._close_unused({text.strip() for text in wanted.values()})
        return pending

    def _find(self, text: str) -> _Input:
        """The input that a parameter names; opened here if it is not open yet. Raises UserError if none can be."""
        for number, each in enumerate(self._given, 1):
            if text in ("", str(number), each.address):
                return each
        found = self._asked.get(text)
        if found is None:
            if text.isdecimal():
                count = len(self._given)
                raise UserError(f"Only {'input 1 exists' if count == 1 else f'inputs 1 to {count} exist'}.")
            self._check(text)
            found = self._asked[text] = _Input(text, self._open_asked, self._reporter)
            found.poller.start_patiently()
        return found

    def _close_unused(self, wanted: set[str]) -> None:
        for address, each in list(self._asked.items()):
            if address not in wanted and each not in self._playing.values():
                del self._asked[address]
                each.poller.stop(_LEAVE_S)
                self._leaving.append(each)
        self._leaving = [each for each in self._leaving if each.poller.running]

    def _close_all(self) -> None:
        for each in (*self._given, *self._asked.values(), *self._leaving):
            each.poller.stop()
        self._asked.clear()


def open_confined(address: str, size: tuple[int, int], media: MediaFolder) -> Source:
    """A source requested during the show. size: (width, height).

    Anyone who reaches the OSC port can request one, so files are confined to the media folder. Raises UserError.
    """
    scheme, rest = split_uri(address, SOURCES)
    if scheme != "file":
        return source_of(scheme, rest, size)
    name, options = split_file(rest)
    return FileSource(media.find(name), size, options=options)
