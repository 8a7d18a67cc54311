"""Drums that are made, with the moments at which they are hit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvace.sound.analysis import RATE

Sound = NDArray[np.float32]


def _decay(seconds: float, time: float) -> NDArray[np.float64]:
    return np.exp(-np.arange(round(seconds * RATE)) / RATE / time)


def kick(hand: np.random.Generator) -> NDArray[np.float64]:
    """A tone that falls from 150 to 50 Hz."""
    when = np.arange(round(0.3 * RATE)) / RATE
    return 0.9 * np.sin(2 * np.pi * (50 * when + 100 * 0.03 * (1 - np.exp(-when / 0.03)))) * _decay(0.3, 0.1)


def snare(hand: np.random.Generator) -> NDArray[np.float64]:
    """Noise over a tone of 190 Hz."""
    when = np.arange(round(0.2 * RATE)) / RATE
    return (0.4 * hand.standard_normal(len(when)) + 0.3 * np.sin(2 * np.pi * 190 * when)) * _decay(0.2, 0.05)


def hat(hand: np.random.Generator) -> NDArray[np.float64]:
    """Noise without its lower half."""
    noise = hand.standard_normal(round(0.08 * RATE))
    return 0.25 * np.diff(noise, prepend=0.0) * _decay(0.08, 0.02)


def pad(seconds: float, hand: np.random.Generator) -> NDArray[np.float64]:
    """A chord that wavers slowly, and hiss."""
    when = np.arange(round(seconds * RATE)) / RATE
    chord = sum(
        0.05 * np.sin(2 * np.pi * pitch * when + 0.3 * np.sin(2 * np.pi * 4.5 * when))
        for pitch in (220, 277.2, 329.6, 440)
    )
    return np.asarray(chord) * (0.7 + 0.3 * np.sin(2 * np.pi * 0.4 * when)) + 0.002 * hand.standard_normal(len(when))


def groove(
    tempo: float, bars: int, seed: int, *, with_pad: bool = True, gain: float = 1.0
) -> tuple[Sound, list[float]]:
    """Sound, and the seconds of the hits: kick on every beat, snare on 2 and 4, hat on every eighth, some left out."""
    hand, eighth = np.random.default_rng(seed), 30 / tempo
    seconds = bars * 8 * eighth + 1.0
    sound = pad(seconds, hand) if with_pad else np.zeros(round(seconds * RATE))
    hits = []
    for step in range(bars * 8):
        drums = [hat] if hand.random() < 0.8 else []
        drums += [kick] if step % 2 == 0 else []
        drums += [snare] if step % 4 == 2 else []
        at = 0.5 + step * eighth
        for drum in drums:
            stroke = drum(hand) * hand.uniform(0.6, 1.0)
            begin = round(at * RATE)
            sound[begin : begin + len(stroke)] += stroke[: len(sound) - begin]
        hits += [at] if drums else []
    return (gain * sound).astype(np.float32), hits


def f_measure(found: list[float], true: list[float], within: float = 0.05) -> float:
    """Of hits that were found, each paired with at most one true one."""
    left, matched = list(true), 0
    for when in found:
        near = min(left, key=lambda each: abs(each - when), default=None)
        if near is not None and abs(near - when) <= within:
            left.remove(near)
            matched += 1
    return 2 * matched / max(len(found) + len(true), 1)
