"""The result of a replay: differences between a golden and this project's output."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

Sidecar = dict[str, Any]
Tensors = dict[str, Tensor]

CALL_TOLERANCE = 2e-5
"""Absolute, for one call with recorded inputs: correct fp32 runs differ by 2.9e-6, fp32 rotary angles add a little."""
LOOP_TOLERANCE = 5e-5
"""Absolute, for the closed loop, where errors of earlier chunks reach later ones."""
HALF_TOLERANCE = 0.03
"""Relative, for a replay in 16 bits: bf16 differs by 1 % in the networks and by 1.7 % in TAEHV."""


@dataclass
class Report:
    """The differences of one file.

    worst: largest absolute difference by kind of comparison, with its tolerance. relative: largest root mean square of
    a difference over that of the truth, by kind; what is small in 16 bits depends on the size of the values. defect:
    why the recording itself is wrong and not compared; empty if it is not.
    """

    name: str
    compared: int = 0
    calls: int = 0
    worst: dict[str, tuple[float, float]] = field(default_factory=dict)
    relative: dict[str, float] = field(default_factory=dict)
    note: str = ""
    defect: str = ""

    def compare(self, kind: str, ours: Tensor, truth: Tensor, tolerance: float) -> None:
        """Compare one pair. A wrong shape or NaN counts as an infinite difference."""
        self.compared += 1
        difference = relative = float("inf")
        if ours.shape == truth.shape:
            right = truth.cpu().double()
            error = ours.cpu().double() - right
            found = float(error.abs().max()) if truth.numel() else 0.0
            if found == found:
                difference, relative = found, float(error.norm() / right.norm().clamp_min(1e-12))
        self.worst[kind] = (max(difference, self.worst.get(kind, (0.0, 0.0))[0]), tolerance)
        self.relative[kind] = max(relative, self.relative.get(kind, 0.0))

    @property
    def passed(self) -> bool:
        """Something was compared and nothing exceeded its tolerance."""
        return self.compared > 0 and all(difference <= tolerance for difference, tolerance in self.worst.values())

    @property
    def near(self) -> bool:
        """Whether a replay in 16 bits differs by no more than its rounding."""
        return self.compared > 0 and max(self.relative.values()) <= HALF_TOLERANCE

    def closest(self) -> tuple[str, float, float]:
        """The comparison that came closest to its tolerance (or exceeded it most): kind, difference, tolerance."""
        kind = max(self.worst, key=lambda k: self.worst[k][0] / self.worst[k][1])
        return kind, *self.worst[kind]
