"""What is measured, where, and why a part is left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamvace.model.specs import pipeline

Figures = dict[str, Any]
"""What a part has measured: names to numbers, words, or rows (dicts); it must fit in JSON."""


class SkippedPart(Exception):
    """This part cannot run here; the message is the reason, for the report."""


@dataclass(frozen=True)
class Setup:
    """One measurement of a machine.

    device: as in `--device`. pipeline, size: of the parts that measure one pipeline; size is (width, height). chunks:
    steady chunks a figure is the median of. goldens: folder of recorded tensors, or None.
    """

    device: str
    pipeline: str
    size: tuple[int, int]
    chunks: int
    goldens: str | None = None

    @property
    def on_card(self) -> bool:
        """Whether the device is a CUDA card."""
        return self.device.startswith("cuda")

    def need_card(self) -> None:
        """Raises SkippedPart without a CUDA card."""
        if not self.on_card:
            raise SkippedPart(f"needs a CUDA card, the device is {self.device}")


MAIN_SIZE = (640, 368)
"""Of the paper's tables, as (width, height)."""


def main_setup(device: str, chunks: int, goldens: Path | None) -> Setup:
    """The setup of `benchmarks/gpu.py`: LongLive as in the paper on a card, the embedded model on a processor."""
    name = "longlive" if device.startswith("cuda") else "embedded"
    size = MAIN_SIZE if name == "longlive" else pipeline(name).default_size
    return Setup(device, name, size, chunks, None if goldens is None else str(goldens))
