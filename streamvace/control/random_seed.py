"""A seed drawn at random. The number becomes the parameter's value, so cues, feedback and show logs keep it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from types import MappingProxyType

import osc_schema
from osc_schema import Value
from streamvace.control.parameters import Edit

SEED = "/streamvace/seed"
RANDOM = f"{SEED}/random"


def draw_seed() -> int:
    """A number from the whole range of the seed."""
    row = osc_schema.by_address()[SEED]
    assert row.minimum is not None
    assert row.maximum is not None
    return random.SystemRandom().randint(int(row.minimum), int(row.maximum))


def _set_seed(values: Mapping[str, Value], argument: Value) -> Mapping[str, Value]:
    return {SEED: draw_seed()}


EDITS: Mapping[str, Edit] = MappingProxyType({RANDOM: _set_seed})
