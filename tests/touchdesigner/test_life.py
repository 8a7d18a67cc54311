"""When a process is started, joined, restarted and given up."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from streamvace_td.life import (
    LOOK_S,
    LOST_S,
    PAUSES_S,
    QUIT_S,
    REFUSED,
    STEADY_S,
    TERMINATE_S,
    Effect,
    Life,
    State,
)


def started(life: Life | None = None) -> Life:
    """A process of our own that has started."""
    life = life or Life()
    life.start(0.0)
    assert life.tick(LOOK_S) == [Effect.LAUNCH]
    life.launched()
    return life


def running() -> Life:
    life = started()
    life.answered(2.0)
    assert life.state is State.RUNNING
    return life


def test_a_process_that_answers_is_joined_and_none_is_started() -> None:
    life = Life()
    assert life.start(0.0) == []
    life.answered(LOOK_S / 2)
    assert life.state is State.JOINED
    assert life.tick(LOOK_S) == []
    assert not life.own


def test_if_none_answers_a_process_is_started() -> None:
    life = started()
    life.answered(2.0)
    assert life.state is State.RUNNING
    assert life.own


def test_opening_a_project_joins_a_process_but_starts_none() -> None:
    life = Life()
    life.look(0.0)
    assert life.tick(1e6) == []
    life.answered(1e6)
    assert life.state is State.JOINED


def test_start_pressed_long_after_the_project_opened_starts_immediately() -> None:
    life = Life()
    life.look(0.0)
    assert life.start(1e6) == []
    assert life.tick(1e6) == [Effect.LAUNCH], "a running process would have answered by now"


def test_a_process_that_answers_late_is_joined_after_ours_found_the_port_in_use() -> None:
    life = started()
    life.answered(2.0)
    life.ended(REFUSED, "OSC port 7700 is in use", 2.1)
    life.answered(2.2)
    assert (life.state, life.own) == (State.JOINED, False)
    assert life.tick(1e3) == []


def test_start_pressed_while_looking_starts() -> None:
    life = Life()
    life.look(0.0)
    life.start(0.1)
    assert life.tick(LOOK_S) == [Effect.LAUNCH]


def test_a_remote_process_is_looked_for_forever_and_never_started() -> None:
    life = Life(remote=True)
    life.start(0.0)
    assert life.tick(1e6) == []
    assert life.state is State.LOOKING
    life.answered(1e6)
    life.silent(1e6 + 1)
    assert life.tick(2e6) == []
    assert life.state is State.LOST


def test_after_a_crash_it_restarts_with_growing_pauses_and_finally_fails() -> None:
    life = running()
    now = 3.0
    for count, pause in enumerate(PAUSES_S, 1):
        assert life.ended(-9, "killed", now) == []
        assert life.state is State.RESTARTING
        assert life.tick(now + pause * 0.9) == []
        now += pause
        assert life.tick(now) == [Effect.LAUNCH]
        assert life.restarts == count
    life.ended(-9, "killed", now)
    assert (life.state, life.message) == (State.FAILED, "killed")


def test_a_steady_process_resets_the_pauses() -> None:
    life = running()
    life.ended(1, "", 2.0 + STEADY_S)
    life.tick(2.0 + STEADY_S + PAUSES_S[0])
    life.answered(50.0)
    life.ended(1, "", 50.0 + STEADY_S)
    assert life.tick(50.0 + STEADY_S + PAUSES_S[0]) == [Effect.LAUNCH]


def test_an_error_that_the_user_must_fix_is_shown_and_not_retried() -> None:
    life = started()
    life.ended(REFUSED, "OSC port 7700 is in use", 1.0)
    assert (life.state, life.message) == (State.FAILED, "OSC port 7700 is in use")
    life.start(2.0)
    assert life.tick(2.0 + LOOK_S) == [Effect.LAUNCH], "Start tries again"


def test_a_refusal_after_a_crash_is_retried() -> None:
    """A port or name may still be in use."""
    life = running()
    life.ended(-9, "", 3.0)
    life.tick(3.0 + PAUSES_S[0])
    life.ended(REFUSED, "NDI name is taken", 4.0)
    assert life.state is State.RESTARTING


def test_without_automatic_restart_a_crash_is_a_failure() -> None:
    life = running()
    life.restart_allowed = False
    life.ended(-9, "killed", 3.0)
    assert life.state is State.FAILED


def test_a_process_that_exits_normally_is_not_restarted() -> None:
    life = running()
    life.ended(0, "", 3.0)
    assert life.state is State.STOPPED


def test_stop_quits_then_terminates_then_kills() -> None:
    life = running()
    assert life.stop(10.0) == [Effect.QUIT]
    assert life.tick(10.0 + QUIT_S) == [Effect.TERMINATE]
    assert life.tick(10.0 + QUIT_S + TERMINATE_S) == [Effect.KILL]
    life.ended(-9, "", 20.0)
    assert life.state is State.STOPPED


def test_stop_while_it_loads_terminates_immediately() -> None:
    assert started().stop(1.0) == [Effect.TERMINATE]


def test_stop_cancels_an_installation() -> None:
    life = started()
    life.installing("PyTorch")
    assert life.stop(1.0) == [Effect.CANCEL]
    life.ended(REFUSED, "stopped", 1.1)
    assert life.state is State.STOPPED


def test_stop_disconnects_from_a_process_on_another_machine() -> None:
    life = Life(remote=True)
    life.start(0.0)
    life.answered(0.1)
    assert life.stop(1.0) == []
    assert life.state is State.STOPPED


def test_stop_ends_a_joined_process_on_this_machine() -> None:
    life = Life()
    life.start(0.0)
    life.answered(0.1)
    assert life.stop(1.0) == [Effect.QUIT]
    life.silent(2.0)
    assert life.state is State.STOPPED


def test_a_joined_process_that_is_lost_is_replaced_by_our_own() -> None:
    life = Life()
    life.look(0.0)
    life.answered(0.1)
    life.silent(10.0)
    assert life.state is State.LOST
    assert life.tick(10.0 + LOST_S / 2) == []
    life.tick(10.0 + LOST_S)
    assert life.tick(10.0 + LOST_S + PAUSES_S[0]) == [Effect.LAUNCH]
    assert life.restarts == 1


def test_a_silent_process_of_our_own_is_not_started_twice() -> None:
    life = running()
    life.silent(10.0)
    assert life.tick(1e6) == []
    life.answered(1e6)
    assert life.state is State.RUNNING


def test_install_is_possible_only_while_no_process_runs() -> None:
    life = Life()
    assert life.install()
    life.installing("streamvace and its libraries")
    assert (life.state, life.message) == (State.INSTALLING, "streamvace and its libraries")
    life.ended(0, "installed", 1.0)
    assert (life.state, life.message) == (State.STOPPED, "installed")
    assert not running().install()


@settings(max_examples=100, stateful_step_count=50)
class AnyOrder(RuleBasedStateMachine):
    """Events in any order: never two processes, never an unrequested start."""

    def __init__(self) -> None:
        super().__init__()
        self.life, self.now = Life(), 0.0
        self.alive = self.answering = self.wanted = False

    def do(self, effects: list[Effect]) -> None:
        for effect in effects:
            if effect is Effect.LAUNCH:
                assert not self.alive, "two processes"
                assert self.wanted, "an unrequested start"
                self.alive = True
            else:
                assert effect is Effect.QUIT or self.alive

    @rule(remote=st.booleans())
    def start(self, remote: bool) -> None:
        if not self.life.listening:
            self.life.remote = remote
        self.wanted = True
        self.do(self.life.start(self.now))

    @rule()
    def look(self) -> None:
        self.do(self.life.look(self.now))

    @rule()
    def stop(self) -> None:
        self.do(self.life.stop(self.now))

    @precondition(lambda self: not self.answering and self.life.listening)
    @rule()
    def answer(self) -> None:
        self.answering, self.wanted = True, True  # a joined process may be replaced
        self.life.answered(self.now)

    @precondition(lambda self: self.answering)
    @rule()
    def silence(self) -> None:
        self.answering = False
        self.life.silent(self.now)

    @precondition(lambda self: self.alive)
    @rule(code=st.sampled_from([0, 1, 2, -9]))
    def end(self, code: int) -> None:
        self.alive = self.answering = False
        self.do(self.life.ended(code, "line", self.now))

    @rule(seconds=st.sampled_from([0.1, 1.0, 6.0, 40.0]))
    def time(self, seconds: float) -> None:
        self.now += seconds
        self.do(self.life.tick(self.now))

    @invariant()
    def ours_is_known(self) -> None:
        assert self.life.own == self.alive


TestAnyOrder = AnyOrder.TestCase


@pytest.mark.parametrize("state", list(State))
def test_every_state_is_one_word(state: State) -> None:
    assert state.value.isalpha()
