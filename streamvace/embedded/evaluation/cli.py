"""`streamvace evaluate`: how well the embedded model follows its inputs, in batch and streamed."""

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
from streamvace.records.chunk import ChunkInput
from streamvace.records.model_options import ModelOptions
from streamvace.system.errors import UserError

if TYPE_CHECKING:
    from streamvace.embedded.evaluation.confidence import Cell
    from streamvace.embedded.evaluation.painters import Variant

app = typer.Typer(add_completion=False)
console = Console(stderr=True)
LIVE = "The live generator"
PAPER = ("base", "context", "causal")
LIVE_TASKS = ("references", "drift", "shocks", "looks")
"""Evaluated only on the live generator, as batch has no such modes."""
CODEC_TASK = "codec"
"""Evaluates the codec alone."""
REFERENCE_CLIPS = 16
"""Most clips for the task references: each is streamed eight times."""
SHOCK_CLIPS = 16
"""Most clips for the task shocks: each is streamed five times."""
LOOK_CLIPS = 28
"""Most clips for the task looks: each is shown in every look. Half of them train the judge."""
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
    films: Annotated[
        Path | None, typer.Option("--films", help="Folder of mp4 films for the task codec, beside drawn scenes.")
    ] = None,
    drift_frames: Annotated[int, typer.Option("--drift", min=1, help="Number of frames for the drift task.")] = 240,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.", rich_help_panel=LIVE)] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.", rich_help_panel=LIVE)] = None,
    precision: Annotated[
        str, typer.Option(help="auto, fp32, bf16, fp16, int8, fp8.", rich_help_panel=LIVE)
    ] = ModelOptions.precision,
    attention: Annotated[
        str, typer.Option(help="auto, sdpa, sage, sage1, flash2, flash3.", rich_help_panel=LIVE)
    ] = ModelOptions.attention,
    compiled: Annotated[
        str, typer.Option("--compile", help="off; blocks; or step.", rich_help_panel=LIVE)
    ] = ModelOptions.compile,
    denoise_steps: Annotated[
        int, typer.Option(min=0, help="Denoising steps; 0: all.", rich_help_panel=LIVE)
    ] = ChunkInput.denoise_steps,
    hint_reuse: Annotated[
        int, typer.Option(min=1, help="Make hints every so many steps.", rich_help_panel=LIVE)
    ] = ChunkInput.hint_reuse,
    hint_threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Keep hints below this change a step.", rich_help_panel=LIVE)
    ] = ChunkInput.hint_threshold,
    history_hints: Annotated[
        bool, typer.Option("--history-hints", help="Write the history with hints.", rich_help_panel=LIVE)
    ] = ChunkInput.history_hints,
) -> None:
    """Measure control, prompt, inpainting and seams of the embedded model on scenes that it was not trained on.

    Every figure is a mean over clips and seeds with its 95 % interval. It is shown beside its ceiling (the true frames,
    the codec's round trip) and its floor (a deliberately wrong case). With --folder and checkpoints of the stages
    `base`, `context` and `causal`, the table also shows the transfer that the paper describes: context blocks trained
    on the bidirectional base, run in batch with that base, and streamed with its causal student. The task `drift`
    compares the start and the end of a long stream, `shocks` shows what a flash or a cut of the control leaves behind,
    `looks` counts the built-in looks that are told apart in grey, and `codec` shows what the codec alone keeps of a
    picture.

    Streamed columns show what the live generator makes, with the options below. Batch columns use fp32 and no options.
    """
    from streamvace.embedded.evaluation.fidelity import CONDITIONS, TASKS, fidelity
    from streamvace.embedded.evaluation.fidelity import as_json as plain
    from streamvace.embedded.evaluation.round_trip import round_trip_cells

    tasks = _chosen("--task", task, (*TASKS, CODEC_TASK, *LIVE_TASKS))
    conditions = _chosen("--condition", condition, tuple(CONDITIONS))
    options = ModelOptions(device, threads, precision, attention, compile=compiled)
    like = ChunkInput(
        "",
        denoise_steps=denoise_steps,
        hint_reuse=hint_reuse,
        hint_threshold=hint_threshold,
        history_hints=history_hints,
    )
    variants = [replace(variant, options=options, like=like) for variant in _variants(folder)]
    codec = variants[0].codec
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        line = bar.add_task("rendering")

        def progress(text: str) -> None:
            bar.update(line, description=text)

        offline = tuple(name for name in tasks if name in TASKS)
        cells = list(fidelity(variants, codec, clips, seeds, offline, conditions, progress=progress))
        if CODEC_TASK in tasks:
            progress("codec")
            cells += round_trip_cells(codec, clips, films)
        live = [name for name in tasks if name in LIVE_TASKS]
        cells += _live_cells(variants, live, clips, drift_frames, seeds, progress)
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


def _variants(folder: Path | None) -> list[Variant]:
    """The networks to evaluate."""
    from streamvace.embedded.evaluation.painters import Variant
    from streamvace.embedded.train.config import load_config
    from streamvace.embedded.train.package import load_package, stage_network, trained_codec

    if folder is None:
        net, codec = load_package()
        return [Variant("batch", net, codec, False, True), Variant("streamed", net, codec, True, True)]

    codec = trained_codec(replace(load_config(), folder=folder))[0]
    demo = stage_network(folder, "demo")
    variants = [Variant("demo batch", demo, codec, False), Variant("demo streamed", demo, codec, True)]
    if all((folder / f"{name}.pt").exists() for name in PAPER):
        whole, student = stage_network(folder, "context"), stage_network(folder, "causal")
        student.context.load_state_dict(whole.context.state_dict())
        variants += [Variant("A+C batch", whole, codec, False), Variant("B+C streamed", student, codec, True)]
    else:
        needed = ", ".join(f"{name}.pt" for name in PAPER)
        console.print(f"the paper's transfer is skipped: it needs {needed} in {folder}")
    return variants


def _live_cells(
    variants: list[Variant],
    tasks: list[str],
    clips: int,
    drift_frames: int,
    seeds: int,
    progress: Callable[[str], None],
) -> Iterator[Cell]:
    """Cells of LIVE_TASKS."""
    from streamvace.embedded.evaluation.drift import drift_cells, steady
    from streamvace.embedded.evaluation.looks import LOOK_FRAMES, look_cells
    from streamvace.embedded.evaluation.references import ends_of_the_scale, make_clip, reference_cells
    from streamvace.embedded.evaluation.shocks import SHOCK_FRAMES, shock_cells

    if not tasks:
        return
    size = PIPELINES["embedded"].default_size
    count = min(clips, REFERENCE_CLIPS) if "references" in tasks else 0
    shown = [make_clip(number, REFERENCE_FRAMES, size) for number in range(count)]
    count = min(clips, SHOCK_CLIPS) if "shocks" in tasks else 0
    shocked = [make_clip(number, SHOCK_FRAMES, size) for number in range(count)]
    count = max(2, min(clips, LOOK_CLIPS)) if "looks" in tasks else 0
    looked = [make_clip(number, LOOK_FRAMES, size) for number in range(count)]
    if shown:
        yield from ends_of_the_scale(shown)
    if "drift" in tasks:
        yield from steady(size, drift_frames)
    for variant in variants:
        if shown:
            yield from reference_cells(
                variant.name, variant.generator(), shown, variant.streamed, progress, variant.like
            )
        if shocked and variant.streamed:
            yield from shock_cells(variant.name, variant.generator(), shocked, progress, variant.like)
        if looked and variant.streamed:
            yield from look_cells(variant.name, variant.generator(), looked, progress, variant.like)
        if "drift" in tasks and variant.streamed:
            yield from drift_cells(variant.name, variant.generator(), drift_frames, seeds, progress, variant.like)
