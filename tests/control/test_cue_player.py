"""A cue list that plays: by hand, after a wait, one after another, at a time, on a bar and on timecode. Every clock
stands until it is moved."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from streamvace.control.cue_list import CueList
from streamvace.control.cue_player import AUTO_FOLLOW, LOOP, CuePlayer
from streamvace.control.cue_times import parse_at
from streamvace.control.cues import Cue
from streamvace.control.fades import Fade
from streamvace.control.parameters import Parameters
from streamvace.control.show_clocks import Place
from streamvace.control.transport import NO_TRANSPORT, Moment
from streamvace.system.errors import UserError
from tests.control.coerced import coerced

SCALE = "/streamvace/context_scale"


def cue(
    name: str, *, wait: float = 0.0, follow: float | None = None, at: object = None, number: float | None = None
) -> Cue:
    when = None if at is None else parse_at(at)
    return Cue(name, coerced({SCALE: 1.0}), Fade(2.0), number=number, wait=wait, follow=follow, at=when)


class Rig:
    """A player, and the clocks that it hears."""

    def __init__(self, *cues: Cue, built_in: tuple[Cue, ...] = ()) -> None:
        self.now = 0.0
        self.moment = NO_TRANSPORT
        self.timecode: Place | None = None
        self.ahead = 0.0
        self.parameters = Parameters()
        self.cues = CueList(cues, built_in)
        self.player = CuePlayer(
            self.parameters,
            self.cues,
            lambda: round(self.now * 1e9),
            moment=lambda: self.moment,
            timecode=lambda: self.timecode,
            look_ahead_s=lambda: self.ahead,
        )

    def set(self, address: str, value: object) -> None:
        assert self.parameters.set(address, (value,), "desk").status in ("set", "unchanged")

    def came(self, seconds: float = 0.0) -> list[str]:
        """What begins by itself within this time, in steps of a tenth of a second."""
        found = []
        for _ in range(max(1, round(seconds * 10))):
            self.now += 0.1 * (seconds > 0)
            found += [due.name for due in self.player.due() if due.changes]
        return found

    def play(self, *beats: float) -> list[str]:
        """What comes at these beats of a transport at 120."""
        found = []
        for beat in beats:
            self.moment = Moment(beat, 120.0, running=True, master="midi")
            found += self.came()
        return found


def test_a_cue_with_a_wait_is_current_at_once_and_begins_after_it() -> None:
    rig = Rig(cue("a", wait=3.0), cue("b"))
    assert rig.player.go() == ()
    assert (rig.cues.current, rig.player.figures()["cue_waits"]) == ("a", 3.0)
    assert rig.player.wait_s() == 3.0
    assert rig.came(2.9) == []
    assert rig.came(0.1) == ["a"]
    assert (rig.player.figures()["cue_waits"], rig.player.figures()["cue_left"]) == (0.0, 2.0)
    assert rig.came(9.0) == []
    assert rig.player.wait_s() is None


def test_another_recall_replaces_a_cue_that_waits_and_revert_does_not_wait() -> None:
    rig = Rig(cue("a", wait=3.0), cue("b"))
    rig.player.recall("a")
    rig.now += 1.0
    assert rig.player.recall("b") != ()
    assert rig.came(5.0) == []
    rig.player.recall("a")
    assert rig.player.revert() != ()
    assert rig.came(5.0) == []


def test_the_time_of_a_following_cue_counts_from_the_end_of_the_wait_and_a_recall_replaces_it() -> None:
    rig = Rig(cue("a", wait=2.0, follow=4.0), cue("b"), cue("c"))
    rig.player.go()
    assert rig.came(5.9) == ["a"]
    assert (rig.player.figures()["cue_follows_in"], rig.player.figures()["cue_coming"]) == (0.1, "b")
    assert rig.came(0.1) == ["b"]
    assert rig.came(9.0) == []
    rig.player.recall("a")
    rig.now += 5.0
    rig.player.recall("c")
    assert rig.came(9.0) == []


def test_a_list_whose_cues_all_follow_plays_in_a_loop() -> None:
    rig = Rig(cue("a", follow=1.0), cue("b", follow=1.0))
    rig.player.go()
    assert rig.came(4.0) == ["b", "a", "b", "a"]


@pytest.mark.parametrize(
    ("loop", "names"),
    [("all", ["a", "b", "look", "a"]), ("yours", ["a", "b", "a", "b"]), ("off", ["a", "b", "", ""])],
)
def test_what_comes_after_the_last_cue_is_chosen(loop: str, names: list[str]) -> None:
    rig = Rig(cue("a"), cue("b"), built_in=(cue("look"),))
    rig.set(LOOP, loop)
    for name in names:
        rig.now += 1.0
        assert rig.player.figures()["cue_next"] == name
        if name:
            rig.player.go()
        else:
            with pytest.raises(UserError, match="no cue comes after the last one; /streamvace/cue_loop is off"):
                rig.player.go()
    rig.player.recall("a")
    if loop == "off":
        with pytest.raises(UserError, match="no cue comes before the first one"):
            rig.player.back()
    else:
        rig.player.back()
        assert rig.cues.current == {"all": "look", "yours": "b"}[loop]
    rig.player.recall("look")
    assert rig.player.figures()["cue_next"] == "a"


def test_a_list_that_does_not_loop_stops_by_itself_at_its_end() -> None:
    rig = Rig(cue("a", follow=1.0), cue("b", follow=1.0))
    rig.set(LOOP, "off")
    rig.player.go()
    assert rig.came(9.0) == ["b"]
    assert rig.player.figures()["cue_coming"] == ""


def test_without_cues_go_and_back_say_so() -> None:
    rig = Rig()
    for act in (rig.player.go, rig.player.back, lambda: rig.player.step_standby(1)):
        with pytest.raises(UserError, match="no cues yet"):
            act()
    assert rig.player.figures()["cue_next"] == ""


def test_while_cues_do_not_come_by_themselves_one_whose_time_comes_is_left_out() -> None:
    rig = Rig(cue("a", follow=1.0), cue("b"), cue("c", at=5.0))
    rig.player.show_clock.start()
    rig.set(AUTO_FOLLOW, False)
    rig.player.go()
    assert rig.player.figures()["cue_follows_in"] == 0.0
    assert rig.came(6.0) == []
    rig.set(AUTO_FOLLOW, True)
    assert rig.came(6.0) == []


def test_cues_come_at_their_seconds_of_the_show_and_are_seen_then() -> None:
    rig = Rig(cue("a", at=0), cue("b", at=10.0), cue("c", at="0:20"), cue("by hand"))
    assert rig.came(5.0) == []
    assert rig.player.wait_s() is None
    rig.ahead = 0.5
    rig.player.show_clock.start()
    assert rig.came() == ["a"]
    assert rig.player.figures()["cue_coming"] == "b"
    assert rig.player.wait_s() == pytest.approx(9.5)
    assert rig.came(9.4) == []
    assert rig.came(0.2) == ["b"]
    assert rig.came(9.8) == []
    assert rig.came(0.2) == ["c"]
    assert rig.player.figures()["cue_clock"] == 19.6
    rig.player.show_clock.start()
    assert rig.came() == ["a"]


def test_a_recall_by_hand_moves_the_shows_clock_so_that_those_after_it_keep_their_distance() -> None:
    rig = Rig(cue("a", at=0), cue("b", at=10.0), cue("c", at=20.0, follow=5.0), cue("d"))
    rig.ahead = 0.5
    rig.player.show_clock.start()
    assert rig.came(2.0) == ["a"]
    assert rig.player.recall("b") != ()
    assert rig.came(9.7) == []
    assert rig.came(0.4) == ["c"]
    rig.player.recall("d")
    rig.player.recall("a")
    assert rig.player.figures()["cue_clock"] == -0.5
    assert rig.came(9.9) == []
    assert rig.came(0.2) == ["b"]


def test_a_list_with_times_loops_by_the_last_one_that_follows() -> None:
    rig = Rig(cue("a", at=0), cue("b", at=3.0, follow=2.0))
    rig.player.show_clock.start()
    assert rig.came(10.5) == ["a", "b", "a", "b", "a"]


def test_stop_ends_what_waits_what_follows_and_the_shows_clock() -> None:
    rig = Rig(cue("a", wait=1.0, follow=2.0), cue("b", at=5.0))
    rig.player.show_clock.start()
    rig.player.go()
    rig.player.stop()
    assert rig.came(9.0) == []
    assert rig.player.wait_s() is None
    assert rig.player.figures()["cue_clock"] == 0.0


def test_cues_come_on_their_bar_and_beat_of_the_transport() -> None:
    rig = Rig(cue("intro", at="bar 1"), cue("drop", at="bar 5.2"))
    assert rig.came(3.0) == []
    assert rig.play(0.0, 1.0, 16.9) == ["intro"]
    assert rig.player.wait_s() == pytest.approx(0.05)
    assert rig.player.figures()["cue_coming"] == "drop"
    assert rig.play(17.0, 18.0) == ["drop"]
    assert rig.play(17.5, 18.0) == [], "a nudge recalls nothing again"
    assert rig.play(0.0) == ["intro"], "the song begins anew"
    rig.set("/streamvace/tempo/beats_a_bar", 3)
    assert rig.play(12.9, 13.0) == ["drop"]
    rig.moment = Moment(5.0, 120.0, running=False, master="midi")
    assert rig.came() == ["intro"], "the song was located to bar 2"
    assert rig.player.wait_s() is None


def test_cues_come_on_timecode_also_after_a_jump() -> None:
    rig = Rig(cue("a", at="01:00:00:00"), cue("b", at="01:00:10:12"))
    rig.timecode = Place(3599.9, 1.0, 24)
    assert rig.came() == []
    rig.timecode = Place(3600.0, 1.0, 24)
    assert rig.came() == ["a"]
    assert rig.player.wait_s() == pytest.approx(10.5)
    rig.timecode = Place(3610.5, 0.0, 24)
    assert rig.came() == ["b"]
    rig.timecode = Place(3605.0, 0.0, 24)
    assert rig.came() == ["a"]


def test_what_comes_at_a_time_waits_for_no_beat_and_what_follows_does() -> None:
    rig = Rig(cue("a", at=0, follow=1.0), cue("b", wait=1.0))
    rig.player.show_clock.start()
    assert [due.on_time for due in rig.player.due()] == [True]
    rig.now = 1.0
    assert [(due.name, due.changes) for due in rig.player.due()] == [("b", ())]
    rig.now = 2.0
    assert [due.on_time for due in rig.player.due()] == [False]


def test_writing_down_a_time_that_is_over_recalls_nothing() -> None:
    rig = Rig(cue("a", at=1.0), cue("b"))
    rig.player.show_clock.start()
    assert rig.came(30.0) == ["a"]
    rig.cues.edit("b", lambda held: cue(held.name, at=20.0))
    assert rig.came(1.0) == []
    rig.cues.edit("b", lambda held: cue(held.name, at=40.0))
    assert rig.came(10.0) == ["b"]
    rig.cues.edit("b", lambda held: cue(held.name, at="bar 2"))
    assert rig.play(100.0, 101.0) == []


def test_the_cue_that_stands_by_is_moved_along_the_list_and_stays_at_its_ends() -> None:
    rig = Rig(cue("a"), cue("b"), cue("c"))
    rig.set(LOOP, "off")
    steps = [(1, "b"), (1, "c"), (1, "c"), (-1, "b"), (-1, "a"), (-1, "a")]
    for step, name in steps:
        rig.player.step_standby(step)
        assert rig.player.figures()["cue_next"] == name
    rig.player.recall("c")
    rig.player.step_standby(1)
    assert rig.player.figures()["cue_next"] == ""
    rig.player.step_standby(-1)
    assert rig.player.figures()["cue_next"] == "c"


class Rehearsal(RuleBasedStateMachine):
    """Hands and time against a model: what waits, what follows, and the show's clock, in tenths of a second."""

    CUES = (
        *(cue("a", follow=1.0), cue("b", wait=0.7, follow=2.0), cue("c"), cue("t5", at=5.0)),
        *(cue("t9", at=9.0, wait=0.3), cue("f", follow=0.5)),
    )

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig(*self.CUES)
        self.names = [each.name for each in self.CUES]
        self.tenths = 0
        self.began: list[str] = []
        self.wanted: list[str] = []
        self.wait: tuple[int, str] | None = None
        self.follow: int | None = None
        self.zero: int | None = None
        self.current = ""
        self.auto = True

    def _recall(self, name: str, *, by_hand: bool) -> None:
        held = next(each for each in self.CUES if each.name == name)
        self.current = name
        if by_hand and held.at is not None and self.zero is not None:
            self.zero = self.tenths - round(held.at.place(1) * 10)
        self.follow = None if held.follow is None else self.tenths + round((held.wait + held.follow) * 10)
        self.wait = (self.tenths + round(held.wait * 10), name) if held.wait else None
        if not held.wait:
            self.wanted.append(name)

    def _next(self) -> str:
        return self.names[(self.names.index(self.current) + 1) % len(self.names)] if self.current else self.names[0]

    def _played(self, changes: object) -> None:
        if changes:
            self.began.append(self.rig.cues.current)

    @rule(name=st.sampled_from(["a", "b", "c", "t5", "t9", "f"]))
    def recall(self, name: str) -> None:
        self._recall(name, by_hand=True)
        self._played(self.rig.player.recall(name))

    @rule()
    def back(self) -> None:
        at = self.names.index(self.current) if self.current else 0
        self._recall(self.names[at - 1], by_hand=True)
        self._played(self.rig.player.back())

    @rule()
    def start(self) -> None:
        self.rig.player.show_clock.start()
        self.zero = self.tenths

    @rule()
    def stop(self) -> None:
        self.rig.player.stop()
        self.wait = self.follow = self.zero = None

    @rule(auto=st.booleans())
    def switch(self, auto: bool) -> None:
        self.rig.parameters.set(AUTO_FOLLOW, (auto,), "desk")
        self.auto = auto

    @rule(tenths=st.integers(1, 25))
    def time(self, tenths: int) -> None:
        for _ in range(tenths):
            self.tenths += 1
            self.rig.now = self.tenths / 10
            if self.wait is not None and self.wait[0] == self.tenths:
                self.wanted.append(self.wait[1])
                self.wait = None
            zero = self.zero
            if self.follow == self.tenths:
                self.follow = None
                if self.auto:
                    self._recall(self._next(), by_hand=True)
            if self.zero is not None and self.zero == zero and self.auto:
                for name, at in (("t5", 50), ("t9", 90)):
                    if self.tenths - self.zero == at:
                        self._recall(name, by_hand=False)
            self.began += [due.name for due in self.rig.player.due() if due.changes]
            assert self.began == self.wanted

    @invariant()
    def everything_began_when_it_was_to(self) -> None:
        assert self.rig.cues.current == self.current
        assert self.rig.player.figures()["cue_waits"] == pytest.approx(
            0.0 if self.wait is None else (self.wait[0] - self.tenths) / 10
        )
        wait_s = self.rig.player.wait_s()
        ends = [self.wait[0] if self.wait else None, self.follow]
        assert all(wait_s is not None and wait_s <= (end - self.tenths) / 10 + 1e-9 for end in ends if end is not None)
        assert (wait_s is None) == (not any(ends) and (self.zero is None or self.tenths - self.zero >= 90))


TestRehearsal = Rehearsal.TestCase
TestRehearsal.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_the_same_number_is_given_once_and_finds_its_cue() -> None:
    rig = Rig(cue("a", number=1.0), cue("7", number=2.5), cue("c"))
    for key, name in ((1, "a"), (2.5, "7"), ("2.5", "7"), ("7", "7"), ("c", "c"), (2.499999999, "7")):
        rig.player.recall(key)
        assert rig.cues.current == name, key
    for key, line in (
        (7, "there is no cue 7; there are 'a'"),
        ("9", "no cue '9'|no cue 9"),
        (True, "name is a string"),
    ):
        with pytest.raises(UserError, match=line):
            rig.player.recall(key)
    with pytest.raises(UserError, match="cue 'a' has the number 1"):
        rig.cues.edit("c", lambda held: cue(held.name, number=1.0))


def test_a_time_and_a_following_cue_that_fall_together_both_come() -> None:
    rig = Rig(cue("a", at=0.0, follow=2.0), cue("b"), cue("t", at=2.0))
    rig.player.show_clock.start()
    assert rig.came() == ["a"]
    assert list(itertools.chain(rig.came(2.0))) == ["b", "t"]
