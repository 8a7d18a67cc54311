"""Where in the network the control acts: one factor per context block, from a curve over any number of blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

CURVES: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {
        "flat": lambda depth: 1.0,
        "early": lambda depth: 1.0 - depth,
        "late": lambda depth: depth,
        "middle": lambda depth: 1.0 - abs(2.0 * depth - 1.0),
        "ends": lambda depth: abs(2.0 * depth - 1.0),
    }
)
"""Name to strength 0..1 at a depth from 0 (the first context block) to 1 (the last)."""


def block_scales(curve: str, contrast: float, blocks: int) -> tuple[float, ...]:
    """One factor 0..1 per context block; empty: all 1.

    contrast: 0..1, how far the weakest block is turned down; 1: to 0.
    """
    if curve == "flat" or contrast == 0:
        return ()
    depths = [index / max(1, blocks - 1) for index in range(blocks)]
    return tuple(1.0 - contrast * (1.0 - CURVES[curve](depth)) for depth in depths)
