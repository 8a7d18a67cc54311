"""The component's extension: TouchDesigner's side of everything. All of it runs on the main thread.

Each frame it takes what the process and the child's thread have left for it, shows it, and sends what was turned. None
of that waits: sockets do not block, processes live on a thread of their own, names are looked up on another.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from streamvace_td.address import Lookup
from streamvace_td.child import Child, Ended, Event, Installing, Launched, Line, leave, take_over
from streamvace_td.cue_menu import PREFIX, CueMenu
from streamvace_td.launch import LOOPBACK, Settings, options, remote_command
from streamvace_td.life import Effect, Life
from streamvace_td.link import SUBSCRIBE, Link
from streamvace_td.log_table import LogTable
from streamvace_td.osc_packet import Arguments, Message
from streamvace_td.pages import pages, schema_specs
from streamvace_td.sync import Sync
from streamvace_td.td_api import Component, Par, ParChange, TouchDesigner, par
from streamvace_td.values import from_par, to_par

DOCUMENTATION = "https://github.com/streamvace/streamvace/blob/main/docs/touchdesigner.md"
QUIT = "/streamvace/quit"
RECALL = "/streamvace/cue/recall"
CUE = "/streamvace/status/cue"
OUTPUTS = "/streamvace/status/outputs"
ERROR = "/streamvace/status/error"
NEXT_START = ("Transport", "Streamname", "Oscport", "Size", "Options", "Media", "Python", "Stay")
"""Parameters of the component that a running process does not follow."""
MOST_EVENTS = 50
"""Of the child's thread, taken a frame: a chatty log must not cost a frame."""


class Extension:
    """Public names are promoted: `op('streamvace').Start()`, `.Send('/streamvace/seed', 7)`."""

    def __init__(
        self, owner: Component, td: TouchDesigner, folder: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """owner: the component. folder: the streamvace folder. clock: seconds that never go back."""
        self.owner = owner
        self._td = td
        self._folder = Path(folder)
        self._clock = clock
        self._specs = schema_specs(pages())
        self._by_par = {spec.name: address for address, spec in self._specs.items()}
        self._sync = Sync(spec.row for spec in self._specs.values() if spec.row is not None)
        self._link = Link()
        self._lookup = Lookup()
        self._life = Life()
        self._child = take_over(owner.path)
        self._log = LogTable(owner, clock)
        cue_rows = (spec for address, spec in self._specs.items() if address.startswith(PREFIX))
        self._cues = CueMenu(owner, (spec.argument for spec in cue_rows if spec.argument))
        self._shown: dict[str, object] = {}
        self._begun = False
        self._stay = False

    # --- for artists -------------------------------------------------------------------------------------------------

    def Start(self) -> None:
        """Join the process that answers at the address, or else start one on this machine."""
        self._do(self._life.start(self._clock()))

    def Stop(self) -> None:
        """End the process on this machine; let go of one on another."""
        self._do(self._life.stop(self._clock()))

    def Install(self) -> None:
        """Install what is missing, without starting anything."""
        if self._child is None and self._life.install():
            self._child = Child(self._settings(), only_install=True)

    def Cue(self, name: str, seconds: float | None = None) -> None:
        """Recall a cue by its name, over its own fade time or so many seconds."""
        self.Send(RECALL, name, *(() if seconds is None else (float(seconds),)))

    def Send(self, address: str, *arguments: bool | int | float | str) -> None:
        """Send any OSC message to the process with this frame's changes; nothing happens without a connection."""
        if self._link.connected:
            self._link.send([(address, arguments)])

    @property
    def State(self) -> str:
        """What the component is doing, in one word."""
        return self._life.state.value

    # --- called by TouchDesigner -------------------------------------------------------------------------------------

    def Frame(self) -> None:
        """Once a frame."""
        now = self._clock()
        self._life.remote, self._life.restart_allowed = self._remote, bool(self._own("Autorestart"))
        self._stay = bool(self._own("Stay"))
        if not self._begun:
            self._begin(now)
        if self._child is not None:
            for event in self._child.events(MOST_EVENTS):
                self._happened(event, now)
        self._do(self._life.tick(now))
        self._talk(now)
        self._show_state()
        self._log.flush()

    def ValuesChanged(self, changes: Iterable[ParChange]) -> None:
        """What was turned in this frame: by hand, by script, by a CHOP, or by `_show`, which goes no further."""
        for change in changes:
            name = change.par.name
            address = self._by_par.get(name)
            if address is None:
                self._own_changed(name)
            elif self._link.connected:
                self._turned(address, change.par)

    def Pulse(self, pressed: Par) -> None:
        """A button was pressed."""
        own = {"Start": self.Start, "Stop": self.Stop, "Install": self.Install, "Help": self._help}
        if pressed.name in own:
            own[pressed.name]()
        elif pressed.name in self._by_par and self._link.connected:
            self._press(self._by_par[pressed.name])

    def Exit(self) -> None:
        """TouchDesigner closes. The process also notices by itself when it does not get this far."""
        if self._child is not None and not self._stay:
            self._link.send([(QUIT, ())])
        self._link.close()

    def onDestroyTD(self) -> None:
        """The component is deleted, or its extension loaded anew: the next one takes the process over, or else it ends.
        One that stays is joined like any other."""
        if self._child is not None and not self._stay:
            leave(self.owner.path, self._child)
        self._link.close()

    # --- process -----------------------------------------------------------------------------------------------------

    def _begin(self, now: float) -> None:
        self._begun = True
        if self._child is not None:
            self._life.took_over()
        elif self._own("Autostart") and not self._remote:
            self._do(self._life.start(now))
        else:
            self._do(self._life.look(now))

    def _happened(self, event: Event, now: float) -> None:
        if isinstance(event, Installing):
            self._life.installing(event.text)
            if not event.text.startswith("..."):  # those count seconds
                self._log.add("install", event.text)
        elif isinstance(event, Launched):
            self._life.launched()
            self._log.add("component", f"started, process {event.pid}")
        elif isinstance(event, Line):
            self._log.add("process", event.text)
        elif isinstance(event, Ended):
            self._child = None
            self._link.lose()
            self._forget()
            self._log.add("component", f"ended with code {event.code}" + (f": {event.line}" if event.line else ""))
            self._do(self._life.ended(event.code, event.line, now))

    def _do(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if effect is Effect.LAUNCH:
                self._child = Child(self._settings())
                self._log.add("component", "starting")
            elif effect is Effect.QUIT:
                self._link.send([(QUIT, ())])
            elif self._child is not None:
                {Effect.CANCEL: Child.cancel, Effect.TERMINATE: Child.terminate, Effect.KILL: Child.kill}[effect](
                    self._child
                )

    def _settings(self) -> Settings:
        return Settings(
            folder=self._folder,
            transport=str(self._own("Transport")),
            name=str(self._own("Streamname")),
            port=int(self._own("Oscport")),
            parameters=self._before_loading(),
            size=str(self._own("Size")),
            options=str(self._own("Options")),
            media=self._media(),
            python=str(self._own("Python")),
            host_pid=None if self._stay else os.getpid(),
            host_folder=self._td.app.installFolder,
        )

    def _before_loading(self) -> tuple[str, ...]:
        """Options for the parameters that a running process would follow only with another model."""
        held = self._held()
        rows = [spec.row for spec in self._specs.values() if spec.row is not None and spec.row.applies == "reload"]
        return tuple(option for row in rows if row.address in held for option in options(row, held[row.address]))

    def _media(self) -> str:
        """Absolute: the process does not run in the project's folder."""
        media = str(self._own("Media")).strip()
        return os.path.normpath(os.path.join(self._td.project.folder, media)) if media else ""

    # --- conversation ------------------------------------------------------------------------------------------------

    def _talk(self, now: float) -> None:
        """Read, show, and send what was turned."""
        before = self._link.connected
        self._link.aim(self._target())
        for message in self._link.turn(now):
            self._heard(message, now)
        self._cues.show()
        if self._link.connected and not before:
            self._connected(now)
        elif before and not self._link.connected:
            self._forget()
            self._life.silent(now)
            self._log.add("component", "the process does not answer any more")
        if self._link.connected:
            self._link.send(self._sync.outgoing(now) + self._cues.questions(now))

    def _forget(self) -> None:
        """Nobody answers: what was known no longer holds, and figures of the past must not pass for news."""
        self._sync.end()
        for spec in self._specs.values():
            if spec.read_only:
                self._show(spec.name, {"Str": "", "Float": 0.0, "Int": 0, "Toggle": False}[spec.style])

    def _target(self) -> tuple[str, int] | None:
        """Where the process is, or None while nobody is wanted or the name is being looked up."""
        if not self._life.listening:
            return None
        host = self._lookup.find(str(self._own("Address")) if self._remote else LOOPBACK)
        return None if host is None else (host, int(self._own("Oscport")))

    def _connected(self, now: float) -> None:
        """A process of ours is told what the component holds; one that was there before tells us what it holds."""
        fresh = self._life.fresh
        self._life.answered(now)
        self._log.add("component", "connected" if fresh else "joined a running process")
        self._link.send([(SUBSCRIBE, ())])
        self._cues.ask(now)
        self._sync.begin(self._held() if fresh else {}, now)

    def _held(self) -> dict[str, Arguments]:
        """Every writable parameter of the address space as the component has it."""
        held = {}
        for address, spec in self._specs.items():
            if spec.row is not None and not spec.read_only and spec.style != "Pulse":
                value = from_par(spec.row, par(self.owner, spec.name).eval())
                if value is not None:
                    held[address] = value
        return held

    def _press(self, address: str) -> None:
        argument = self._specs[address].argument
        value = self._own(argument) if argument else None
        if value == "":
            self._log.add("component", f"{self._specs[address].label}: fill in {argument} first")
        else:
            self._sync.fire(address, () if value is None else (value,))
            if address.startswith(PREFIX):
                self._cues.ask(self._clock())

    def _turned(self, address: str, changed: Par) -> None:
        spec = self._specs[address]
        if spec.row is not None and not spec.read_only:
            value = from_par(spec.row, changed.eval())
            if value is not None:
                self._sync.local(address, value)

    def _heard(self, message: Message, now: float) -> None:
        self._cues.heard(message)
        value = self._sync.remote(message.address, message.arguments)
        if value is None:
            return
        spec = self._specs[message.address]
        news = spec.row is not None and self._show(spec.name, to_par(spec.row, value))
        if message.address == OUTPUTS:
            self._show_result(value)
        elif message.address == CUE and news:
            self._cues.ask(now)
        elif message.address == ERROR and news and value != ("",):
            self._log.add("status", str(value[0]))

    def _show_result(self, outputs: Arguments) -> None:
        """The sender to show is the first output of the chosen transport, under the name that it really has."""
        scheme = f"{self._own('Transport')}:"
        names = [str(output).removeprefix(scheme) for output in outputs if str(output).startswith(scheme)]
        if names:
            self._show("Resultname", names[0])

    # --- parameters --------------------------------------------------------------------------------------------------

    def _own_changed(self, name: str) -> None:
        if name == "Mode" and self._remote:
            self._log.add("component", f"on the other machine: {remote_command(self._settings())}")
        elif name in NEXT_START and self._child is not None:
            self._log.add("component", f"{name} counts from the next start on")

    def _own(self, name: str) -> bool | int | float | str:
        value: bool | int | float | str = par(self.owner, name).eval()
        return value

    @property
    def _remote(self) -> bool:
        return self._own("Mode") == "remote"

    def _show(self, name: str, value: object) -> bool:
        """Set a parameter, unless it holds that value already, or a CHOP or an expression holds it. Whether it did."""
        target = par(self.owner, name)
        if target.mode != self._td.ParMode.CONSTANT or target.eval() == value:
            return False
        target.val = value
        return True

    def _show_state(self) -> None:
        """The component's own status, written only when it changes."""
        life = self._life
        state = {
            "State": life.state.value,
            "Message": life.message,
            "Connected": self._link.connected,
            "Restarts": life.restarts,
        }
        for name, value in state.items():
            if self._shown.get(name) != value:
                self._shown[name] = value
                self._show(name, value)

    def _help(self) -> None:
        self._td.ui.viewFile(DOCUMENTATION)
