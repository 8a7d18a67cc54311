"""What waits for a beat: against a strict stand-in for the session, and once against Link itself."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.control.beats import BEATS_A_BAR, BPM, MASTER, QUANTISE, BeatGate
from streamvace.control.link import LinkClock, open_link
from streamvace.control.parameters import Parameters, Snapshot
from streamvace.control.transport import Transport
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command
from tests.control.test_transport import FakeSession
from tests.real_parts import require_package


def rows(quantise: str, master: str = "auto", bpm: float = 0.0, bar: int = 4) -> Snapshot:
    """The parameters of the beat."""
    return Parameters({QUANTISE: quantise, MASTER: master, BPM: bpm, BEATS_A_BAR: bar}).snapshot()


def gate_of(session: FakeSession, look_ahead_s: float = 0.0) -> BeatGate:
    return BeatGate(Transport(LinkClock(lambda: session)), lambda: look_ahead_s)


def test_off_never_opens_a_session() -> None:
    def open_session() -> FakeSession:
        raise AssertionError("nobody asked for Link")

    gate = BeatGate(Transport(LinkClock(open_session)))
    gate.follow(rows("off"))
    assert not gate.holding
    figures = gate.figures()
    assert (figures["beat"], figures["tempo"], figures["tempo_master"], figures["link_peers"]) == (0.0, 0.0, "none", 0)
    gate.close()


def test_it_joins_and_leaves_with_the_parameter() -> None:
    session = FakeSession()
    gate = gate_of(session)
    gate.follow(rows("bar"))
    assert session.enabled
    assert gate.holding
    gate.follow(rows("off"))
    assert not session.enabled
    assert not gate.holding
    gate.follow(rows("beat"))
    gate.close()
    assert not session.enabled


def test_alone_in_the_session_nothing_waits() -> None:
    session = FakeSession(peers=0)
    gate = gate_of(session)
    gate.follow(rows("bar"))
    assert not gate.holding
    assert gate.wait_s(400.0) == 0.0


@pytest.mark.parametrize(
    ("quantise", "now", "look_ahead_s", "beat", "wait_s"),
    [
        ("beat", 10.2, 0.0, 11.0, 0.4),
        ("beat", 10.2, 0.3, 11.0, 0.1),
        ("beat", 10.2, 0.5, 12.0, 0.4),
        ("bar", 10.2, 0.0, 12.0, 0.9),
        ("bar", 12.0, 0.0, 12.0, 0.0),
        ("bar", 11.0, 0.75, 16.0, 1.75),
        ("2_bars", 10.0, 0.0, 16.0, 3.0),
        ("4_bars", 16.5, 0.0, 32.0, 7.75),
    ],
)
def test_the_next_beat_is_the_first_that_can_still_be_seen_on_time(
    quantise: str, now: float, look_ahead_s: float, beat: float, wait_s: float
) -> None:
    """At 120 a beat is half a second."""
    session = FakeSession()
    session.now = now
    gate = gate_of(session, look_ahead_s)
    gate.follow(rows(quantise))
    assert gate.next_beat() == beat
    assert gate.wait_s(beat) == pytest.approx(wait_s)


@given(st.sampled_from(["beat", "bar", "4_bars"]), st.floats(-50, 1000), st.floats(20, 300), st.floats(0, 5))
def test_nothing_waits_longer_than_its_grid_and_everything_is_set_a_look_ahead_before_its_beat(
    quantise: str, now: float, tempo: float, look_ahead_s: float
) -> None:
    session = FakeSession(tempo)
    session.now = now
    gate = gate_of(session, look_ahead_s)
    gate.follow(rows(quantise))
    beat = gate.next_beat()
    assert beat % {"beat": 1, "bar": 4, "4_bars": 16}[quantise] == 0
    wait_s = gate.wait_s(beat)
    assert 0 <= wait_s <= 16 * 60 / tempo + 1e-6
    session.now += (wait_s + look_ahead_s) * tempo / 60
    assert session.now == pytest.approx(beat, abs=1e-6)


def test_when_the_session_counts_anew_nothing_waits_for_ever() -> None:
    session = FakeSession()
    session.now = 5000.5
    gate = gate_of(session)
    gate.follow(rows("bar"))
    beat = gate.next_beat()
    session.now = 3.0
    assert gate.wait_s(beat) == 0.0


def test_a_bar_has_as_many_beats_as_the_show_says() -> None:
    session = FakeSession()
    session.now = 10.0
    gate = gate_of(session)
    gate.follow(rows("2_bars", bar=3))
    assert gate.next_beat() == 12.0
    assert gate.figures()["bar_phase"] == pytest.approx(1 / 3, abs=1e-3)


def test_link_is_joined_by_choice_without_anything_that_waits_and_left_with_another_master() -> None:
    session = FakeSession()
    gate = gate_of(session)
    gate.follow(rows("off", "link"))
    assert session.enabled
    gate.follow(rows("bar", "own", bpm=100.0))
    assert not session.enabled
    assert gate.holding
    assert gate.figures()["tempo_master"] == "set"


def test_a_stopped_clock_holds_nothing_back() -> None:
    gate = BeatGate()
    gate.follow(rows("bar", "midi"))
    gate.transport.midi.tick(1.0)
    gate.transport.midi.stop()
    assert gate.figures()["tempo_master"] == "midi"
    assert not gate.holding
    assert gate.wait_s(400.0) == 0.0


@pytest.mark.parametrize("bpm", [0.0, 100.0])
def test_without_the_package_a_beat_of_ones_own_is_enough(bpm: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "aalink", None)
    gate = BeatGate()
    if not bpm:
        with pytest.raises(UserError):
            gate.follow(rows("beat", bpm=bpm))
        assert not gate.holding
        gate.transport.midi.open()
    gate.follow(rows("beat", bpm=bpm))
    assert gate.holding is bool(bpm)


def test_without_the_package_it_says_what_is_missing_and_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a small Linux the package is there, and a library of the system that it loads is not."""
    monkeypatch.setitem(__import__("sys").modules, "aalink", None)
    with pytest.raises(UserError, match=rf"\(import of aalink halted.*\): {re.escape(install_command('link'))}"):
        BeatGate().follow(rows("beat"))


def test_link_itself_two_sessions_find_each_other_and_share_the_beat() -> None:
    require_package("aalink", "pip install aalink")
    other = open_link()
    other.enabled = True
    gate = BeatGate()
    try:
        gate.follow(rows("bar"))
        deadline = time.monotonic() + 20
        while not gate.holding and time.monotonic() < deadline:
            time.sleep(0.02)
        assert gate.holding, "they did not find each other"
        figures = gate.figures()
        assert figures["tempo"] == 120.0
        assert isinstance(figures["beat"], float)
        assert abs(figures["beat"] - other.beat) < 1.0
        assert 0 <= gate.wait_s(gate.next_beat()) <= 2.0
    finally:
        gate.close()
        other.enabled = False
    assert not gate.holding
