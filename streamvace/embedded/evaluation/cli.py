"""`streamvace evaluate`: how well the embedded model follows its inputs, and what is lost from batch to stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from streamvace.model.specs import PIPELINES
from streamvace.system.errors import UserError

if TYPE_CHECKING:
    from streamvace.embedded.evaluation.confidence import Cell
    from streamvace.embedded.evaluation.fidelity import Variant
    from streamvace.model.autoencoder.tiny import TinyAE
    from streamvace.stream.generator import Generator

app = typer.Typer(add_completion=False)
console = Console(stderr=True)
PAPER = ("base", "context", "causal")
LIVE_TASKS = ("references", "drift")
"""Evaluated on the live generator, because these modes exist nowhere else."""
REFERENCE_CLIPS = 16
"""Maximum number of clips for the task references: each is streamed eight times."""
REFERENCE_FRAMES = 33
"""Three chunks."""


@app.command()
def evaluate(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    clips: Annotated[int, typer.Option("--clips", min=1, help="Number of held-out clips per figure.")] = 64,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Number of noise seeds per clip.")] = 3,
    task: Annotated[list[str] | None, typer.Option("--task", help="Run only this task. Can be repeated.")] = None,
    condition: Annotated[
        list[str] | None, typer.Option("--condition", help="Run only this control condition. Can be repeated.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder", help="Evaluate the training checkpoints in this folder instead of the shipped weights."
        ),
    ] = None,
    drift_frames: Annotated[int, typer.Option("--drift", min=1, help="Number of frames for the drift task.")] = 240,
) -> None:
    """Measure control, prompt, inpainting and seams of the embedded model on scenes that it was not trained on.

    Every figure is a mean over clips and seeds with its 95 % interval. It is shown beside its ceiling (the true frames,
    the codec's round trip) and its floor (a deliberately wrong case). With --folder and checkpoints of the stages
    `base`, `context` and `causal`, the table also shows the transfer that the paper describes: context blocks trained
    on the bidirectional base, run in batch with that base, and streamed with its causal student. The task `drift`
    compares the start and the end of a long stream.
    """
    from streamvace.embedded.evaluation.fidelity import CONDITIONS, TASKS, fidelity
    from streamvace.embedded.evaluation.fidelity import as_json as plain

    tasks = _chosen("--task", task, (*TASKS, *LIVE_TASKS))
    conditions = _chosen("--condition", condition, tuple(CONDITIONS))
    variants, codec = _variants(folder)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        line = bar.add_task("rendering")

        def progress(text: str) -> None:
            bar.update(line, description=text)

        offline = tuple(name for name in tasks if name in TASKS)
        cells = list(fidelity(variants, codec, clips, seeds, offline, conditions, progress=progress))
        live = [name for name in tasks if name in LIVE_TASKS]
        cells += _live_cells(variants, codec, live, min(clips, REFERENCE_CLIPS), drift_frames, seeds, progress)
    if as_json:
        typer.echo(json.dumps({"clips": clips, "seeds": seeds, "cells": plain(cells)}, indent=1))
        return
    names = list(dict.fromkeys(cell.variant for cell in cells))
    table = Table("task", "condition", Column("figure", no_wrap=True), *names)
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for cell in cells:
        rows.setdefault((cell.task, cell.condition, cell.judge), {})[cell.variant] = str(cell.figure)
    for key, values in rows.items():
        table.add_row(*key, *(values.get(name, "") for name in names))
    Console().print(table)


def _chosen(option: str, given: list[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := [name for name in given or () if name not in known]:
        raise UserError(f"{option} {unknown[0]!r}: there is {', '.join(known)}")
    return tuple(given or known)


def _variants(folder: Path | None) -> tuple[list[Variant], TinyAE]:
    """The networks to evaluate and the codec that they share."""
    from streamvace.embedded.evaluation.fidelity import Variant
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
        console.print(f"the paper's transfer is skipped: it needs {needed} in {folder}")
    return variants, codec


def _live_cells(
    variants: list[Variant],
    codec: TinyAE,
    tasks: list[str],
    clips: int,
    drift_frames: int,
    seeds: int,
    progress: Callable[[str], None],
) -> Iterator[Cell]:
    """Cells of LIVE_TASKS."""
    from streamvace.embedded.evaluation.drift import drift_cells, steady
    from streamvace.embedded.evaluation.references import ends_of_the_scale, make_clip, reference_cells

    if not tasks:
        return
    size = PIPELINES["embedded"].default_size
    shown = [make_clip(number, REFERENCE_FRAMES, size) for number in range(clips if "references" in tasks else 0)]
    if shown:
        yield from ends_of_the_scale(shown)
    if "drift" in tasks:
        yield from steady(size, drift_frames)
    for variant in variants:
        generator = _live(variant, codec)
        if shown:
            yield from reference_cells(variant.name, generator, shown, variant.streamed, progress)
        if "drift" in tasks and variant.streamed:
            yield from drift_cells(variant.name, generator, drift_frames, seeds, progress)


def _live(variant: Variant, codec: TinyAE) -> Generator:
    """The live generator with the networks of a variant."""
    import torch

    from streamvace.stream.generator import Generator
    from streamvace.stream.stream_state import Networks

    net, spec = variant.net, PIPELINES["embedded"]
    networks = Networks(wan=net.transformer, branch=net.context, codec=codec, text=net.text_encoder)
    return Generator(spec, networks, spec.default_size, torch.device("cpu"), torch.float32)
