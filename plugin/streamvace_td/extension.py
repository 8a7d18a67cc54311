"""The component's extension: connects TouchDesigner with the process. Everything runs on the main thread.

Each frame, it shows what the process sent, handles what the child thread reported, and sends changed parameters.
Nothing blocks: sockets are non-blocking, and processes and name look-ups have threads of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from streamvace_td.address import Lookup
from streamvace_td.child import Child, Ended, Event, Installing, Launched, Line, leave, take_over
from streamvace_td.cue_menu import PREFIX, CueMenu
from streamvace_td.heartbeat import Heartbeat
from streamvace_td.launch import LOOPBACK, remote_command
from streamvace_td.life import Effect, Life
from streamvace_td.link import SUBSCRIBE, Link
from streamvace_td.log_table import LogTable
from streamvace_td.osc_packet import Message
from streamvace_td.pages import HELP_ADDRESS, pages, schema_specs
from streamvace_td.panel import NEXT_START, Panel
from streamvace_td.report import write_report
from streamvace_td.siblings import IDENTITY, Siblings
from streamvace_td.sync import Sync
from streamvace_td.td_api import Component, Par, ParChange, TouchDesigner
from streamvace_td.values import from_par, number_or_text, to_par

QUIT = "/streamvace/quit"
RECALL = "/streamvace/cue/recall"
CUE = "/streamvace/status/cue"
OUTPUTS = "/streamvace/status/outputs"
TOLD = {"/streamvace/status/error": "status", "/streamvace/status/complaint": "osc"}
"""Status texts that go into the log, and their source there."""
MOST_EVENTS = 50
"""Events of the child thread handled per frame: a burst of log lines must not slow a frame down."""

_ON_CHILD = {Effect.CANCEL: Child.cancel, Effect.TERMINATE: Child.terminate, Effect.KILL: Child.kill}


class Extension:
    """Capitalized names are promoted: `op('streamvace').Start()`, `.Send('/streamvace/seed', 7)`."""

    def __init__(
        self, owner: Component, td: TouchDesigner, folder: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """owner: the component. folder: the streamvace folder. clock: monotonic seconds."""
        self.owner = owner
        self._td = td
        self._clock = clock
        self._specs = schema_specs(pages())
        self._by_par = {spec.name: address for address, spec in self._specs.items()}
        self._panel = Panel(owner, td, Path(folder), self._specs)
        self._sync = Sync(spec.row for spec in self._specs.values() if spec.row is not None)
        self._link = Link()
        self._lookup = Lookup()
        self._life = Life()
        self._child = take_over(owner.path)
        self._log = LogTable(owner, clock)
        cue_rows = (spec for address, spec in self._specs.items() if address.startswith(PREFIX))
        self._cues = CueMenu(owner, (spec.argument for spec in cue_rows if spec.argument))
        self._heartbeat = Heartbeat(owner, td, clock)
        self._siblings = Siblings(owner, self._panel, self._log)
        self._begun = False
        self._stay = False
        """Copy of the Stay parameter, which can no longer be read while the component is being deleted."""

    # --- for artists -------------------------------------------------------------------------------------------------

    def Start(self) -> None:
        """Join the process at the address, or start one on this machine if none answers."""
        self._do(self._life.start(self._clock()))

    def Stop(self) -> None:
        """Stop the process on this machine, or disconnect from one on another machine."""
        self._do(self._life.stop(self._clock()))

    def Install(self) -> None:
        """Install what is missing without starting a process."""
        if self._child is None and self._life.install():
            self._child = Child(self._panel.settings(), only_install=True)

    def Cue(self, name: str, seconds: float | None = None) -> None:
        """Recall a cue by name. seconds: overrides the cue's own fade time."""
        self.Send(RECALL, name, *(() if seconds is None else (float(seconds),)))

    def Send(self, address: str, *arguments: bool | int | float | str) -> None:
        """Send any OSC message to the process. Does nothing while not connected."""
        if self._link.connected:
            self._link.send([(address, arguments)])

    def Report(self) -> str:
        """Write a text file to send in with a question, and open it. Returns its path."""
        path = write_report(self.owner, self._td, self._panel.settings().log, vars(self._link.counters))
        self._log.add("component", f"report: {path}")
        self._td.ui.viewFile(path)
        return path

    @property
    def State(self) -> str:
        """What the component is doing, in one word."""
        return self._life.state.value

    # --- called by TouchDesigner -------------------------------------------------------------------------------------

    def Frame(self) -> None:
        """Called once per frame while the timeline plays."""
        now = self._clock()
        self._heartbeat.framed(now)
        self._turn(now)

    def Heartbeat(self, number: int) -> None:
        """Called by a delayed script ten times a second, also while the timeline is paused."""
        if self._heartbeat.beat(number):
            changed = self._heartbeat.changed(self._panel.held())
            for address, value in changed.items() if self._link.connected else ():
                self._sync.local(address, value)
            self._turn(self._clock())

    def ValuesChanged(self, changes: Iterable[ParChange]) -> None:
        """Parameters changed in this frame: by hand, by script, by a CHOP, or by the extension itself, which `Sync`
        recognizes as an echo."""
        for change in changes:
            name = change.par.name
            address = self._by_par.get(name)
            if address is None:
                self._own_changed(name)
            elif self._link.connected:
                self._changed(address, change.par)

    def Pulse(self, pressed: Par) -> None:
        """A pulse parameter was pressed."""
        own = {
            "Start": self.Start,
            "Stop": self.Stop,
            "Install": self.Install,
            "Help": self._help,
            "Report": self.Report,
        }
        if pressed.name in own:
            own[pressed.name]()
        elif pressed.name in self._by_par and self._link.connected:
            self._press(self._by_par[pressed.name])

    def Exit(self) -> None:
        """The project closes. If TouchDesigner crashes instead, the process notices by itself."""
        self._siblings.leave()  # the next project of the same TouchDesigner finds this module loaded
        if self._child is not None and not self._stay:
            self._link.send([(QUIT, ())])
        self._link.close()

    def onDestroyTD(self) -> None:
        """The component is deleted or its extension reloaded: the next extension takes the process over, or it ends.
        A process that stays is joined later like any other."""
        self._heartbeat.stop()
        self._siblings.leave()
        if self._child is not None and not self._stay:
            leave(self.owner.path, self._child)
        self._link.close()

    def _turn(self, now: float) -> None:
        panel = self._panel
        self._life.remote, self._life.restart_allowed = panel.remote, bool(panel.value("Autorestart"))
        self._stay = bool(panel.value("Stay"))
        if not self._begun:
            self._begin(now)
        if self._child is not None:
            for event in self._child.events(MOST_EVENTS):
                self._happened(event, now)
        self._do(self._life.tick(now))
        self._talk(now)
        self._panel.show_state(self._life, self._link.connected)
        self._log.flush()

    # --- process -----------------------------------------------------------------------------------------------------

    def _begin(self, now: float) -> None:
        self._begun = True
        self._heartbeat.start()
        self._siblings.enter()
        if self._child is not None:
            self._life.took_over()
        elif self._panel.value("Autostart") and not self._panel.remote:
            self._do(self._life.start(now))
        else:
            self._do(self._life.look(now))

    def _happened(self, event: Event, now: float) -> None:
        if isinstance(event, Installing):
            self._life.installing(event.text)
            if not event.text.startswith("..."):  # progress of the same step
                self._log.add("install", event.text)
        elif isinstance(event, Launched):
            self._life.launched()
            self._log.add("component", f"started, process id {event.pid}")
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
                self._child = Child(self._panel.settings())
                self._log.add("component", "starting")
            elif effect is Effect.QUIT:
                self._link.send([(QUIT, ())])
            elif self._child is not None:
                _ON_CHILD[effect](self._child)

    # --- connection --------------------------------------------------------------------------------------------------

    def _talk(self, now: float) -> None:
        """Receive, show, and send changes."""
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
            self._log.add("component", "the process stopped answering")
        if self._link.connected:
            self._link.send(self._sync.outgoing(now) + self._cues.questions(now))

    def _forget(self) -> None:
        self._sync.end()
        self._panel.clear_status()

    def _target(self) -> tuple[str, int] | None:
        """Address and port of the process. None while the component is stopped or the name is being looked up."""
        if not self._life.listening:
            return None
        host = self._lookup.find(str(self._panel.value("Address")) if self._panel.remote else LOOPBACK)
        return None if host is None else (host, int(self._panel.value("Oscport")))

    def _connected(self, now: float) -> None:
        """Send all values to a process of our own; a process that was running before sends us its values."""
        own = self._life.own
        self._life.answered(now, "" if own else self._siblings.whose())
        self._log.add("component", "connected" if own else self._life.message)
        self._link.send([(SUBSCRIBE, ())])
        self._cues.ask(now)
        self._sync.begin(self._panel.held() if own else {}, now)

    def _heard(self, message: Message, now: float) -> None:
        self._cues.heard(message)
        value = self._sync.remote(message.address, message.arguments)
        if value is None:
            return
        spec = self._specs[message.address]
        news = spec.row is not None and self._panel.show(spec.name, to_par(spec.row, value))
        if message.address == OUTPUTS:
            self._panel.show_result(value)
        elif message.address == CUE and news:
            self._cues.ask(now)
        elif message.address in TOLD and news and value != ("",):
            self._log.add(TOLD[message.address], str(value[0]))

    # --- parameters --------------------------------------------------------------------------------------------------

    def _press(self, address: str) -> None:
        spec = self._specs[address]
        value = self._panel.value(spec.argument) if spec.argument else None
        if value == "":
            self._log.add("component", f"fill in {self._panel.label(spec.argument)!r} first")
        else:
            second = number_or_text(str(self._panel.value(spec.second))) if spec.second else ""
            self._sync.fire(address, () if value is None else (value,) if second == "" else (value, second))
            if address.startswith(PREFIX):
                self._cues.ask(self._clock())

    def _changed(self, address: str, changed: Par) -> None:
        spec = self._specs[address]
        if spec.row is not None and not spec.read_only:
            value = from_par(spec.row, changed.eval())
            if value is not None:
                self._sync.local(address, value)

    def _own_changed(self, name: str) -> None:
        if name in IDENTITY and self._begun:
            self._siblings.update()
        if name == "Mode" and self._panel.remote:
            self._log.add("component", f"run on the other machine: {remote_command(self._panel.settings())}")
        elif name in NEXT_START and self._child is not None:
            self._log.add("component", f"{self._panel.label(name)} applies from the next start")

    def _help(self) -> None:
        self._td.ui.viewFile(HELP_ADDRESS)
