"""The life cycle of the process as the component sees it: a state machine without threads, sockets or clocks.

Joining comes before starting: any process that answers at the address is used, no matter who started it. A process of
our own that ends unexpectedly is restarted after growing pauses.
"""

from __future__ import annotations

from enum import Enum

LOOK_S = 0.8
"""Time to wait for an answer before a process is started: several round trips."""
LOST_S = 5.0
"""How long a joined process on this machine may be silent before another one is started."""
PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Pauses before the first, second, ... restart in a row. After the last one, the state is failed."""
STEADY_S = 30.0
"""A process that answered for this long resets the pauses."""
QUIT_S, TERMINATE_S = 5.0, 3.0
"""Time to end after the OSC message, then after the system's termination signal, before the process is killed."""

REFUSED = 2
"""Exit code of a process whose last line tells the user what to fix."""

SILENT = "the process does not answer"


class State(Enum):
    STOPPED = "stopped"
    LOOKING = "looking"
    INSTALLING = "installing"
    STARTING = "starting"
    RUNNING = "running"
    JOINED = "joined"
    LOST = "lost"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    FAILED = "failed"


class Effect(Enum):
    """An action for the component."""

    LAUNCH = "launch"
    QUIT = "quit"
    CANCEL = "cancel"
    TERMINATE = "terminate"
    KILL = "kill"


class Life:
    """The requested state, the observed state, and the actions that follow, in order.

    Times are seconds of one clock. `remote` and `restart_allowed` are settings that may change at any time.
    """

    def __init__(self, *, remote: bool = False, restart_allowed: bool = True) -> None:
        self.remote = remote
        self.restart_allowed = restart_allowed
        self.state = State.STOPPED
        self.message = ""
        self.restarts = 0
        self.own = False
        """A process of our own is alive, or being installed or started."""
        self._may_launch = False
        self._ever_answered = False
        self._attempts = 0
        self._due = 0.0
        self._answered_at: float | None = None
        self._terminated = False

    @property
    def listening(self) -> bool:
        """Whether the component looks for a process or is connected to one."""
        return self.state not in (State.STOPPED, State.FAILED)

    def look(self, now: float) -> list[Effect]:
        """The project opened: join a process that answers, now or later; start none."""
        return self._begin(now, launch=False)

    def start(self, now: float) -> list[Effect]:
        """Start was pressed: join a process that answers, or start one."""
        return self._begin(now, launch=True)

    def took_over(self) -> None:
        """The extension was reloaded; the previous one's process is running or starting."""
        self._may_launch = self._ever_answered = self.own = True
        self._set(State.STARTING)

    def stop(self, now: float) -> list[Effect]:
        """Stop was pressed. A process on another machine keeps running."""
        if self.state in (State.STOPPED, State.STOPPING):
            return []
        installing = self.state is State.INSTALLING
        if not self.own and (self.remote or self._answered_at is None):
            self._set(State.STOPPED)
            return []
        self._set(State.STOPPING)
        if self._answered_at is not None:
            self._due, self._terminated = now + QUIT_S, False
            return [Effect.QUIT]
        # It does not listen yet and has opened no output, so there is nothing to shut down in order.
        self._due, self._terminated = now + TERMINATE_S, True
        return [Effect.CANCEL if installing else Effect.TERMINATE]

    def install(self) -> bool:
        """Install was pressed. Whether it is possible, i.e. no process runs or is starting."""
        if self.own or self.state not in (State.STOPPED, State.FAILED, State.LOOKING):
            return False
        self.own = True
        self._set(State.INSTALLING)
        return True

    def installing(self, text: str) -> None:
        """An installation step runs before the start."""
        if self.state in (State.STARTING, State.INSTALLING):
            self._set(State.INSTALLING, text)

    def launched(self) -> None:
        """The process exists."""
        if self.state in (State.STARTING, State.INSTALLING):
            self._set(State.STARTING, "loading the model")

    def answered(self, now: float, whose: str = "") -> None:
        """The process answers. whose: what to say of a process that the component did not start."""
        self._answered_at, self._ever_answered = now, True
        if self.state in (State.LOOKING, State.LOST, State.STARTING, State.INSTALLING, State.RESTARTING):
            self._set(State.RUNNING if self.own else State.JOINED, "" if self.own else whose)

    def silent(self, now: float) -> None:
        """The process stopped answering."""
        self._count_steady(now)
        self._answered_at = None
        if self.state in (State.RUNNING, State.JOINED):
            self._due = now + LOST_S
            self._set(State.LOST, SILENT)
        elif self.state is State.STOPPING and not self.own:
            self._set(State.STOPPED)

    def ended(self, code: int, line: str, now: float) -> list[Effect]:
        """Our process ended or could not be started. line: the last line of its log."""
        self.own = False
        self._count_steady(now)
        self._answered_at = None
        if self.state is State.STOPPING or code == 0:
            self._set(State.STOPPED, "" if self.state is State.STOPPING else line)
            return []
        if code == REFUSED and not self._ever_answered:
            self._set(State.FAILED, line)
            return []
        return self._restart_later(line or f"the process ended with exit code {code}", now)

    def tick(self, now: float) -> list[Effect]:
        """Called once per frame: the actions that are due."""
        if now < self._due:
            return []
        if self.state is State.LOOKING and self._may_launch and not self.remote:
            return self._launch()
        if self.state is State.RESTARTING:
            self.restarts += 1
            return self._launch()
        if self.state is State.LOST and not (self.own or self.remote):
            return self._restart_later(SILENT, now)
        if self.state is State.STOPPING and self.own:
            effect = Effect.KILL if self._terminated else Effect.TERMINATE
            self._due, self._terminated = now + TERMINATE_S, True
            return [effect]
        if self.state is State.STOPPING:
            self._set(State.STOPPED, "the process still answers after Stop: end it where it was started")
        return []

    def _begin(self, now: float, *, launch: bool) -> list[Effect]:
        if self.listening:
            self._may_launch = self._may_launch or launch
            return []
        self._may_launch, self._ever_answered, self._attempts = launch, False, 0
        self._due = now + LOOK_S
        self._set(State.LOOKING)
        return []

    def _launch(self) -> list[Effect]:
        self.own = True
        self._set(State.STARTING)
        return [Effect.LAUNCH]

    def _restart_later(self, line: str, now: float) -> list[Effect]:
        if not self.restart_allowed or self._attempts >= len(PAUSES_S):
            self._set(State.FAILED, line)
            return []
        self._due = now + PAUSES_S[self._attempts]
        self._attempts += 1
        self._set(State.RESTARTING, line)
        return []

    def _count_steady(self, now: float) -> None:
        if self._answered_at is not None and now - self._answered_at >= STEADY_S:
            self._attempts = 0

    def _set(self, state: State, message: str = "") -> None:
        self.state, self.message = state, message
