"""The components of this project, so that each has a port and a stream name of its own. Main thread only.

A component that is copied has the port and the names of the original.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain

from streamvace_td.log_table import LogTable
from streamvace_td.panel import Panel
from streamvace_td.td_api import Component

SENDERS_OF_OLD_SPOUT = 10
"""Length of Spout's list of senders before June 2019; 64 since. The program that starts first makes the list."""


@dataclass(frozen=True)
class Sibling:
    """A component: its path, port, stream name, and whether it sends with Spout."""

    path: str
    port: int
    stream: str
    spout: bool


IDENTITY = ("Oscport", "Streamname", "Transport", "Mode")
"""The parameters that tell components apart."""

_present: dict[int, Sibling] = {}
"""By operator id. This module survives a reload of an extension."""


class Siblings:
    """What one component knows of the others."""

    def __init__(self, owner: Component, panel: Panel, log: LogTable) -> None:
        self._path, self._identity = owner.path, owner.id
        self._panel, self._log = panel, log

    def enter(self) -> None:
        """The component is there. A copy gets a port and a stream name of its own, so that it does not steer the
        process of the original."""
        own = self._own()
        original = next((each for each in self._others() if each.port == own.port or each.stream == own.stream), None)
        if original is not None:
            self._panel.show("Oscport", free_port(own.port, {each.port for each in self._others()}))
            self._panel.show("Streamname", free_stream(own.stream, {each.stream for each in self._others()}))
            self._panel.show("Resultname", "")
            own = self._own()
            self._log.add("component", f"copy of {original.path}: port {own.port}, stream {own.stream}")
        self.update()
        senders = 2 * sum(each.spout for each in _present.values())
        if senders > SENDERS_OF_OLD_SPOUT:
            self._log.add(
                "component",
                f"the components of this project have {senders} Spout senders: Spout lists 64 on a machine, or "
                f"{SENDERS_OF_OLD_SPOUT} if a program from before 2019 started first",
            )

    def update(self) -> None:
        """The parameters of IDENTITY have changed."""
        _present[self._identity] = self._own()

    def leave(self) -> None:
        """The component is gone."""
        _present.pop(self._identity, None)

    def whose(self) -> str:
        """Whose process the component joined."""
        port = self._own().port
        owner = next((each.path for each in self._others() if each.port == port and not self._panel.remote), None)
        return f"joined the process of {owner}" if owner else "joined a process that this component did not start"

    def _others(self) -> list[Sibling]:
        return [each for identity, each in _present.items() if identity != self._identity]

    def _own(self) -> Sibling:
        value = self._panel.value
        spout = value("Transport") == "spout" and not self._panel.remote
        return Sibling(self._path, int(value("Oscport")), str(value("Streamname")), spout)


def free_port(port: int, taken: Collection[int]) -> int:
    """The first port from `port` on that is not taken."""
    return next(each for each in chain(range(port, 65536), range(1024, port)) if each not in taken)


def free_stream(stream: str, taken: Collection[str]) -> str:
    """`stream`, or `stream` with the next number that is not taken."""
    name = stream.rstrip("0123456789")
    number = int(stream[len(name) :] or 1)
    while stream in taken:
        number += 1
        stream = f"{name}{number}"
    return stream
