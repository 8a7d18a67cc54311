"""Runs the simulation: frames in real time, user actions, pictures over real NDI, OSC in both directions."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from streamvace_td import link as link_module
from streamvace_td.builder import build

from streamvace.osc.codec import decode
from streamvace.records.frame import Frame, Sink, Source
from streamvace.system.clock import now_ns
from streamvace.video.endpoints import open_sink, open_source
from streamvace.video.ndi.runtime import NdiFinder
from tests.patience import PATIENCE_S
from tests.touchdesigner.fake_ops import COMP, OP
from tests.touchdesigner.fake_td import FakeTouchDesigner

FRAME_S = 1 / 60
QUIET = "--no-web --oscquery-port -1 --osc-tcp-port -1"
"""Options for a process with as few open ports as possible."""


def free_port() -> int:
    """A UDP port that no process uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ndi_on_loopback(folder: Path) -> dict[str, str]:
    """Environment in which NDI finds senders on this machine without a discovery service."""
    networks = {"ips": "127.0.0.1,", "discovery": ""}
    (folder / "ndi-config.v1.json").write_text(json.dumps({"ndi": {"networks": networks}}))
    return {"NDI_CONFIG_DIR": str(folder), "STREAMVACE_NDI_IPS": "127.0.0.1"}


class NdiWorld:
    """Implements TouchDesigner's NDI operators: sends and receives under their names while they are active."""

    def __init__(self, picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
        self.picture = picture
        self.received: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]] = {}
        """Newest picture by the path of the NDI In TOP."""
        self.counts: dict[str, int] = {}
        self._sinks: dict[tuple[str, str], Sink] = {}
        self._sources: dict[tuple[str, str], Source] = {}
        self._finders: dict[str, NdiFinder] = {}
        self._asked: dict[str, float] = {}
        self._heard: dict[str, float] = {}

    def cook(self, td: FakeTouchDesigner) -> None:
        operators = td._all(td._root)
        out = {(each.path, each.par.name.eval()) for each in operators if self._on(each, "ndioutTOP")}
        into = {(each.path, each.par.name.eval()) for each in operators if self._on(each, "ndiinTOP")}
        for key in self._sinks.keys() - out:
            self._sinks.pop(key).close()
        for gone in self._sources.keys() - into:
            self._sources.pop(gone).close()
        for key in out:
            if key not in self._sinks:
                self._sinks[key] = open_sink(f"ndi:{key[1]}", (128, 128), 60.0)
            self._sinks[key].publish(Frame(self.picture, now_ns(), "touchdesigner", 0))
        for key in into:
            frame = self._receive(*key) if key[1] else None
            if frame is not None:
                self.received[key[0]] = frame.pixels
                self.counts[key[0]] = self.counts.get(key[0], 0) + 1

    def close(self) -> None:
        for each in (*self._sinks.values(), *self._sources.values(), *self._finders.values()):
            each.close()

    def _receive(self, path: str, name: str) -> Frame | None:
        source = self._sources.get((path, name))
        if source is None:
            url = self._find(path, name)
            if url:
                self._sources[path, name] = open_source(f"ndi:{name}?url={url}", (64, 64))
                self._heard[path] = time.monotonic()
            return None
        frame = source.poll()
        if frame is not None:
            self._heard[path] = time.monotonic()
        elif time.monotonic() - self._heard[path] > 3.0:
            self._sources.pop((path, name)).close()  # a restarted sender may use another port
        return frame

    def _find(self, path: str, name: str) -> str:
        """The sender's URL, "" until known. Without a discovery service, all NDI programs on a machine share one query
        port, and only one of them answers, for itself. So a new finder asks again every second."""
        finder = self._finders.get(path)
        address = None if finder is None else finder.find(name)
        if address is None and time.monotonic() - self._asked.get(path, 0.0) > 1.0:
            if finder is not None:
                finder.close()
            self._finders[path], self._asked[path] = NdiFinder("127.0.0.1"), time.monotonic()
        return "" if address is None else address.url

    @staticmethod
    def _on(operator: OP, kind: str) -> bool:
        return operator.OPType == kind and bool(operator.par.active.eval())


class Studio:
    """A project with the component. `sent`, `heard`: the decoded OSC messages in order."""

    def __init__(self, td: FakeTouchDesigner, ndi: NdiWorld | None = None, name: str = "streamvace") -> None:
        self.td, self.ndi = td, ndi
        self.paused = False
        """Whether TouchDesigner's timeline stands still."""
        self.component: COMP = build(td.network, td, name=name)  # type: ignore[assignment,arg-type]
        self.sent: list[tuple[str, tuple[object, ...]]] = []
        self.heard: list[tuple[str, tuple[object, ...]]] = []
        self.show: Callable[[str], None] = lambda line: None
        self.set(Python=sys.executable)  # start the code under test, and install nothing
        self._tap()

    def set(self, **values: object) -> None:
        """Change parameters; the change takes effect at the end of the next frame."""
        for name, value in values.items():
            setattr(self.component.par, name, value)

    def prepare(self, port: int, stream: str, options: str = "") -> None:
        """Set the parameters for a process that is started next."""
        self.set(Oscport=port, Streamname=stream, Options=f"{QUIET} {options}".strip())

    def press(self, name: str) -> None:
        getattr(self.component.par, name).pulse()
        self.frame()

    def frame(self, act: Callable[[], None] | None = None) -> None:
        (self.td.paused_frame if self.paused else self.td.frame)(act)
        if self.ndi is not None:
            self.ndi.cook(self.td)

    def until(self, reached: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
        """Run frames until `reached` is true."""
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, f"not within {seconds:g} s: {what}; {self.state()}; log {self.log()[-12:]}"
            self.frame()
            time.sleep(FRAME_S / 4)

    def frames(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.frame()
            time.sleep(FRAME_S / 4)

    def par(self, name: str) -> object:
        return getattr(self.component.par, name).eval()

    def state(self) -> str:
        return f"{self.par('State')} ({self.par('Message')}), process {self.par('Statusstate')}"

    def log(self) -> list[tuple[str, ...]]:
        table = self.component.op("log")
        assert table is not None
        return table._rows[1:]

    @property
    def extension(self) -> object:
        return self.component._extension

    @property
    def pid(self) -> int:
        child = self.component._extension._child
        return 0 if child is None else int(child.pid)

    def said(self, text: str) -> bool:
        return any(text in row[2] for row in self.log())

    def close(self) -> None:
        """End TouchDesigner and its process, and wait for the end."""
        child = self.component._extension._child if self.component._extension is not None else None
        self.td.close()
        if child is not None:
            child.terminate()
            if not child.join(20):
                child.kill()
                child.join(20)
        if self.ndi is not None:
            self.ndi.close()

    def _tap(self) -> None:
        """Record every message that the component sends and receives."""
        link: link_module.Link = self.component._extension._link
        send, turn = link._send_datagram, link.turn

        def sending(datagram: bytes) -> None:
            for message in decode(datagram):
                self._note(self.sent, "-->", message.address, message.arguments)
            send(datagram)

        def turning(now: float) -> list[object]:
            was = link.connected
            messages = turn(now)
            if link.connected and not was:
                self._note(self.heard, "<--", link_module.PONG, ())
            for message in messages:
                self._note(self.heard, "<--", message.address, message.arguments)
            return list(messages)

        link._send_datagram = sending  # type: ignore[method-assign]
        link.turn = turning  # type: ignore[method-assign,assignment]

    def _note(
        self, where: list[tuple[str, tuple[object, ...]]], arrow: str, address: str, arguments: tuple[object, ...]
    ) -> None:
        where.append((address, arguments))
        self.show(f"{arrow} {address} {' '.join(map(repr, arguments))}".rstrip())


def environment(extra: Mapping[str, str]) -> None:
    """Set variables for child processes and for NDI in this process, before either starts."""
    os.environ.update(extra)
