"""The level of a modulator at a moment, 0..1, before attack and release. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from streamvace.control.fades import CURVES
from streamvace.control.transport import Moment
from streamvace.modulators.settings import Settings
from streamvace.modulators.shapes import SHAPES


@dataclass(frozen=True, slots=True)
class Turns:
    """Cycles that run on from a moment in seconds: a rate that changes bends them and never jumps."""

    at: float
    turns: float
    rate: float

    def when(self, moment: float) -> float:
        """Cycles at a moment."""
        return self.turns + (moment - self.at) * self.rate

    def moved(self, moment: float, rate: float) -> Turns:
        """From this moment on at another rate."""
        return Turns(moment, self.when(moment), rate)


@dataclass(frozen=True, slots=True)
class World:
    """What the sources see.

    now: in seconds on the show's clock. beat: the transport at that moment. heard: the newest number of each OSC
    address that a modulator listens to. ahead: how many seconds after now the reader's values are seen. sound: what is
    heard, 0..1 by the choices of `/streamvace/mod/#/band`; empty for silence.
    """

    now: float
    beat: Moment
    heard: Mapping[str, float]
    ahead: float = 0.0
    sound: Mapping[str, float] = field(default_factory=dict)


def _lfo(settings: Settings, turns: Turns, world: World, ahead: float) -> float:
    return SHAPES[settings.shape](turns.when(world.now + ahead) + settings.phase, settings.number)


def _beat(settings: Settings, turns: Turns, world: World, ahead: float) -> float:
    beat = world.beat.beat + ahead * world.beat.tempo / 60 * world.beat.running
    return SHAPES[settings.shape](beat / settings.beats + settings.phase, settings.number)


def _envelope(settings: Settings, turns: Turns, world: World, ahead: float) -> float:
    # A hand cannot be foreseen: its envelope begins when the next picture that it can shape is seen.
    since = -1.0 if settings.fired is None else world.now + ahead - world.ahead - settings.fired
    cycles = since * settings.rate
    return SHAPES[settings.shape](cycles, settings.number) if 0 <= cycles < 1 else 0.0


def _value(settings: Settings, turns: Turns, world: World, ahead: float) -> float:
    return settings.value


def _osc(settings: Settings, turns: Turns, world: World, ahead: float) -> float:
    heard, span = world.heard.get(settings.osc_address), settings.osc_high - settings.osc_low
    if heard is None or span == 0:
        return 0.0
    return min(max((heard - settings.osc_low) / span, 0.0), 1.0)


def _sound(settings: Settings, turns: Turns, world: World, ahead: float) -> float:
    return world.sound.get(settings.band, 0.0)


SOURCES: Final[Mapping[str, Callable[[Settings, Turns, World, float], float]]] = {
    "lfo": _lfo,
    "beat": _beat,
    "envelope": _envelope,
    "value": _value,
    "osc": _osc,
    "sound": _sound,
}
"""Choice of `/streamvace/mod/#/source` -> its level, so many seconds `ahead` of the world's moment. What a hand does is
not known ahead."""


def level(settings: Settings, turns: Turns, world: World, ahead: float) -> float:
    """The level, turned upside down and bent as the settings say."""
    raw = SOURCES[settings.source](settings, turns, world, ahead)
    return CURVES[settings.curve](1 - raw if settings.invert else raw)
