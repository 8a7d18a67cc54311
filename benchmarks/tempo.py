"""How well the transport follows a MIDI clock: the phase error of a steady clock, and how soon a step is locked.

    python benchmarks/tempo.py

Virtual time: the ticks are computed, early or late by a uniform or a normal jitter, and the position is compared with
the true one at a random moment after every tick. A step is locked from the first beat on after which the phase stays
within 5 ms and the tempo within 2 %.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streamvace.control.midi_clock import TICKS
from streamvace.control.phase_lock import PhaseLock

JITTER_S = 0.003
SEEDS = 20

Jitter = Callable[[random.Random], float]
JITTERS: dict[str, Jitter] = {
    "uniform, 3 ms": lambda hand: hand.uniform(-JITTER_S, JITTER_S),
    "normal, deviation 3 ms": lambda hand: hand.gauss(0.0, JITTER_S),
}
STEPS = ((120.0, 121.0), (120.0, 128.0), (128.0, 120.0), (90.0, 140.0), (174.0, 87.0))


class Sample(NamedTuple):
    """beat: since the clock began. error_s: of the phase. tempo: found, in beats a minute; true: the clock's."""

    beat: float
    error_s: float
    tempo: float
    true: float


def play(parts: Sequence[tuple[int, float]], jitter: Jitter, seed: int) -> list[Sample]:
    """A clock of (beats, tempo) parts through the loop."""
    hand, lock = random.Random(seed), PhaseLock(60 / 120 / TICKS)
    samples: list[Sample] = []
    now, number = 10.0, 0
    for beats, tempo in parts:
        period = 60 / tempo / TICKS
        for _ in range(beats * TICKS):
            lock.tick(now + jitter(hand))
            share = hand.random()
            error = (lock.position(now + share * period) - number - share) * period
            samples.append(Sample(number / TICKS, error, 60 / TICKS / lock.period_s, tempo))
            now, number = now + period, number + 1
    return samples


def percentile(values: Sequence[float], share: float) -> float:
    """Of the values in order, the one at this share."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def locked_after(before: float, after: float, jitter: Jitter, seed: int) -> float:
    """Beats from a step of the tempo until it is locked."""
    samples = play(((40, before), (16, after)), jitter, seed)
    off = [
        each.beat - 40
        for each in samples
        if each.beat >= 40 and (abs(each.error_s) > 0.005 or abs(each.tempo / after - 1) > 0.02)
    ]
    return max(off, default=0.0)


def main() -> None:
    """Print both tables."""
    print("| steady clock | beats/min | phase error p95 | largest |\n| --- | --- | --- | --- |")
    for name, jitter in JITTERS.items():
        for tempo in (60.0, 120.0, 174.0):
            runs = [play(((120, tempo),), jitter, seed) for seed in range(SEEDS)]
            errors = [abs(each.error_s) * 1e3 for run in runs for each in run if each.beat >= 4]
            print(f"| {name} | {tempo:g} | {percentile(errors, 0.95):.2f} ms | {max(errors):.2f} ms |")
    print("\n| step, uniform jitter of 3 ms | locked after, median | worst |\n| --- | --- | --- |")
    for before, after in STEPS:
        beats = [locked_after(before, after, JITTERS["uniform, 3 ms"], seed) for seed in range(SEEDS)]
        print(f"| {before:g} to {after:g} | {percentile(beats, 0.5):.2f} beats | {max(beats):.2f} beats |")


if __name__ == "__main__":
    main()
