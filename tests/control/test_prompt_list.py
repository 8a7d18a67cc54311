"""A list of prompts that steps after seconds, on beats and on bars. The clock and the transport stand until moved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.control.fades import Fade
from streamvace.control.parameters import LIST_WRITER, PROMPT, Change, Parameters
from streamvace.control.prompt_list import FADE, ON, PROMPTS_IN_TURN, STEP, UNIT, PromptList
from streamvace.control.transport import NO_TRANSPORT, Moment
from streamvace.system.errors import UserError


class Rig:
    """A list of a, b and c at 120 beats a minute. What is due is set, as the show does."""

    def __init__(self, unit: str = "seconds", step: float = 4.0) -> None:
        self.now = 0.0
        self.moment = NO_TRANSPORT
        self.ahead = 0.0
        self.parameters = Parameters({PROMPTS_IN_TURN: ("a", "b", "c"), UNIT: unit, STEP: step})
        self.list = PromptList(
            self.parameters,
            lambda: round(self.now * 1e9),
            moment=lambda: self.moment,
            look_ahead_s=lambda: self.ahead,
        )

    def set(self, address: str, *value: object) -> None:
        self.parameters.set(address, value, "desk")

    def came(self) -> str:
        """The prompt that has come, or nothing."""
        step = self.list.due()
        if step is None:
            return ""
        self.parameters.apply_bundle([step.change])
        return str(step.change.coerced.value)

    def wait(self, seconds: float) -> list[str]:
        """What comes within this time, in steps of a tenth of a second."""
        found = []
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            found.append(self.came())
        return [text for text in found if text]

    def play(self, *beats: float) -> list[str]:
        found = []
        for beat in beats:
            self.moment = Moment(beat, 120.0, running=True, master="tap")
            found.append(self.came())
        return found


def test_a_list_begins_at_once_and_steps_after_its_seconds_over_and_over() -> None:
    rig = Rig(step=2.0)
    assert rig.came() == "a"
    assert rig.list.wait_s() == 2.0
    assert rig.wait(1.9) == []
    assert rig.list.figures() == {"prompt_list": "1 of 3"}
    assert rig.wait(8.1) == ["b", "c", "a", "b", "c"]


def test_steps_in_beats_fall_on_the_beat_and_are_set_early_enough_to_be_seen_there() -> None:
    rig = Rig("beats", 4.0)
    assert rig.play(1.0, 2.0, 3.9, 4.0, 4.1, 7.9, 8.0, 12.5) == ["a", "", "", "b", "", "", "c", "a"]
    rig.ahead = 0.5
    rig.moment = Moment(14.0, 120.0, running=True, master="tap")
    assert rig.list.wait_s() == pytest.approx(0.5)
    assert rig.play(14.9, 15.0, 16.0) == ["", "b", ""]
    step = Rig("beats")
    step.play(3.0)
    step.moment = Moment(4.0, 120.0, running=True, master="tap")
    due = step.list.due()
    assert due is None or due.on_time


def test_a_step_in_bars_has_the_beats_of_a_bar() -> None:
    rig = Rig("bars", 2.0)
    assert rig.play(0.0, 4.0, 7.9, 8.0) == ["a", "", "", "b"]
    rig.set("/streamvace/tempo/beats_a_bar", 3)
    assert rig.play(9.0, 11.9, 12.0) == ["", "", "c"]


def test_without_a_tempo_that_runs_the_list_stands_and_says_why() -> None:
    rig = Rig("beats")
    assert rig.came() == "a"
    assert rig.wait(60.0) == []
    assert rig.list.wait_s() is None
    assert rig.list.figures() == {"prompt_list": "1 of 3; waits for a tempo that runs"}
    rig.play(3.0)
    rig.moment = Moment(9.0, 120.0, running=False, master="midi")
    assert rig.came() == ""


def test_a_nudge_steps_once_and_a_resync_counts_from_there() -> None:
    rig = Rig("beats", 4.0)
    assert rig.play(3.0, 4.0, 3.9, 4.0, 4.1) == ["a", "b", "", "", ""]
    assert rig.play(0.0, 3.9, 4.0) == ["", "", "c"]


def test_off_it_stands_and_on_again_it_goes_on_with_the_next_prompt() -> None:
    rig = Rig(step=2.0)
    rig.came()
    rig.wait(3.0)
    rig.set(ON, False)
    assert rig.wait(9.0) == []
    assert rig.list.figures() == {"prompt_list": "2 of 3; off"}
    assert rig.list.wait_s() is None
    rig.set(ON, True)
    assert rig.wait(1.9) == []
    assert rig.wait(0.3) == ["c"]


def test_the_next_prompt_by_hand_begins_the_step_anew_also_while_the_list_stands() -> None:
    rig = Rig(step=2.0)
    rig.came()
    rig.wait(1.5)
    assert rig.list.next().coerced.value == "b"
    assert rig.wait(1.9) == []
    assert rig.wait(0.2) == ["c"]
    rig.set(ON, False)
    assert rig.list.next().coerced.value == "a"
    rig.set(PROMPTS_IN_TURN, "")
    with pytest.raises(UserError, match="there is no list; send the prompts to /streamvace/prompt_list/prompts first"):
        rig.list.next()
    assert rig.list.figures() == {"prompt_list": ""}


def test_a_list_goes_on_from_the_prompt_that_is_shown_and_otherwise_begins() -> None:
    rig = Rig(step=2.0)
    rig.set(PROMPT, "b")
    assert rig.came() == ""
    assert rig.wait(2.1) == ["c"]
    rig.set(PROMPTS_IN_TURN, "x", "y")
    assert rig.came() == "x"


def test_a_prompt_fades_as_the_list_says_or_as_every_prompt_does() -> None:
    rig = Rig(step=2.0)
    step = rig.list.due()
    assert step is not None
    assert step.change == Change(step.change.coerced, LIST_WRITER, None)
    rig.set(FADE, 1.5)
    assert rig.list.next().fade == Fade(1.5)


def test_undo_passes_over_prompts_that_came_by_themselves() -> None:
    rig = Rig(step=1.0)
    rig.set("/streamvace/seed", 7)
    rig.wait(9.0)
    assert rig.parameters.undoable()[0] == ("/streamvace/seed",)


def test_after_a_stall_one_prompt_comes_and_not_all_that_were_missed() -> None:
    rig = Rig(step=1.0)
    rig.came()
    rig.now = 60.0
    assert rig.came() == "b"
    assert rig.came() == ""


@given(st.lists(st.floats(0.0, 3.0), max_size=60), st.sampled_from([0.25, 1.0, 1.5, 4.0]))
def test_a_beat_that_only_runs_steps_once_for_every_look_that_passed_an_edge(steps: list[float], size: float) -> None:
    rig = Rig("beats", size)
    beat = 0.1
    rig.play(beat, beat)
    for step in steps:
        passed = (beat + step) // size > beat // size
        beat += step
        assert (rig.play(beat) != [""]) == passed
