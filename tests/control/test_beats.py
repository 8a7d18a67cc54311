"""What waits for a beat: against a strict stand-in for the session, and once against Link itself."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.control.beats import BeatGate, open_link
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command
from tests.real_parts import require_package


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


def test_off_never_opens_a_session() -> None:
    def open_session() -> FakeSession:
        raise AssertionError("nobody asked for Link")

    gate = BeatGate(open_session)
    gate.follow("off")
    assert not gate.holding
    assert gate.figures() == {"beat": 0.0, "tempo": 0.0, "link_peers": 0}
    gate.close()


def test_it_joins_and_leaves_with_the_parameter() -> None:
    session = FakeSession()
    gate = BeatGate(lambda: session)
    gate.follow("bar")
    assert session.enabled
    assert gate.holding
    gate.follow("off")
    assert not session.enabled
    assert not gate.holding
    gate.follow("beat")
    gate.close()
    assert not session.enabled


def test_alone_in_the_session_nothing_waits() -> None:
    session = FakeSession(peers=0)
    gate = BeatGate(lambda: session)
    gate.follow("bar")
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
    ],
)
def test_the_next_beat_is_the_first_that_can_still_be_seen_on_time(
    quantise: str, now: float, look_ahead_s: float, beat: float, wait_s: float
) -> None:
    """At 120 a beat is half a second."""
    session = FakeSession()
    session.now = now
    gate = BeatGate(lambda: session, lambda: look_ahead_s)
    gate.follow(quantise)
    assert gate.next_beat() == beat
    assert gate.wait_s(beat) == pytest.approx(wait_s)


@given(st.sampled_from(["beat", "bar"]), st.floats(-50, 1000), st.floats(20, 300), st.floats(0, 5))
def test_nothing_waits_longer_than_a_bar_and_everything_is_set_a_look_ahead_before_its_beat(
    quantise: str, now: float, tempo: float, look_ahead_s: float
) -> None:
    session = FakeSession(tempo)
    session.now = now
    gate = BeatGate(lambda: session, lambda: look_ahead_s)
    gate.follow(quantise)
    beat = gate.next_beat()
    assert beat % {"beat": 1, "bar": 4}[quantise] == 0
    wait_s = gate.wait_s(beat)
    assert 0 <= wait_s <= 4 * 60 / tempo + 1e-6
    session.now += (wait_s + look_ahead_s) * tempo / 60
    assert session.now == pytest.approx(beat, abs=1e-6)


def test_when_the_session_counts_anew_nothing_waits_for_ever() -> None:
    session = FakeSession()
    session.now = 5000.5
    gate = BeatGate(lambda: session)
    gate.follow("bar")
    beat = gate.next_beat()
    session.now = 3.0
    assert gate.wait_s(beat) == 0.0


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "aalink", None)
    with pytest.raises(UserError, match=re.escape(install_command("link"))):
        BeatGate().follow("beat")


def test_link_itself_two_sessions_find_each_other_and_share_the_beat() -> None:
    require_package("aalink", "pip install aalink")
    other = open_link()
    other.enabled = True
    gate = BeatGate()
    try:
        gate.follow("bar")
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
