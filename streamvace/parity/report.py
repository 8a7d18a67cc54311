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


@dataclass
class Report:
    """The differences of one file.

    worst: largest absolute difference by kind of comparison, with its tolerance. defect: why the recording itself is
    wrong and not compared; empty if it is not.
    """

    name: str
    compared: int = 0
    calls: int = 0
    worst: dict[str, tuple[float, float]] = field(default_factory=dict)
    note: str = ""
    defect: str = ""

    def compare(self, kind: str, ours: Tensor, truth: Tensor, tolerance: float) -> None:
        """Compare one pair. A wrong shape or NaN counts as an infinite difference."""
        self.compared += 1
        difference = float("inf")
        if ours.shape == truth.shape:
            found = float((ours.cpu().double() - truth.cpu().double()).abs().max()) if truth.numel() else 0.0
            difference = found if found == found else float("inf")
        self.worst[kind] = (max(difference, self.worst.get(kind, (0.0, 0.0))[0]), tolerance)

    @property
    def passed(self) -> bool:
        """Something was compared and nothing exceeded its tolerance."""
        return self.compared > 0 and all(difference <= tolerance for difference, tolerance in self.worst.values())

    def closest(self) -> tuple[str, float, float]:
        """The comparison that came closest to its tolerance (or exceeded it most): kind, difference, tolerance."""
        kind = max(self.worst, key=lambda k: self.worst[k][0] / self.worst[k][1])
        return kind, *self.worst[kind]
