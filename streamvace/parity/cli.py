"""`streamvace parity DIR`: replay recorded reference tensors through this project's networks.

A golden is `NAME.safetensors` with a sidecar `NAME.json` (configuration, call order, every argument); the format is
described in docs/parity.md. Each file is replayed by the row of `REPLAYS` that its sidecar matches.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file
from torch import Tensor

from streamvace.system.errors import UserError

Sidecar = dict[str, Any]
Tensors = dict[str, Tensor]

CALL_TOLERANCE = 2e-5
"""Absolute, one call with recorded inputs: correct fp32 runs differ by 2.9e-6, fp32 rotary angles add a little."""
LOOP_TOLERANCE = 5e-5
"""Absolute, closed loop: errors of earlier chunks feed later ones."""


@dataclass
class Report:
    """What one file's replay found.

    worst: largest absolute difference by kind of comparison, with its tolerance. defect: why the recording itself is
    known to be wrong and is not compared, or empty.
    """

    name: str
    compared: int = 0
    calls: int = 0
    worst: dict[str, tuple[float, float]] = field(default_factory=dict)
    note: str = ""
    defect: str = ""

    def compare(self, kind: str, ours: Tensor, truth: Tensor, tolerance: float) -> None:
        """Compare one pair; a wrong shape or NaN counts as infinitely far."""
        self.compared += 1
        difference = float("inf")
        if ours.shape == truth.shape:
            found = float((ours.double() - truth.double()).abs().max()) if truth.numel() else 0.0
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


Replay = Callable[[str, Sidecar, Tensors], Report]


def _replays() -> tuple[tuple[Callable[[Sidecar], bool], Replay], ...]:
    from streamvace.parity import batch as parity_batch
    from streamvace.parity import codec as parity_codec
    from streamvace.parity import networks as parity_networks
    from streamvace.parity import stream as parity_stream
    from streamvace.parity import vae as parity_vae

    return (
        (lambda meta: meta.get("pipeline") in parity_networks.PIPELINES, parity_stream.replay_stream),
        (lambda meta: "enc_width" in meta, parity_codec.replay_taehv),
        (lambda meta: "sinusoid_dtype" in meta, parity_codec.replay_scheduler),
        (lambda meta: "cases" in meta and "vae_stride" in meta, parity_codec.replay_vace_encoding),
        (lambda meta: "VaceWanModel" in meta.get("source", ""), parity_batch.replay_batch),
        (parity_vae.is_wan_vae, parity_vae.replay_wan_vae),
    )


def replay_file(sidecar: Path) -> Report | None:
    """Replay one golden; None when no replay knows its format."""
    meta: Sidecar = json.loads(sidecar.read_text(encoding="utf-8"))
    for matches, replay in _replays():
        if matches(meta):
            with torch.inference_mode():
                return replay(sidecar.stem, meta, load_file(sidecar.with_suffix(".safetensors")))
    return None


def replay_folder(folder: Path) -> Iterator[tuple[Path, Report | None]]:
    """Replay every golden of a folder, in name order. Raises UserError when there is none."""
    sidecars = sorted(path for path in folder.glob("*.json") if path.with_suffix(".safetensors").exists())
    if not sidecars:
        raise UserError(f"no goldens in {folder}: pairs NAME.json + NAME.safetensors are needed")
    for sidecar in sidecars:
        yield sidecar, replay_file(sidecar)


def run_parity(folder: Path) -> int:
    """Print the table of a folder's goldens; 1 when any of them fails, 0 otherwise."""
    table = Table("file", "calls", "max abs difference", "tolerance", "verdict")
    failed = 0
    for sidecar, report in replay_folder(folder):
        if report is None:
            table.add_row(sidecar.stem, "-", "-", "-", "skipped: no replay for this format")
        elif report.defect:
            table.add_row(sidecar.stem, "-", "-", "-", f"not truth: {report.defect}")
        else:
            failed += not report.passed
            kind, difference, tolerance = report.closest()
            verdict = "equal" if report.passed else "DIFFERS"
            verdict += f" ({report.note})" if report.note else ""
            table.add_row(sidecar.stem, str(report.calls), f"{difference:.1e} ({kind})", f"{tolerance:.0e}", verdict)
    console = Console()
    if not console.is_terminal:
        console.width = 140  # a log has no width of its own; wrapped verdicts are hard to search
    console.print(table)
    return 1 if failed else 0
