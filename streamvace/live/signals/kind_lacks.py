"""The kinds of control and mask that cannot run now, known before somebody asks for one.

A kind is missing by the same files as its refusal (`Networks.find`) and as `streamvace doctor`. They are looked for
again every two seconds, on a thread of its own: the models folder may be on a slow disk.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from streamvace.conditioning import controls, masks
from streamvace.conditioning.controls.networks import Networks
from streamvace.live.signals.parts import CONTROL_KIND, MASK_SOURCES, SECOND_KIND

LOOK_S = 2.0
"""Between two looks: as long as a kind may stay grey after its download."""

Rows = Mapping[str, Mapping[str, Mapping[str, str]]]
"""By address and choice: `why`, one line, and `fix`, the command that helps."""


def lacking(networks: Networks) -> Rows:
    """What is missing now. Looks at a few files and loads nothing."""
    kinds, sources = _lacking(networks, controls.NEEDED), _lacking(networks, masks.NEEDED)
    return {CONTROL_KIND: kinds, SECOND_KIND: kinds, **dict.fromkeys(MASK_SOURCES, sources)}


def _lacking(networks: Networks, needed: Mapping[str, tuple[str, tuple[str, ...]]]) -> Mapping[str, Mapping[str, str]]:
    lacks = {kind: networks.lack(what, names) for kind, (what, names) in needed.items()}
    return {kind: {"why": str(lack), "fix": lack.fix} for kind, lack in lacks.items() if lack is not None}


class KindLacks:
    """`lacking`, kept up to date in the background. Any thread may read `rows`."""

    def __init__(self, networks: Networks) -> None:
        self.rows: Rows = {}
        self._networks = networks
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="missing kinds", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, without waiting for the disk. Idempotent."""
        self._stop.set()

    def _run(self) -> None:
        while True:
            self.rows = lacking(self._networks)
            if self._stop.wait(LOOK_S):
                return
