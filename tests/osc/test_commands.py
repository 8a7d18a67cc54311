"""Commands over OSC: on their way, cues, the beat, and the time a bundle brings with it."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import osc_schema
from streamvace.control.beats import BeatGate
from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.cue_player import CuePlayer
from streamvace.control.cues import Cue
from streamvace.control.fades import Fade
from streamvace.control.link import LinkClock
from streamvace.control.parameters import PROMPT, Parameters
from streamvace.control.prompt_list import PromptList
from streamvace.control.tempo_commands import tempo_commands
from streamvace.control.transport import Transport
from streamvace.osc.codec import MAX_MESSAGES, encode_message
from streamvace.osc.inbox import Inbox, Outcome
from streamvace.system.fix_hints import install_command
from tests.control.coerced import coerced
from tests.control.test_transport import FakeSession
from tests.osc.packets import SCALE, bundle

DESK = ("127.0.0.1", 5000)
SECOND = 1_000_000_000
NOISE = "/streamvace/noise_scale"
PAUSE = "/streamvace/pause"
RECALL = "/streamvace/cue/recall"

LOOKS = (
    Cue("blue", coerced({PROMPT: "neon blue", SCALE: 0.5}), Fade(2.0)),
    Cue("red", coerced({PROMPT: "glossy red", SCALE: 1.5, PAUSE: True}), Fade(4.0, switch=0.5)),
)


class Rig:
    """An inbox with cues, a Link session and a look-ahead, on one clock that stands until it is moved."""

    def __init__(self, cues: tuple[Cue, ...] = LOOKS) -> None:
        self.now = 1_700_000_000.0
        self.look_ahead = 0.0
        self.session = FakeSession()
        self.session.now = 100.0
        self.parameters = Parameters(clock=lambda: int(self.now * SECOND))
        self.cues = CueList(cues)
        transport = Transport(LinkClock(lambda: self.session), clock=lambda: int(self.now * SECOND))
        gate = BeatGate(transport, lambda: self.look_ahead)
        clock = lambda: int(self.now * SECOND)  # noqa: E731
        ahead = lambda: self.look_ahead  # noqa: E731
        player = CuePlayer(self.parameters, self.cues, clock, moment=transport.now, look_ahead_s=ahead)
        prompts = PromptList(self.parameters, clock, moment=transport.now, look_ahead_s=ahead)
        self.inbox = Inbox(
            self.parameters,
            lambda: self.now,
            commands=Commands(
                self.parameters,
                self.cues,
                more=tempo_commands(transport, self.parameters),
                player=player,
                prompts=prompts,
            ),
            gate=gate,
            look_ahead_s=lambda: self.look_ahead,
        )

    def send(self, address: str, *arguments: object) -> Outcome:
        self.inbox.take(encode_message(address, *arguments), DESK)
        return self.inbox.flush()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.session.now += seconds * self.session.tempo / 60
        self.inbox.flush()

    def at(self, seconds: float, address: str) -> object:
        """The value of a chunk that starts so much later."""
        self.wait(seconds)
        return self.parameters.advance()[address]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_float_is_sent_on_its_way(rig: Rig) -> None:
    rig.send(f"{SCALE}/to", 0.0, 4)
    assert [rig.at(1, SCALE) for _ in range(4)] == pytest.approx([0.75, 0.5, 0.25, 0.0])
    rig.send(f"{SCALE}/to", 1.0, 2.0, "ease")
    assert rig.at(0.5, SCALE) == pytest.approx(0.15625)


def test_a_pattern_sends_several_on_their_way(rig: Rig) -> None:
    rig.send("/streamvace/{context,noise}_scale/to", 0.0, 2.0)
    rig.wait(1)
    rig.parameters.advance()
    assert rig.parameters.snapshot()[SCALE] == pytest.approx(0.5)
    assert rig.parameters.snapshot()[NOISE] == pytest.approx(0.35)


def test_a_prompt_is_sent_on_its_way(rig: Rig) -> None:
    rig.send(f"{PROMPT}/to", "red glass", 4.0)
    assert rig.parameters.snapshot()[PROMPT] == "red glass"
    assert rig.parameters.snapshot().prompt_fade == Fade(4.0)


@pytest.mark.parametrize(
    ("address", "arguments", "said"),
    [
        (f"{SCALE}/to", (), "takes a value, seconds and an optional curve"),
        (f"{SCALE}/to", (0.5,), "takes a value, seconds and an optional curve"),
        (f"{SCALE}/to", (0.5, -1.0), "0..3600 seconds, got -1"),
        (f"{SCALE}/to", (0.5, float("nan")), "0..3600 seconds, got nan"),
        (f"{SCALE}/to", (0.5, 1.0, "sine"), "a curve is one of linear, ease, exponential, got 'sine'"),
        (f"{SCALE}/to", ("much", 1.0), "takes one float 0..2, got 'much'"),
        (f"{SCALE}/to", (9.0, 1.0), "limited to 2 (range 0-2), got 9"),
        ("/streamvace/seed/to", (7, 1.0), "there is no such parameter"),
        ("/streamvace/pause/to", (1, 1.0), "there is no such parameter"),
        (RECALL, (), "takes the name or number of a cue"),
        (RECALL, ("green",), "there is no cue 'green'; there are 'blue', 'red'"),
        (RECALL, (1.0,), "there is no cue 1; there are 'blue', 'red'"),
        (RECALL, (True,), "a cue's name is a string"),
        ("/streamvace/cue/number", ("blue", "two"), "a cue's number is 0..9999.999, got 'two'"),
        ("/streamvace/cue/wait", ("blue", -1), "wait takes seconds 0..3600, got -1"),
        ("/streamvace/cue/at", ("blue", "noon"), "timecode '01:00:00:00', got 'noon'"),
        ("/streamvace/cue/at", ("blue", 1.0, 2.0), "takes the name or number of a cue and optionally a time"),
        (RECALL, ("blue", "slow"), "0..3600 seconds, got 'slow'"),
        (RECALL, ("blue", 1.0, 2.0), "takes the name or number of a cue"),
        ("/streamvace/cue/store", ("x" * 81,), "1 to 80 printable characters"),
        ("/streamvace/cue/delete", ("green",), "there is no cue 'green'"),
        ("/streamvace/cue/go", ("now",), "takes nothing, 1 or true"),
    ],
)
def test_a_mistake_is_answered_with_one_line_and_both_values(
    rig: Rig, address: str, arguments: tuple[object, ...], said: str
) -> None:
    complaints = rig.send(address, *arguments).complaints
    [complaint] = complaints.values()
    line = complaint.line
    assert said in line
    assert "\n" not in line
    assert line.startswith("/streamvace/")


def test_a_cue_glides_crosses_over_and_switches_at_its_stated_point(rig: Rig) -> None:
    rig.send(RECALL, "red")
    assert rig.parameters.snapshot()[PROMPT] == "glossy red"
    assert rig.at(1, SCALE) == pytest.approx(1.125)
    assert rig.parameters.snapshot()[PAUSE] is False
    assert rig.at(1, PAUSE) is True
    assert rig.at(2, SCALE) == pytest.approx(1.5)
    assert (rig.cues.current, rig.cues.following) == ("red", "blue")


def test_a_cue_with_seconds_takes_those(rig: Rig) -> None:
    rig.send(RECALL, "red", 0.0)
    assert (rig.parameters.snapshot()[SCALE], rig.parameters.snapshot()[PAUSE]) == (1.5, True)
    assert rig.parameters.snapshot().version == 1, "a cue is one change"


def test_a_hand_takes_one_fader_out_of_a_cue_and_the_rest_goes_on(rig: Rig) -> None:
    rig.send(RECALL, "red")
    rig.wait(1)
    rig.send(SCALE, 0.3)
    assert rig.at(3, SCALE) == pytest.approx(0.3)
    assert rig.parameters.snapshot()[PAUSE] is True


def test_go_steps_through_the_list_and_a_buttons_release_does_not(rig: Rig) -> None:
    for pressed in (1.0, 0.0):
        rig.send("/streamvace/cue/go", pressed)
    assert rig.cues.current == "blue"
    rig.wait(1)
    rig.send("/streamvace/cue/go")
    assert rig.cues.current == "red"


def test_what_comes_after_a_cue_in_a_bundle_goes_before_it(rig: Rig) -> None:
    rig.inbox.take(bundle(encode_message(RECALL, "blue", 0.0), encode_message(SCALE, 1.75)), DESK)
    rig.inbox.flush()
    assert (rig.parameters.snapshot()[SCALE], rig.parameters.snapshot()[PROMPT]) == (1.75, "neon blue")
    assert rig.parameters.snapshot().version == 1


def test_a_store_keeps_what_was_sent_before_it_and_not_what_came_after(rig: Rig) -> None:
    for datagram in (
        encode_message(SCALE, 0.25),
        encode_message("/streamvace/cue/store", "new", 3.0),
        encode_message(SCALE, 2.0),
    ):
        rig.inbox.take(datagram, DESK)
    rig.inbox.flush()
    stored = rig.cues.recall("new")
    assert (stored.values[SCALE].value, stored.fade) == (0.25, Fade(3.0))
    assert rig.parameters.snapshot()[SCALE] == 2.0
    rig.send("/streamvace/cue/delete", "new")
    assert "new" not in rig.cues.names


def test_a_stored_cue_brings_everything_back(rig: Rig) -> None:
    rig.parameters.set("/streamvace/prompts", ("a", 0.5, "b", 0.5), "desk")
    rig.parameters.set("/streamvace/mask_source", ("alpha",), "desk")
    before = dict(rig.parameters.snapshot().values)
    rig.send("/streamvace/cue/store", "mine")
    for address, value in ((PROMPT, "x"), (SCALE, 0.1), ("/streamvace/mask_source", "none"), ("/streamvace/seed", 1)):
        rig.parameters.set(address, (value,), "desk")
    rig.send(RECALL, "mine")
    assert dict(rig.parameters.snapshot().values) == before


def test_a_datagram_full_of_cues_and_stores_costs_no_more_than_one_full_of_faders(rig: Rig) -> None:
    wide = {row.address: row.default for row in osc_schema.load() if row.default and row.access == "write"}
    rig.cues.store("wide", coerced(wide))
    for address in (RECALL, "/streamvace/cue/store"):
        before = rig.inbox.counters.refused
        rig.inbox.take(bundle(*[encode_message(address, "wide")] * MAX_MESSAGES), DESK)
        outcome = rig.inbox.flush()
        assert len(outcome.results) <= 128
        assert rig.inbox.counters.refused - before > MAX_MESSAGES // 2
        assert "too much at once" in outcome.complaints[DESK, address].line
    rig.send(RECALL, "red", 0.0)
    assert rig.parameters.snapshot()[PROMPT] == "glossy red", "the next datagram is as good as ever"


def test_no_pattern_reaches_a_cue(rig: Rig) -> None:
    rig.send("/streamvace/cue/{go,delete}", "blue")
    assert (rig.cues.current, rig.cues.names) == ("", ("blue", "red"))


def test_on_the_beat_words_and_switches_wait_and_faders_do_not(rig: Rig) -> None:
    """At 120 a bar is 2 seconds, and beat 100 begins one; the show is half a beat into it."""
    rig.wait(0.25)
    rig.send("/streamvace/quantise", "bar")
    rig.send(PROMPT, "on the one")
    rig.send("/streamvace/mask_source", "alpha")
    rig.send(SCALE, 0.4)
    rig.send(PAUSE, True)
    snapshot = rig.parameters.snapshot()
    assert (snapshot[SCALE], snapshot[PAUSE]) == (pytest.approx(0.4), True)
    assert snapshot[PROMPT] != "on the one"
    assert rig.inbox.seconds_to_next() == pytest.approx(1.75)
    rig.wait(1.7)
    assert rig.parameters.snapshot()[PROMPT] != "on the one"
    assert rig.inbox.waiting() == {PROMPT: "on the one", "/streamvace/mask_source": "alpha"}
    version = rig.parameters.snapshot().version
    rig.wait(0.06)
    snapshot = rig.parameters.snapshot()
    assert (snapshot[PROMPT], snapshot["/streamvace/mask_source"]) == ("on the one", "alpha")
    assert snapshot.version == version + 1
    assert rig.inbox.seconds_to_next() is None
    assert rig.inbox.waiting() == {}


def test_the_output_of_a_cue_waits_for_the_beat_with_the_rest(rig: Rig) -> None:
    rig.wait(0.05)
    rig.send("/streamvace/quantise", "beat")
    rig.send("/streamvace/output/hue/to", 90.0, 0.0)
    assert rig.parameters.snapshot()["/streamvace/output/hue"] == 0.0
    rig.wait(0.5)
    assert rig.parameters.snapshot()["/streamvace/output/hue"] == 90.0


def test_a_cue_waits_whole_for_the_beat_and_is_set_a_look_ahead_before_it(rig: Rig) -> None:
    rig.look_ahead = 0.3
    rig.wait(0.05)
    rig.send("/streamvace/quantise", "beat")
    rig.send(RECALL, "blue", 0.0)
    assert rig.parameters.snapshot()[SCALE] == 1.0
    rig.wait(0.14)
    assert rig.parameters.snapshot()[SCALE] == 1.0
    rig.wait(0.02)
    assert (rig.parameters.snapshot()[SCALE], rig.parameters.snapshot()[PROMPT]) == (0.5, "neon blue")


def test_of_what_waits_for_one_beat_the_last_counts(rig: Rig) -> None:
    rig.wait(0.1)
    rig.send("/streamvace/quantise", "bar")
    for prompt in ("a", "b", "c"):
        rig.send(PROMPT, prompt)
    rig.send("/streamvace/reset")
    rig.wait(2)
    assert (rig.parameters.snapshot()[PROMPT], rig.parameters.snapshot().generation) == ("c", 1)


def test_what_comes_on_the_beat_itself_is_newer_than_what_waited_for_it(rig: Rig) -> None:
    rig.wait(0.1)
    rig.send("/streamvace/quantise", "bar")
    rig.send(PROMPT, "waited")
    rig.inbox.take(bundle(encode_message(PROMPT, "newest"), at=rig.now + 1.9), DESK)
    rig.wait(1.95)
    assert rig.parameters.snapshot()[PROMPT] == "newest"


def test_switching_the_beat_off_lets_go_of_what_waits(rig: Rig) -> None:
    rig.wait(0.1)
    rig.send("/streamvace/quantise", "bar")
    rig.send(PROMPT, "waiting")
    rig.send("/streamvace/quantise", "off")
    rig.wait(0.01)
    assert rig.parameters.snapshot()[PROMPT] == "waiting"


def test_a_tapped_tempo_becomes_the_own_tempo_and_leads_what_waits(rig: Rig) -> None:
    rig.session.peers = 0
    for _ in range(4):
        rig.send("/streamvace/tempo/tap", 1.0)
        rig.send("/streamvace/tempo/tap", 0.0)
        rig.wait(0.5)
    assert rig.parameters.snapshot()["/streamvace/tempo/bpm"] == 120.0
    rig.send("/streamvace/quantise", "bar")
    rig.wait(0.5)
    rig.send("/streamvace/tempo/resync")
    rig.wait(0.1)
    rig.send(PROMPT, "on the one")
    assert rig.inbox.seconds_to_next() == pytest.approx(1.9)
    rig.send("/streamvace/tempo/double")
    assert rig.parameters.snapshot()["/streamvace/tempo/bpm"] == 240.0
    assert rig.inbox.seconds_to_next() == pytest.approx(0.9)
    rig.send("/streamvace/tempo/later")
    assert rig.inbox.seconds_to_next() == pytest.approx(0.91)
    rig.send("/streamvace/tempo/half")
    rig.send("/streamvace/tempo/earlier")
    assert rig.inbox.seconds_to_next() == pytest.approx(1.9)


def test_a_tempo_that_cannot_be_tapped_is_refused_with_a_line(rig: Rig) -> None:
    rig.send("/streamvace/quantise", "bar")
    complaints = rig.send("/streamvace/tempo/tap").complaints
    assert "the Ableton Link session leads" in complaints[DESK, "/streamvace/tempo/tap"].line


def test_without_link_a_master_returns_to_what_it_was(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "aalink", None)
    rig.inbox = Inbox(rig.parameters, lambda: rig.now)
    rig.send("/streamvace/tempo/master", "own")
    assert rig.send("/streamvace/tempo/master", "link").complaints
    assert rig.parameters.snapshot()["/streamvace/tempo/master"] == "own"


def test_without_link_the_beat_is_refused_and_everything_goes_on(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "aalink", None)
    rig.inbox = Inbox(rig.parameters, lambda: rig.now)
    complaints = rig.send("/streamvace/quantise", "bar").complaints
    assert install_command("link") in complaints[DESK, "/streamvace/quantise"].line
    assert rig.parameters.snapshot()["/streamvace/quantise"] == "off"
    rig.send(PROMPT, "at once")
    assert rig.parameters.snapshot()[PROMPT] == "at once"


def test_a_timed_bundle_is_set_a_look_ahead_before_its_time_and_what_is_shown_at_once_on_it(rig: Rig) -> None:
    rig.look_ahead = 1.0
    rig.inbox.take(bundle(encode_message(PROMPT, "then"), at=rig.now + 10), DESK)
    rig.inbox.take(bundle(encode_message(PAUSE, True), at=rig.now + 10), DESK)
    rig.inbox.take(bundle(encode_message(RECALL, "blue", 0.0), at=rig.now + 20), DESK)
    assert rig.inbox.seconds_to_next() == pytest.approx(9.0)
    rig.wait(8.9)
    assert rig.parameters.snapshot()[PROMPT] != "then"
    rig.wait(0.2)
    assert (rig.parameters.snapshot()[PROMPT], rig.parameters.snapshot()[PAUSE]) == ("then", False)
    rig.wait(0.95)
    assert rig.parameters.snapshot()[PAUSE] is True
    rig.wait(9)
    assert rig.cues.current == "blue"


def test_a_timed_bundle_waits_for_no_beat(rig: Rig) -> None:
    rig.wait(0.1)
    rig.send("/streamvace/quantise", "bar")
    rig.inbox.take(bundle(encode_message(PROMPT, "then"), at=rig.now + 0.5), DESK)
    rig.inbox.flush()
    rig.wait(0.51)
    assert rig.parameters.snapshot()[PROMPT] == "then"


class Performance(RuleBasedStateMachine):
    """Hands, fades, cues, timed bundles and chunks in any order, against a model of one float."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()
        self.versions: list[int] = []
        self.held = 1.0
        self.move: tuple[float, float, float, float] | None = None  # from, to, began, seconds
        self.timed: list[tuple[float, float]] = []

    def _model(self) -> float:
        """Where the fader is, as far as chunks have brought it."""
        if self.move is None:
            return self.held
        start, target, began, seconds = self.move
        gone = self.rig.now - began
        return target if gone >= seconds - 1e-9 else start + (target - start) * gone / seconds

    def _begin(self, target: float, seconds: float) -> None:
        if seconds > 0 and target != self.held:
            self.move = (self.held, target, self.rig.now, seconds)
        else:
            self.held, self.move = target, None

    quarters = st.integers(0, 8).map(lambda number: number / 4)
    times = st.sampled_from([0.0, 0.5, 2.0, 8.0])

    @rule(value=quarters)
    def hand(self, value: float) -> None:
        self.rig.send(SCALE, value)
        self.held, self.move = value, None

    @rule(goal=quarters, seconds=times)
    def glide(self, goal: float, seconds: float) -> None:
        self.rig.send(f"{SCALE}/to", goal, seconds)
        self._begin(goal, seconds)

    @rule(name=st.sampled_from(["blue", "red"]), seconds=times)
    def cue(self, name: str, seconds: float) -> None:
        self.rig.send(RECALL, name, seconds)
        self.rig.send(PAUSE, False)
        self._begin({"blue": 0.5, "red": 1.5}[name], seconds)

    @rule(value=quarters, ahead=st.sampled_from([0.25, 1.0, 3.0]))
    def later(self, value: float, ahead: float) -> None:
        due = self.rig.now + ahead
        self.rig.inbox.take(bundle(encode_message(SCALE, value), at=due), DESK)
        self.timed.append((due, value))

    @rule(seconds=st.sampled_from([0.25, 0.5, 1.0]))
    def chunk(self, seconds: float) -> None:
        self.rig.wait(seconds)
        for due, value in sorted(self.timed, key=lambda entry: entry[0]):
            if due <= self.rig.now + 1e-6:
                self.held, self.move = value, None
        self.timed = [entry for entry in self.timed if entry[0] > self.rig.now + 1e-6]
        snapshot = self.rig.parameters.advance()
        self.held = self._model()
        if self.move is not None and self.held == self.move[1]:
            self.move = None
        assert snapshot.number(SCALE) == pytest.approx(self.held, abs=1e-6)
        assert self.rig.parameters.snapshot() is snapshot, "the chunk's snapshot is the newest there is"

    @invariant()
    def versions_only_grow_and_every_value_is_in_range(self) -> None:
        snapshot = self.rig.parameters.snapshot()
        self.versions.append(snapshot.version)
        assert self.versions[-2:] == sorted(self.versions[-2:])
        for row in osc_schema.load():
            if row.type == "float" and row.access == "write":
                assert (row.minimum or 0) <= snapshot.number(row.address) <= (row.maximum or 0)


TestPerformance = Performance.TestCase
TestPerformance.settings = settings(max_examples=60, stateful_step_count=30)


def test_the_page_about_cues_names_every_command() -> None:
    page = (osc_schema.PATH.parent.parent / "docs" / "cues.md").read_text(encoding="utf-8")
    for row in osc_schema.load():
        if row.group == "cues":
            assert row.address in page


FADE_TIME = "/streamvace/fade_time"


@pytest.mark.parametrize("how", [("/streamvace/cue/go",), (RECALL, "blue")], ids=["go", "recall"])
def test_go_and_recall_fade_alike(rig: Rig, how: tuple[object, ...]) -> None:
    """The show's fade time rules; while it is 0, the cue's own."""
    address, *arguments = how
    rig.send(FADE_TIME, 8.0)
    rig.send(str(address), *arguments)
    assert [rig.at(2, SCALE) for _ in range(4)] == pytest.approx([0.875, 0.75, 0.625, 0.5])
    rig.send(FADE_TIME, 0.0)
    rig.send(SCALE, 1.0)
    rig.cues.recall("red")
    rig.send(str(address), *arguments)
    assert [rig.at(1, SCALE) for _ in range(2)] == pytest.approx([0.75, 0.5])


def test_a_recall_with_seconds_of_its_own_keeps_them(rig: Rig) -> None:
    rig.send(FADE_TIME, 8.0)
    rig.send(RECALL, "blue", 0.0)
    assert rig.at(0, SCALE) == 0.5


def test_a_go_that_bounces_is_refused_and_the_next_one_counts(rig: Rig) -> None:
    rig.send("/streamvace/cue/go")
    rig.wait(0.2)
    [complaint] = rig.send("/streamvace/cue/go").complaints.values()
    assert complaint.line == "/streamvace/cue/go: pressed again after 0.20 s; the next go counts after 0.3 s"
    assert rig.cues.current == "blue"
    rig.wait(0.15)
    rig.send("/streamvace/cue/go")
    assert rig.cues.current == "red"


def test_revert_returns_to_the_last_cue_at_once(rig: Rig) -> None:
    [complaint] = rig.send("/streamvace/cue/revert").complaints.values()
    assert "no cue has been recalled or stored yet" in complaint.line
    rig.send(RECALL, "blue", 0.0)
    rig.send(SCALE, 2.0)
    rig.send(NOISE, 0.1)
    rig.send(FADE_TIME, 8.0)
    rig.send("/streamvace/cue/revert")
    assert (rig.at(0, SCALE), rig.at(0, NOISE)) == (0.5, pytest.approx(0.1))
    rig.cues.delete("blue")
    [complaint] = rig.send("/streamvace/cue/revert").complaints.values()
    assert "'blue' is deleted" in complaint.line


def test_cues_are_edited_over_osc(rig: Rig) -> None:
    rig.send(RECALL, "blue")
    rig.send("/streamvace/cue/rename", "sea")
    assert rig.cues.names == ("sea", "red")
    rig.send("/streamvace/cue/rename", "red", "fire")
    rig.send("/streamvace/cue/move", "fire")
    assert rig.cues.names == ("fire", "sea")
    rig.send("/streamvace/cue/move", "fire", 2.0)
    assert rig.cues.names == ("sea", "fire")
    rig.send("/streamvace/cue/fade", "sea", 7)
    rig.send(FADE_TIME, 3.0)
    rig.send("/streamvace/cue/fade", "fire")
    assert [tile["fade"] for tile in rig.cues.tiles()] == [7.0, 3.0]
    rig.send("/streamvace/cue/delete", "sea")
    rig.send("/streamvace/cue/undo")
    assert rig.cues.names == ("sea", "fire")
    for words in (("/streamvace/cue/move", "sea", "up"), ("/streamvace/cue/move", "sea", float("nan"))):
        assert len(rig.send(*words).complaints) == 1
    assert len(rig.send("/streamvace/cue/rename", "a", "b", "c").complaints) == 1


def test_the_next_cue_its_time_and_the_running_fade_are_told(rig: Rig) -> None:
    player = rig.inbox.commands.player
    still = {"cue_fade": 0.0, "cue_left": 0.0, "cue_follows_in": 0.0, "cue_waits": 0.0}
    still |= {"cue_coming": "", "cue_clock": 0.0}
    assert player.figures() == {"cue": "", "cue_next": "blue", "cue_next_fade": 2.0} | still
    rig.send("/streamvace/cue/go")
    rig.wait(0.5)
    figures = player.figures()
    assert figures == still | {
        "cue": "blue",
        "cue_next": "red",
        "cue_next_fade": 4.0,
        "cue_fade": 2.0,
        "cue_left": 1.5,
    }
    rig.send(FADE_TIME, 8.0)
    rig.wait(1.5)
    figures = player.figures()
    assert (figures["cue_next_fade"], figures["cue_fade"], figures["cue_left"]) == (8.0, 0.0, 0.0)


def test_when_the_next_cue_follows_is_set_counted_from_each_recall_and_taken_away(rig: Rig) -> None:
    player = rig.inbox.commands.player
    rig.send("/streamvace/cue/follow", "blue", 8)
    assert [tile["follow"] for tile in rig.cues.tiles()] == [8.0, None]
    rig.send("/streamvace/cue/go")
    assert (player.figures()["cue_follows_in"], player.figures()["cue_coming"]) == (8.0, "red")
    rig.wait(3.0)
    assert player.figures()["cue_follows_in"] == 5.0
    rig.send("/streamvace/cue/go")
    assert player.figures()["cue_follows_in"] == 0.0, "red waits for Go"
    rig.send("/streamvace/cue/follow", "blue")
    rig.send(RECALL, "blue")
    assert player.figures()["cue_follows_in"] == 0.0
    for words in (("blue", 0.1), ("blue", "soon"), ("blue", True), ("nobody", 4.0), ()):
        assert len(rig.send("/streamvace/cue/follow", *words).complaints) == 1


def test_a_cue_stands_by_for_the_next_go(rig: Rig) -> None:
    rig.send(RECALL, "red")
    rig.send("/streamvace/cue/standby", "red")
    assert rig.inbox.commands.player.figures()["cue_next"] == "red"
    assert rig.parameters.snapshot()[SCALE] != 0.5
    assert len(rig.send("/streamvace/cue/standby", "nobody").complaints) == 1
    assert len(rig.send("/streamvace/cue/standby").complaints) == 1


def test_a_cue_is_recalled_by_its_number_and_gets_its_times_over_osc(rig: Rig) -> None:
    rig.send("/streamvace/cue/number", "red", 2.1)
    rig.send("/streamvace/cue/wait", 2.1, 3)
    rig.send("/streamvace/cue/at", "2.1", "bar 17.3")
    tile = rig.cues.tiles()[1]
    assert (tile["number"], tile["wait"], tile["at"]) == (2.1, 3.0, "bar 17.3")
    rig.send(RECALL, 2.1, 0.0)
    assert (rig.cues.current, rig.parameters.snapshot()[SCALE]) == ("red", 1.0)
    assert rig.inbox.seconds_to_next() == pytest.approx(3.0)
    rig.wait(3.0)
    assert rig.parameters.snapshot()[SCALE] == 1.5
    for name in ("number", "wait", "at"):
        rig.send(f"/streamvace/cue/{name}", "red")
    tile = rig.cues.tiles()[1]
    assert (tile["number"], tile["wait"], tile["at"]) == (None, 0.0, None)


def test_a_cue_with_a_time_is_set_a_look_ahead_before_it_and_waits_for_no_beat(rig: Rig) -> None:
    rig.look_ahead = 0.5
    rig.send("/streamvace/quantise", "4_bars")
    rig.send("/streamvace/cue/at", "blue", 10)
    rig.send("/streamvace/cue/start")
    assert rig.inbox.seconds_to_next() == pytest.approx(9.5)
    rig.wait(9.4)
    assert rig.cues.current == ""
    rig.wait(0.2)
    assert (rig.cues.current, rig.parameters.snapshot()[PROMPT]) == ("blue", "neon blue")


def test_a_cue_that_begins_after_its_wait_is_on_the_beat_like_one_by_hand(rig: Rig) -> None:
    rig.wait(0.1)
    rig.send("/streamvace/quantise", "beat")
    rig.send("/streamvace/cue/wait", "blue", 1)
    rig.send(RECALL, "blue", 0.0)
    rig.wait(1.1)
    assert rig.parameters.snapshot()[SCALE] == 1.0
    rig.wait(0.35)
    assert rig.parameters.snapshot()[SCALE] == 0.5


def test_what_comes_by_itself_is_listed_among_the_messages_as_the_shows_own(rig: Rig) -> None:
    rig.send("/streamvace/cue/follow", "blue", 1)
    rig.send(RECALL, "blue", 0.0)
    rig.wait(1.0)
    rig.inbox.monitor.end_turn()
    newest = rig.inbox.monitor.since(0)[-1]
    assert (newest["from"], newest["address"], newest["arguments"]) == ("the show", RECALL, "'red'")


def test_the_cue_that_stands_by_moves_along_the_list(rig: Rig) -> None:
    figures = rig.inbox.commands.player.figures
    rig.send("/streamvace/cue/standby_next", 1.0)
    rig.send("/streamvace/cue/standby_next", 0.0)
    assert figures()["cue_next"] == "red"
    rig.send("/streamvace/cue/standby_previous")
    assert (figures()["cue_next"], rig.cues.current) == ("blue", "")
    rig.send(RECALL, "blue")
    rig.send("/streamvace/cue/follow", "blue", 1)
    rig.send(RECALL, "blue")
    rig.send("/streamvace/cue/stop")
    rig.wait(9.0)
    assert rig.cues.current == "blue"


def test_a_list_of_prompts_steps_on_the_beat_whatever_changes_by_hand_wait_for(rig: Rig) -> None:
    """At 120, and beat 100 begins a bar."""
    family = "/streamvace/prompt_list"
    rig.send(f"{family}/unit", "beats")
    rig.send(f"{family}/step", 1.0)
    rig.send(f"{family}/fade", 0.25)
    rig.send("/streamvace/quantise", "4_bars")
    rig.send("/streamvace/quantise", "off")
    rig.send(f"{family}/prompts", "red", "blue")
    rig.wait(0.05)
    assert (rig.parameters.snapshot()[PROMPT], rig.parameters.snapshot().prompt_fade) == ("red", Fade(0.25))
    rig.send("/streamvace/quantise", "4_bars")
    rig.wait(0.05)
    assert rig.inbox.seconds_to_next() == pytest.approx(0.4)
    rig.wait(0.41)
    assert rig.parameters.snapshot()[PROMPT] == "blue"
    rig.send("/streamvace/quantise", "off")
    rig.send(f"{family}/next", 1.0)
    rig.send(f"{family}/next", 0.0)
    assert rig.parameters.snapshot()[PROMPT] == "red"
    rig.send(f"{family}/on", False)
    rig.wait(5.0)
    assert rig.parameters.snapshot()[PROMPT] == "red"
    assert rig.inbox.commands.figures()["prompt_list"] == "1 of 2; off"


def test_a_value_of_a_stored_cue_is_changed_without_a_change_of_what_plays(rig: Rig) -> None:
    rig.send(RECALL, "blue", 0.0)
    before = rig.parameters.snapshot()
    rig.send("/streamvace/cue/set", "blue", "context_scale", 0.75)
    rig.send("/streamvace/cue/set", "blue", NOISE, 0.2)
    rig.send("/streamvace/cue/set", "blue", "prompts", "red glass", 0.3, "neon blue", 0.7)
    rig.send("/streamvace/cue/set", "blue", "mask_invert true")
    rig.send("/streamvace/cue/set", "blue", "prompt")
    assert rig.parameters.snapshot() is before
    held = rig.cues.values("blue")
    assert {address: held[address] for address in (SCALE, NOISE, "/streamvace/mask_invert")} == {
        SCALE: 0.75,
        NOISE: pytest.approx(0.2),
        "/streamvace/mask_invert": True,
    }
    assert [text for text, _ in held["/streamvace/prompts"]] == ["red glass", "neon blue"]  # type: ignore[union-attr]
    assert PROMPT not in held
    rig.send("/streamvace/cue/undo")
    assert PROMPT in rig.cues.values("blue")
    for words, said in (
        (("blue", "context_scale", 9.0), "context_scale takes one float 0..2, got 9"),
        (("blue", "contxt", 1.0), "there is no parameter 'contxt'"),
        (("blue", "cue/recall", "x"), "cue/recall is an action"),
        (("blue", "seed"), "the cue 'blue' does not set 'seed'"),
        (("blue",), "takes a cue, an address and optionally a value"),
        (("green", "seed", 1), "there is no cue 'green'"),
    ):
        [complaint] = rig.send("/streamvace/cue/set", *words).complaints.values()
        assert said in complaint.line


def test_the_addresses_of_qlab_play_the_cues_once_they_are_switched_on(rig: Rig) -> None:
    rig.send("/streamvace/cue/number", "red", 2.5)
    for address in ("/go", "/cue/2.5/start"):
        rig.send(address)
    assert (rig.cues.current, rig.inbox.counters.unknown) == ("", 2)
    rig.send("/streamvace/qlab_addresses", True)
    rig.send("/cue/2.5/start", 0.0)
    assert rig.cues.current == ""
    rig.send("/cue/2.5/start", 1.0)
    assert rig.cues.current == "red"
    rig.send("/playhead/2.5")
    rig.send("/playhead/previous")
    rig.send("/go")
    assert rig.cues.current == "blue"
    [complaint] = rig.send("/cue/9/start").complaints.values()
    assert "there is no cue" in complaint.line
    rig.send("/cue/*/start")
    assert rig.cues.current == "blue"
