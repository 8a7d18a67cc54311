"""Sound to numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamvace.sound.analysis import BANDS, HOP, HOP_S, LEVELS, RATE, WINDOW, Analysis, Heard
from tests.sound.drums import Sound, f_measure, groove, pad


def tone(hertz: float, seconds: float = 1.0, gain: float = 0.5) -> Sound:
    return (gain * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def hits(sound: Sound) -> list[float]:
    """The seconds at which hits are heard."""
    return [(number + 1) * HOP_S for number, each in enumerate(Analysis().feed(sound)) if each.hit]


@pytest.mark.parametrize("gain", [1.0, 0.05])
@pytest.mark.parametrize("with_pad", [True, False], ids=["with a chord", "alone"])
@pytest.mark.parametrize("tempo", [90, 128, 174])
def test_nine_of_ten_drums_are_heard_and_nine_of_ten_hits_are_drums(tempo: int, with_pad: bool, gain: float) -> None:
    found, true = [], []
    for seed in range(3):
        sound, struck = groove(tempo, 4, seed, with_pad=with_pad, gain=gain)
        begins = seed * 1000.0
        found += [begins + when for when in hits(sound)]
        true += [begins + when for when in struck]
    assert f_measure(found, true) > 0.9


def test_what_does_not_strike_is_no_hit() -> None:
    hand = np.random.default_rng(1)
    assert hits(np.zeros(10 * RATE, np.float32)) == []
    assert hits((0.0004 * hand.standard_normal(10 * RATE)).astype(np.float32)) == [], "the hiss of an empty input"
    assert len(hits((0.05 * hand.standard_normal(10 * RATE)).astype(np.float32))) <= 2
    assert len(hits(pad(10.0, hand).astype(np.float32))) <= 1


def test_within_80_ms_there_is_one_hit() -> None:
    sound = np.zeros(2 * RATE, np.float32)
    for at in (0.5, 0.54, 0.7):
        begin = round(at * RATE)
        sound[begin : begin + 480] = np.random.default_rng(0).standard_normal(480).astype(np.float32) * 0.5
    found = hits(sound)
    assert len(found) == 2
    assert found == pytest.approx([0.5, 0.7], abs=0.025)


@pytest.mark.parametrize("name", BANDS)
def test_a_tone_is_in_its_band_and_in_no_other(name: str) -> None:
    low, high = BANDS[name]
    heard = Analysis().feed(tone((max(low, 40) * high) ** 0.5))[-1]
    assert heard.levels[name] == pytest.approx(1.0, abs=0.05)
    others = [heard.levels[other] for other in BANDS if other != name]
    loud = Analysis()
    loud.feed(np.random.default_rng(0).standard_normal(RATE).astype(np.float32))
    after = loud.feed(tone((max(low, 40) * high) ** 0.5))[-1]
    assert max(after.levels[other] for other in BANDS if other != name) < 0.1, others


def test_a_quiet_song_moves_as_much_as_a_loud_one_and_silence_is_not_turned_up() -> None:
    loud, quiet = (Analysis().feed(groove(120, 2, 0, gain=gain)[0]) for gain in (1.0, 0.1))
    levels = [[each.levels["level"] for each in side[60:]] for side in (quiet, loud)]
    assert levels[0] == pytest.approx(levels[1], abs=0.03)
    assert quiet[100].loudness == pytest.approx(loud[100].loudness / 10, rel=1e-3)
    hiss = Analysis().feed((0.0003 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32))
    assert {each.levels["level"] for each in hiss} == {0.0}


def test_loudness_is_that_of_the_sound_as_it_came() -> None:
    assert Analysis().feed(tone(440, gain=1.0))[-1].loudness == pytest.approx(0.707, abs=0.02)


def test_the_fast_follower_is_there_at_once_and_the_slow_one_takes_its_time() -> None:
    sound = np.concatenate((np.zeros(RATE, np.float32), tone(440, 0.2), np.zeros(RATE, np.float32)))
    heard = Analysis().feed(sound)

    def at(seconds: float, name: str) -> float:
        return heard[round(seconds / HOP_S)].levels[name]

    assert at(1.1, "fast") > 0.95 > 0.35 > at(1.1, "slow") > 0.1
    assert at(1.6, "fast") < 0.15 < at(1.6, "slow")


@settings(max_examples=20, deadline=None)
@given(lengths=st.lists(st.integers(0, 3000), min_size=1, max_size=12))
def test_it_makes_no_difference_in_what_pieces_the_sound_comes(lengths: list[int]) -> None:
    sound = groove(128, 1, 0)[0][: sum(lengths)]
    whole, pieces, parts = Analysis().feed(sound), Analysis(), list[Heard]()
    for begin, length in zip(np.cumsum([0, *lengths[:-1]]), lengths, strict=True):
        parts += pieces.feed(sound[begin : begin + length])
    assert parts == whole
    assert len(whole) == max(0, (len(sound) + WINDOW - HOP - WINDOW) // HOP + 1)


@settings(max_examples=20, deadline=None)
@given(data=st.binary(min_size=4 * HOP, max_size=16 * HOP))
def test_whatever_a_driver_gives_the_levels_stay_between_0_and_1(data: bytes) -> None:
    for heard in Analysis().feed(np.frombuffer(data[: len(data) // 4 * 4], np.float32)):
        assert set(heard.levels) == set(LEVELS)
        assert all(0.0 <= value <= 1.0 for value in (*heard.levels.values(), heard.hit, heard.loudness))
