"""`streamvace evaluate`: does the embedded model obey, and what is lost on the way from batch to stream?"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from streamvace.errors import UserError

if TYPE_CHECKING:
    from streamvace.embedded.judge.fidelity import Variant
    from streamvace.model.autoencoder.tiny import TinyAE

app = typer.Typer(add_completion=False)
console = Console(stderr=True)
PAPER = ("base", "context", "causal")


@app.command()
def evaluate(
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON instead.")] = False,
    clips: Annotated[int, typer.Option("--clips", min=1, help="Held-out clips a figure.")] = 64,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Noise seeds a clip.")] = 3,
    task: Annotated[
        list[str] | None, typer.Option("--task", help="Only this part of the table; may be repeated.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Judge the training checkpoints there, not the shipped weights.")
    ] = None,
    drift_frames: Annotated[int, typer.Option("--drift", help="Also stream so many frames and compare the ends.")] = 0,
) -> None:
    """Measure control, words, inpainting and seams of the embedded model on scenes it has never seen.

    Every figure is a mean over clips and seeds with its 95 % interval, beside its ceiling (the true frames, the codec's
    round trip) and its floor (a plainly wrong case). With --folder and the checkpoints of the stages `base`, `context`
    and `causal` the table also has the paper's transfer: context blocks trained on the bidirectional base, run in batch
    with it, and streamed with its causal student.
    """
    from streamvace.embedded.judge.fidelity import TASKS, fidelity
    from streamvace.embedded.judge.fidelity import as_json as plain

    tasks = tuple(task or TASKS)
    if unknown := [name for name in tasks if name not in TASKS]:
        raise UserError(f"--task {unknown[0]!r}: there is {', '.join(TASKS)}")
    variants, codec = _variants(folder)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        line = bar.add_task("rendering")
        cells = list(
            fidelity(variants, codec, clips, seeds, tasks, progress=lambda text: bar.update(line, description=text))
        )
    drifts = _drifts(drift_frames) if drift_frames else {}
    if as_json:
        typer.echo(json.dumps({"clips": clips, "seeds": seeds, "cells": plain(cells), "drift": drifts}, indent=1))
        return
    names = list(dict.fromkeys(cell.variant for cell in cells))
    table = Table("task", "condition", Column("figure", no_wrap=True), *names)
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for cell in cells:
        rows.setdefault((cell.task, cell.condition, cell.judge), {})[cell.variant] = str(cell.figure)
    for key, values in rows.items():
        table.add_row(*key, *(values.get(name, "") for name in names))
    Console().print(table)
    for name, figures in drifts.items():
        Console().print(f"drift, {name}: {figures}")


def _variants(folder: Path | None) -> tuple[list[Variant], TinyAE]:
    """The networks to judge and the codec they share."""
    from streamvace.embedded.judge.fidelity import Variant
    from streamvace.embedded.train.config import load_config
    from streamvace.embedded.train.package import load_package, stage_network, trained_codec

    if folder is None:
        net, codec = load_package()
        return [Variant("batch", net, False), Variant("streamed", net, True)], codec

    codec = trained_codec(replace(load_config(), folder=folder))[0]
    demo = stage_network(folder, "demo")
    variants = [Variant("demo batch", demo, False), Variant("demo streamed", demo, True)]
    if all((folder / f"{name}.pt").exists() for name in PAPER):
        whole, student = stage_network(folder, "context"), stage_network(folder, "causal")
        student.context.load_state_dict(whole.context.state_dict())
        variants += [Variant("A+C batch", whole, False), Variant("B+C streamed", student, True)]
    else:
        needed = ", ".join(f"{name}.pt" for name in PAPER)
        console.print(f"the paper's transfer is left out: it needs {needed} in {folder}")
    return variants, codec


def _drifts(frames: int) -> dict[str, dict[str, float]]:
    from streamvace.embedded.judge.drift import drift
    from streamvace.generator import Generator

    generator = Generator.load("embedded")
    prompts = ("glossy red ball on blue and purple plasma background", "neon cyan ring", "thermal")
    return {prompt: asdict(drift(generator, frames, prompt, seed=1)) for prompt in prompts}
