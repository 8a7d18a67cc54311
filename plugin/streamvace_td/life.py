"""The life of the process as the component sees it: a state machine without threads, sockets or clocks.

Joining comes before starting: whoever answers at the address is taken, whether an earlier project left it running or it
is somebody else's. A process of ours that ends without being asked is started again, after growing pauses.
"""

from __future__ import annotations

from enum import Enum

LOOK_S = 0.8
"""How long an answer is waited for before a process is started: several round trips, one breath."""
LOST_S = 5.0
"""How long a process on this machine that was joined, not started, may be silent before another one is started."""
PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Before the first, second, ... restart in a row; after the last one it has failed."""
STEADY_S = 30.0
"""A process that answered for so long begins again at the first pause."""
QUIT_S, TERMINATE_S = 5.0, 3.0
"""How long it may take to end when asked over OSC, and then by the system, before it is killed."""

REFUSED = 2
"""Exit code of a process that says in one line what its user must mend."""


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
    """What the component is to do now."""

    LAUNCH = "launch"
    QUIT = "quit"
    CANCEL = "cancel"
    TERMINATE = "terminate"
    KILL = "kill"


class Life:
    """What is wanted, what is, and what follows from it. Every method returns what is to be done, in order.

    Times are seconds of one clock. `remote`, `restart_allowed`: settings, changed at any time.
    """

    def __init__(self, *, remote: bool = False, restart_allowed: bool = True) -> None:
        self.remote = remote
        self.restart_allowed = restart_allowed
        self.state = State.STOPPED
        self.message = ""
        self.restarts = 0
        self.own = False
        """A process of ours is alive, or being installed or started."""
        self._may_launch = False
        self._ever_answered = False
        self._attempts = 0
        self._due = 0.0
        self._answered_at: float | None = None
        self._pressed = False

    @property
    def listening(self) -> bool:
        """Whether somebody is to be talked to at all."""
        return self.state not in (State.STOPPED, State.FAILED)

    @property
    def fresh(self) -> bool:
        """The process that answers was started by us: it has to be told every parameter."""
        return self.own

    def look(self, now: float) -> list[Effect]:
        """The project opened: join who is there, or comes; start nothing."""
        return self._begin(now, launch=False)

    def start(self, now: float) -> list[Effect]:
        """Start was pressed: join who is there, or else start one."""
        return self._begin(now, launch=True)

    def took_over(self) -> None:
        """The extension was loaded anew and the process of the one before is there, or on its way."""
        self._may_launch = self._ever_answered = self.own = True
        self._set(State.STARTING)

    def stop(self, now: float) -> list[Effect]:
        """Stop was pressed. On another machine the process goes on."""
        if self.state in (State.STOPPED, State.STOPPING):
            return []
        installing = self.state is State.INSTALLING
        if not self.own and (self.remote or self._answered_at is None):
            self._set(State.STOPPED)
            return []
        self._set(State.STOPPING)
        if self._answered_at is not None:
            self._due, self._pressed = now + QUIT_S, False
            return [Effect.QUIT]
        # It does not listen yet and has opened no output, so there is nothing to end in order.
        self._due, self._pressed = now + TERMINATE_S, True
        return [Effect.CANCEL if installing else Effect.TERMINATE]

    def install(self) -> bool:
        """Install was pressed: whether that is possible now, when nothing runs or is looked for."""
        if self.own or self.state not in (State.STOPPED, State.FAILED, State.LOOKING):
            return False
        self.own = True
        self._set(State.INSTALLING)
        return True

    def installing(self, text: str) -> None:
        """Something is being installed before the start."""
        if self.state in (State.STARTING, State.INSTALLING):
            self._set(State.INSTALLING, text)

    def launched(self) -> None:
        """The process exists."""
        if self.state in (State.STARTING, State.INSTALLING):
            self._set(State.STARTING, "loading the model")

    def answered(self, now: float) -> None:
        """The process has begun to answer."""
        self._answered_at, self._ever_answered = now, True
        if self.state in (State.LOOKING, State.LOST, State.STARTING, State.INSTALLING, State.RESTARTING):
            self._set(State.RUNNING if self.own else State.JOINED)

    def silent(self, now: float) -> None:
        """It has stopped answering."""
        self._count_steady(now)
        self._answered_at = None
        if self.state in (State.RUNNING, State.JOINED):
            self._due = now + LOST_S
            self._set(State.LOST, "it does not answer")
        elif self.state is State.STOPPING and not self.own:
            self._set(State.STOPPED)

    def ended(self, code: int, line: str, now: float) -> list[Effect]:
        """The process of ours ended, or could not be started: exit code, its last word."""
        self.own = False
        self._count_steady(now)
        self._answered_at = None
        if self.state is State.STOPPING or code == 0:
            self._set(State.STOPPED, "" if self.state is State.STOPPING else line)
            return []
        if code == REFUSED and not self._ever_answered:
            self._set(State.FAILED, line)
            return []
        return self._again(line or f"it ended with exit code {code}", now)

    def tick(self, now: float) -> list[Effect]:
        """Once a frame: what has become due."""
        if now < self._due:
            return []
        if self.state is State.LOOKING and self._may_launch and not self.remote:
            return self._launch()
        if self.state is State.RESTARTING:
            self.restarts += 1
            return self._launch()
        if self.state is State.LOST and not (self.own or self.remote):
            return self._again("it does not answer", now)
        if self.state is State.STOPPING and self.own:
            effect = Effect.KILL if self._pressed else Effect.TERMINATE
            self._due, self._pressed = now + TERMINATE_S, True
            return [effect]
        if self.state is State.STOPPING:
            self._set(State.STOPPED, "it was told to end and still answers")
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

    def _again(self, line: str, now: float) -> list[Effect]:
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
