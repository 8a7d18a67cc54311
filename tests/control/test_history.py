"""Undo and redo, against every state that the show was in."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import osc_schema
from osc_schema import Value
from streamvace.control import reference_list
from streamvace.control.fades import Fade
from streamvace.control.history import DEPTH, JOIN_S
from streamvace.control.parameters import PROMPT, PROMPTS, REDO, RESET, UNDO, Change, Parameters
from streamvace.control.reference_list import REFERENCES
from streamvace.system.errors import UserError

SCALE, SEED, PAUSE = "/streamvace/context_scale", "/streamvace/seed", "/streamvace/pause"
KIND = "/streamvace/control_kind"
SECOND = 1_000_000_000


class Rig:
    def __init__(self) -> None:
        self.now_ns = 100 * SECOND
        self.parameters = Parameters({SEED: 7}, edits=reference_list.EDITS, clock=lambda: self.now_ns)

    def set(self, fade: Fade | None = None, **values: object) -> None:
        changes = [
            Change(self.parameters.check(f"/streamvace/{name}", (value,)), "desk", fade)
            for name, value in values.items()
        ]
        assert {result.status for result in self.parameters.apply_bundle(changes)} <= {"set", "unchanged"}

    def wait(self, seconds: float = 1.0) -> None:
        self.now_ns += round(seconds * SECOND)

    def press(self, trigger: str) -> str:
        return self.parameters.set(trigger, (), "desk").line

    def __getitem__(self, name: str) -> Value:
        return self.parameters.advance()[f"/streamvace/{name}"]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_dragged_fader_is_one_step_and_a_pause_begins_another(rig: Rig) -> None:
    for value in (0.9, 0.7, 0.5):
        rig.set(context_scale=value)
        rig.wait(JOIN_S - 0.01)
    rig.wait(0.01)
    rig.set(context_scale=0.2)
    rig.press(UNDO)
    assert rig["context_scale"] == 0.5
    rig.press(UNDO)
    assert rig["context_scale"] == 1.0
    assert rig.press(UNDO) == f"{UNDO}: there is nothing to undo"
    rig.press(REDO)
    rig.press(REDO)
    assert rig["context_scale"] == 0.2
    assert rig.press(REDO) == f"{REDO}: there is nothing to redo"


def test_what_the_show_was_started_with_is_not_undone(rig: Rig) -> None:
    assert "nothing to undo" in rig.press(UNDO)
    assert rig["seed"] == 7


def test_a_fade_is_one_change_and_undoing_it_on_its_way_ends_it(rig: Rig) -> None:
    rig.set(Fade(8.0), context_scale=2.0)
    for _ in range(4):
        rig.wait(1)
        rig.parameters.advance()
    assert rig["context_scale"] == 1.5
    rig.press(UNDO)
    rig.wait(9)
    assert rig["context_scale"] == 1.0
    rig.press(REDO)
    assert rig["context_scale"] == 2.0


def test_a_prompt_that_ended_a_mix_brings_it_back_without_a_fade(rig: Rig) -> None:
    rig.parameters.set(PROMPTS, ("a", 0.5, "b", 0.5), "desk")
    rig.wait()
    rig.set(Fade(4.0), prompt="new")
    rig.press(UNDO)
    assert rig["prompts"] == (("a", 0.5), ("b", 0.5))
    assert rig.parameters.snapshot().prompt_fade is None


def test_what_triggers_set_is_undone_and_triggers_themselves_and_the_transport_are_not(rig: Rig) -> None:
    rig.parameters.set("/streamvace/reference/add", ("a.png",), "desk")
    rig.wait()
    rig.set(pause=True, record=True, blackout=True)
    rig.parameters.set(RESET, (), "desk")
    rig.press(UNDO)
    snapshot = rig.parameters.snapshot()
    assert snapshot[REFERENCES] == ()
    assert (snapshot.flag(PAUSE), snapshot.flag("/streamvace/record"), snapshot.generation) == (True, True, 1)


def test_everyone_hears_of_what_is_restored_and_the_depth_is_limited(rig: Rig) -> None:
    heard: list[str] = []
    rig.parameters.listen(lambda snapshot, changed: heard.extend(changed.values()))
    for seed in range(DEPTH + 20):
        rig.wait()
        rig.set(seed=100 + seed)
    undone = 0
    while not rig.press(UNDO):
        undone += 1
    assert undone == DEPTH
    assert rig["seed"] == 119
    assert heard[-2:] == ["history", "desk"] or heard[-2:] == ["desk", "history"]


def test_a_change_after_an_undo_drops_what_was_undone(rig: Rig) -> None:
    rig.set(seed=1)
    rig.press(UNDO)
    rig.set(seed=2)
    assert "nothing to redo" in rig.press(REDO)
    rig.press(UNDO)
    assert rig["seed"] == 7


def test_a_value_that_is_taken_back_is_no_step_of_its_own(rig: Rig) -> None:
    rig.set(seed=1)
    rig.wait()
    rig.set(control_kind="pose")
    rig.wait()
    assert rig.parameters.take_back(KIND, "pose")
    rig.press(UNDO)
    assert (rig["seed"], rig["control_kind"]) == (7, osc_schema.by_address()[KIND].default)


class AgainstEveryState(RuleBasedStateMachine):
    """The oracle keeps the whole state at the end of every step, and recomputes the steps from all changes."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()
        self.states = [self._state()]
        self.at = 0
        self.joinable = False
        self.since = 0.0

    def _state(self) -> tuple[Value, ...]:
        snapshot = self.rig.parameters.snapshot()
        return tuple(snapshot[address] for address in (SCALE, SEED, PROMPT, PROMPTS, REFERENCES))

    def _changed(self) -> None:
        now = self._state()
        if now == self.states[self.at]:
            return  # nothing changed: no step, and nothing that was undone is dropped
        del self.states[self.at + 1 :]
        if self.joinable and self.since < JOIN_S and self.at > 0:
            if now == self.states[self.at - 1]:
                del self.states[self.at]
                self.at -= 1
                self.joinable = False
                return
            self.states[self.at] = now
        else:
            self.states.append(now)
            self.at += 1
        self.joinable, self.since = True, 0.0
        del self.states[: max(0, self.at - DEPTH)]
        self.at = min(self.at, DEPTH)

    @rule(value=st.sampled_from([0.0, 0.5, 1.0, 1.5]))
    def scale(self, value: float) -> None:
        self.rig.set(context_scale=value)
        self._changed()

    @rule(value=st.sampled_from([1, 2, 7]), text=st.sampled_from(["a", "b"]))
    def bundle(self, value: int, text: str) -> None:
        self.rig.set(seed=value, prompt=text)
        self._changed()

    @rule(words=st.sampled_from(["a", "b"]))
    def mix(self, words: str) -> None:
        self.rig.parameters.set(PROMPTS, (words, 1.0), "desk")
        self._changed()

    @rule(name=st.sampled_from(["x.png", "y.png"]))
    def reference(self, name: str) -> None:
        self.rig.parameters.set("/streamvace/reference/add", (name,), "desk")
        self._changed()

    @rule(on=st.booleans())
    def transport(self, on: bool) -> None:
        self.rig.set(pause=on)

    @rule(quarters=st.integers(1, 4))
    def wait(self, quarters: int) -> None:
        self.rig.wait(quarters / 4)
        self.since += quarters / 4

    @rule()
    def undo(self) -> None:
        refused = bool(self.rig.press(UNDO))
        assert refused == (self.at == 0)
        self.at -= not refused
        self.joinable = self.joinable and refused

    @rule()
    def redo(self) -> None:
        refused = bool(self.rig.press(REDO))
        assert refused == (self.at == len(self.states) - 1)
        self.at += not refused
        self.joinable = self.joinable and refused

    @invariant()
    def the_show_is_where_the_oracle_stands(self) -> None:
        assert self._state() == self.states[self.at]


TestAgainstEveryState = AgainstEveryState.TestCase
TestAgainstEveryState.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_an_unknown_history_is_a_user_error() -> None:
    from streamvace.control.history import History

    with pytest.raises(UserError, match="nothing to undo"):
        History().undo()
