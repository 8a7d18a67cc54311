"""`streamvace parity DIR`: replays recorded reference tensors through this project's networks.

A golden is `NAME.safetensors` with a sidecar `NAME.json` (configuration, call order, every argument). docs/parity.md
describes the format. `REPLAYS` selects the replay by the sidecar.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file

from streamvace.parity.batch import replay_batch
from streamvace.parity.codec import replay_scheduler, replay_taehv, replay_vace_encoding
from streamvace.parity.networks import PIPELINES
from streamvace.parity.report import Report, Sidecar, Tensors
from streamvace.parity.stream import replay_stream
from streamvace.parity.vae import is_wan_vae, replay_wan_vae
from streamvace.system.errors import UserError

Replay = Callable[[str, Sidecar, Tensors], Report]

REPLAYS: tuple[tuple[Callable[[Sidecar], bool], Replay], ...] = (
    (lambda meta: meta.get("pipeline") in PIPELINES, replay_stream),
    (lambda meta: "enc_width" in meta, replay_taehv),
    (lambda meta: "sinusoid_dtype" in meta, replay_scheduler),
    (lambda meta: "cases" in meta and "vae_stride" in meta, replay_vace_encoding),
    (lambda meta: "VaceWanModel" in meta.get("source", ""), replay_batch),
    (is_wan_vae, replay_wan_vae),
)
"""Tests of sidecars and their replays. The first match is used."""


FLOAT_ONLY = (replay_scheduler,)
"""Replays of what the product computes in fp32 and fp64, whatever the networks' precision."""


def replay_file(sidecar: Path, device: torch.device | None = None, dtype: torch.dtype = torch.float32) -> Report | None:
    """Replay one golden; None for an unknown format. device: the CPU by default. dtype: of the networks and
    their inputs; in 16 bits, rounding exceeds the tolerances, and `Report.relative` tells how far."""
    meta: Sidecar = json.loads(sidecar.read_text(encoding="utf-8"))
    for matches, replay in REPLAYS:
        if matches(meta):
            if replay in FLOAT_ONLY:
                dtype = torch.float32
            with torch.inference_mode():
                tensors = {
                    name: each.to(device or torch.device("cpu"), dtype if each.dtype == torch.float32 else each.dtype)
                    for name, each in load_file(sidecar.with_suffix(".safetensors")).items()
                }
                return replay(sidecar.stem, meta, tensors)
    return None


def replay_folder(folder: Path) -> Iterator[tuple[Path, Report | None]]:
    """Replay the goldens of a folder, in the order of their names. Raises UserError when there is none."""
    sidecars = sorted(path for path in folder.glob("*.json") if path.with_suffix(".safetensors").exists())
    if not sidecars:
        raise UserError(f"no goldens in {folder}: a golden is a pair NAME.json + NAME.safetensors")
    for sidecar in sidecars:
        yield sidecar, replay_file(sidecar)


def run_parity(folder: Path) -> int:
    """Print the table of a folder's goldens; 1 when any of them fails, 0 otherwise."""
    table = Table("file", "calls", "max abs difference", "tolerance", "verdict")
    failed = 0
    for sidecar, report in replay_folder(folder):
        if report is None:
            table.add_row(sidecar.stem, "-", "-", "-", "skipped: unknown format")
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
        console.width = 140  # a log file has no width, and wrapped verdicts are hard to search
    console.print(table)
    return 1 if failed else 0
