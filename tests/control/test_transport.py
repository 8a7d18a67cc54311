"""One transport and its masters: who leads, what a loss does, and what the hand may do to the beat."""

from __future__ import annotations

import pytest

from streamvace.control.link import LinkClock
from streamvace.control.midi_clock import MidiClock
from streamvace.control.transport import Transport
from streamvace.system.errors import UserError


class FakeSession:
    """What `aalink.Link` is to us. Strict: out of the session it has no beat worth asking for."""

    def __init__(self, tempo: float = 120.0, peers: int = 1) -> None:
        self.enabled = False
        self.tempo = tempo
        self.peers = peers
        self.now = 0.0

    @property
    def beat(self) -> float:
        assert self.enabled, "asked for the beat before joining"
        return self.now

    @property
    def num_peers(self) -> int:
        return self.peers if self.enabled else 0


class Rig:
    """A transport on a clock that stands until it is moved. MIDI and Link play on while they are on."""

    def __init__(self) -> None:
        self.time = 100.0
        self.session = FakeSession()
        self.midi_plays = False
        self.lines: list[str] = []
        self.midi = MidiClock()
        self.transport = Transport(
            LinkClock(lambda: self.session), self.midi, lost=self.lines.append, clock=lambda: round(self.time * 1e9)
        )
        self._due = 0.0

    def play_midi(self, bpm: float = 120.0) -> None:
        self.midi_plays, self._period, self._due = True, 60 / bpm / 24, self.time
        self.midi.start()

    def wait(self, seconds: float) -> None:
        end = self.time + seconds
        while self.midi_plays and self._due <= end:
            self.midi.tick(self._due)
            self._due += self._period
        self.session.now += seconds * self.session.tempo / 60
        self.time = end

    def tap(self, times: int, interval: float) -> float:
        tempo = 0.0
        for number in range(times):
            if number:
                self.wait(interval)
            tempo = self.transport.tap()
        return tempo

    @property
    def moment(self) -> tuple[float, float, bool, str]:
        now = self.transport.now()
        return round(now.beat, 2), round(now.tempo, 1), now.running, now.master


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_without_a_master_there_is_no_beat(rig: Rig) -> None:
    assert rig.moment == (0.0, 0.0, False, "none")


def test_a_set_tempo_runs_from_the_moment_it_is_set_and_keeps_its_beat_when_it_changes(rig: Rig) -> None:
    rig.transport.set_tempo(120)
    rig.wait(1.25)
    assert rig.moment == (2.5, 120, True, "set")
    rig.transport.set_tempo(60)
    rig.wait(1.0)
    assert rig.moment == (3.5, 60, True, "set")
    rig.transport.set_tempo(0)
    assert rig.moment == (0.0, 0.0, False, "none")


def test_taps_lead_from_the_fourth_on(rig: Rig) -> None:
    assert rig.tap(3, 0.5) == 0.0
    assert rig.moment[3] == "none"
    assert rig.transport.taps() == (3, pytest.approx(120))
    rig.wait(0.5)
    assert rig.transport.tap() == 120.0
    assert rig.moment == (3.0, 120, True, "tap")
    rig.wait(2.1)
    assert rig.transport.taps() == (0, 0.0)


def test_taps_move_a_beat_that_runs_to_the_nearest_beat(rig: Rig) -> None:
    rig.transport.set_tempo(120)
    rig.wait(0.1)
    rig.tap(4, 0.5)
    assert rig.moment == (3.0, 120, True, "tap")


@pytest.mark.parametrize(("choice", "leads"), [("auto", "midi"), ("midi", "midi"), ("link", "link"), ("own", "set")])
def test_the_choice_says_who_leads_when_all_are_there(rig: Rig, choice: str, leads: str) -> None:
    rig.transport.set_tempo(90)
    rig.transport.link.join()
    rig.play_midi()
    rig.transport.choose(choice)
    rig.wait(1.0)
    assert rig.moment[3] == leads


def test_none_stops_every_beat(rig: Rig) -> None:
    rig.transport.set_tempo(90)
    rig.play_midi()
    rig.wait(1)
    rig.transport.choose("none")
    assert rig.moment == (0.0, 0.0, False, "none")


def test_auto_takes_a_stopped_midi_clock_only_if_nothing_runs(rig: Rig) -> None:
    rig.transport.link.join()
    rig.play_midi()
    rig.wait(1.0)
    rig.midi.stop()
    assert rig.moment[3] == "link"
    rig.transport.link.leave()
    rig.transport.release_link()
    assert rig.moment[2:] == (False, "midi")


def test_a_lost_master_is_said_once_and_the_beat_runs_on(rig: Rig) -> None:
    rig.play_midi(128)
    rig.wait(4.0)
    beat = rig.transport.now().beat
    rig.midi_plays = False
    rig.wait(1.0)
    rig.transport.now()
    rig.wait(1.0)
    assert rig.moment == (round(beat + 2 * 128 / 60, 2), 128, True, "free")
    assert rig.lines == ["the MIDI clock is gone; the beat runs on at 128.0 beats/min"]
    assert rig.transport.losses == 1


def test_a_master_that_comes_back_leads_again_and_its_next_loss_is_said_again(rig: Rig) -> None:
    rig.play_midi()
    rig.wait(1)
    rig.transport.now()
    rig.midi_plays = False
    rig.wait(1)
    assert rig.moment[3] == "free"
    rig.play_midi(90)
    rig.wait(2)
    assert rig.moment == (3.0, 90, True, "midi")
    rig.midi_plays = False
    rig.wait(1)
    rig.transport.now()
    assert len(rig.lines) == 2


def test_link_peers_that_leave_are_a_loss_and_leaving_the_session_is_none(rig: Rig) -> None:
    rig.transport.link.join()
    rig.wait(1.0)
    assert rig.moment == (2.0, 120, True, "link")
    rig.session.peers = 0
    rig.wait(1.0)
    assert rig.moment == (4.0, 120, True, "free")
    rig.transport.release_link()
    assert rig.moment[3] == "none"
    assert len(rig.lines) == 1


def test_a_tempo_that_is_set_ends_a_beat_that_lost_its_master(rig: Rig) -> None:
    rig.play_midi()
    rig.wait(1)
    rig.transport.now()
    rig.midi_plays = False
    rig.wait(1)
    rig.transport.now()
    rig.transport.set_tempo(100)
    assert rig.moment == (4.0, 100, True, "set")


def test_a_tap_on_a_followed_beat_is_refused_with_what_to_do(rig: Rig) -> None:
    rig.play_midi()
    rig.wait(1)
    with pytest.raises(UserError, match="the MIDI clock leads; set /streamvace/tempo/master to own first"):
        rig.transport.tap()
    rig.transport.choose("own")
    assert rig.tap(4, 0.6) == 100.0


def test_resync_makes_this_moment_the_first_beat_also_of_a_followed_beat(rig: Rig) -> None:
    rig.play_midi()
    rig.wait(1.25)
    rig.transport.resync()
    rig.wait(0.5)
    assert rig.moment == (1.0, 120, True, "midi")


def test_double_and_half_count_a_followed_beat_faster_and_slower(rig: Rig) -> None:
    rig.play_midi()
    rig.wait(1.0)
    assert rig.transport.scale(2.0) == 0.0
    assert rig.moment[:2] == (4.0, 240)
    rig.wait(1.0)
    assert rig.moment[0] == 8.0
    rig.transport.scale(0.5)
    assert rig.moment[:2] == (4.0, 120)


def test_double_and_half_of_the_own_tempo_tell_the_new_tempo(rig: Rig) -> None:
    rig.transport.set_tempo(100)
    rig.wait(0.6)
    assert rig.transport.scale(2.0) == 200.0
    assert rig.moment[:2] == (2.0, 200)
    with pytest.raises(UserError, match="20 to 300 beats/min, got 400"):
        rig.transport.scale(2.0)


def test_a_nudge_moves_the_beat_and_nothing_else(rig: Rig) -> None:
    rig.play_midi()
    rig.wait(1.0)
    before = rig.transport.now().beat
    rig.transport.nudge(0.01)
    assert rig.transport.now().beat == pytest.approx(before - 0.02)
    rig.wait(2.0)
    assert rig.transport.now().beat == pytest.approx(before - 0.02 + 4, abs=1e-3)


@pytest.mark.parametrize("act", ["resync", "nudge", "scale"])
def test_without_a_tempo_the_hand_gets_a_line(rig: Rig, act: str) -> None:
    calls = {
        "resync": rig.transport.resync,
        "nudge": lambda: rig.transport.nudge(0.1),
        "scale": lambda: rig.transport.scale(2.0),
    }
    with pytest.raises(UserError, match="needs a tempo: tap it"):
        calls[act]()


def test_a_midi_input_that_is_closed_is_said_and_is_no_loss(rig: Rig) -> None:
    rig.midi.open()
    rig.play_midi(128)
    rig.wait(4.0)
    assert rig.moment[3] == "midi"
    rig.midi_plays = False
    rig.midi.close()
    assert rig.moment[1:] == (128, True, "free")
    assert rig.lines == ["the MIDI input was closed; the beat runs on at 128.0 beats/min"]
    assert rig.transport.losses == 0
    rig.midi.open()
    rig.play_midi(100)
    rig.wait(4.0)
    assert rig.moment[1:] == (100, True, "midi")
