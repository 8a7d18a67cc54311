"""Which files of networks are there: the kinds of control and mask that cannot run now, and those that could do better.

A kind is missing by the same files as its refusal (`Networks.find`) and as `streamvace doctor`. The files are looked
for again every two seconds, on a thread of its own: the models folder may be on a slow disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from streamvace.conditioning import controls, masks
from streamvace.conditioning.controls.networks import Networks
from streamvace.live.signals.parts import CONTROL_KIND, MASK_SOURCES, SECOND_KIND, detector_of
from streamvace.system.errors import UserError

LOOK_S = 2.0
"""Between two looks: as long as a kind may stay grey after its download."""

Rows = Mapping[str, Mapping[str, Mapping[str, str]]]
"""By address and choice: `why`, one line, and `fix`, the command that helps."""


def lacking(networks: Networks) -> Rows:
    """What is missing now. Looks at a few files and loads nothing."""
    kinds, sources = _lacking(networks, controls.NEEDED), _lacking(networks, masks.NEEDED)
    return {CONTROL_KIND: kinds, SECOND_KIND: kinds, **dict.fromkeys(MASK_SOURCES, sources)}


def found(networks: Networks) -> Mapping[str, frozenset[str]]:
    """By kind of control, those of the files it can do without that are there. Loads nothing."""
    return {
        kind: frozenset(name for name in names if networks.place(name).exists())
        for kind, names in controls.USED.items()
    }


def _lacking(networks: Networks, needed: Mapping[str, tuple[str, tuple[str, ...]]]) -> Mapping[str, Mapping[str, str]]:
    lacks = {kind: networks.lack(what, names) for kind, (what, names) in needed.items()}
    return {kind: {"why": str(lack), "fix": lack.fix} for kind, lack in lacks.items() if lack is not None}


class KindLacks:
    """`lacking` and `found`, kept up to date in the background. Any thread may read `rows` and `files`."""

    def __init__(self, networks: Networks, find: Callable[[str], Path] = Path) -> None:
        """find: the file of a detector, by its name in the media folder. Raises UserError without one."""
        self.rows: Rows = {}
        self._find = find
        self._detector: tuple[str, frozenset[str]] = ("", frozenset())
        self._found: Mapping[str, frozenset[str]] = found(networks)
        self._networks = networks
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="missing kinds", daemon=True)

    def files(self, kind: str) -> frozenset[str]:
        """The files that a kind of control can do without and that are there."""
        return self._found.get(kind, frozenset())

    def mask_files(self, key: str) -> frozenset[str]:
        """The file of a detector as it is now, if it is there. A file that changes counts as another: it may have been
        copied in pieces. A name that is new is looked for at once, once."""
        name = detector_of(key)
        if not name:
            return frozenset()
        if name != self._detector[0]:
            self._detector = name, self._as_it_is(name)
        return self._detector[1]

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, without waiting for the disk. Idempotent."""
        self._stop.set()

    def _run(self) -> None:
        while True:
            self.rows, self._found = lacking(self._networks), found(self._networks)
            if name := self._detector[0]:
                self._detector = name, self._as_it_is(name)
            if self._stop.wait(LOOK_S):
                return

    def _as_it_is(self, name: str) -> frozenset[str]:
        try:
            about = self._find(name).stat()
        except (UserError, OSError):
            return frozenset()
        return frozenset({f"{name} {about.st_size} {about.st_mtime_ns}"})
