"""`streamvace models list | pull | check | convert | where`. Torch is loaded by the commands that need it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from streamvace.models.manifest import FOLDER_VARIABLE, ModelFile, model_files, models_folder, pipelines, select
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command

app = typer.Typer(no_args_is_help=True, help="Published models: which there are, fetch, check, convert.")

VISION = "vision"
"""In place of a pipeline: the networks of controls and masks."""

Names = Annotated[list[str] | None, typer.Argument(help="Pipelines or model ids; see `models list`.")]
Codec = Annotated[str | None, typer.Option(help="Autoencoder, by id; default: the pipeline's first.")]
DTYPES = ("keep", "bf16", "fp16", "fp32")


@app.command("list")
def list_models() -> None:
    """Every pipeline's models: where they are published, their licence, whether they are here."""
    folder = models_folder()
    for row in pipelines().values():
        table = Table("what", "id", "published at", "size", "licence", "here", title=row.name, title_justify="left")
        default = row.codecs[0]
        needed = row.needed()
        others = {f"codec (other {number})": each for number, each in enumerate(row.codecs[1:], 1)}
        for what, each in (needed | others).items():
            about = f"{each.about_gb:g} GB" if each.about_gb else "-"
            here = "yes" if each.present(folder) else "no"
            shown = f"{what} (default)" if each is default else what
            table.add_row(shown, each.id, f"{each.repository}/{each.paths[0]}", about, each.licence, here)
        _print(table)
    typer.echo(f"Models folder: {folder}   (set {FOLDER_VARIABLE} to move it)")


@app.command()
def pull(
    names: Annotated[
        list[str], typer.Argument(help="Pipelines, model ids, or vision: what controls and masks can use.")
    ],
    codec: Codec = None,
    again: Annotated[bool, typer.Option("--again", help="Fetch what is here already, too.")] = False,
) -> None:
    """Fetch what a pipeline needs. Broken off, the same command goes on where it stopped."""
    from streamvace.models.pull import pull as fetch

    folder = models_folder()
    entries = select([name for name in names if name != VISION], codec)
    if VISION in names:
        from streamvace.models.vision import pull_vision

        pull_vision(folder, typer.echo, again=again)
    for entry in entries:
        if entry.present(folder) and not again:
            typer.echo(f"{entry.id}: here already, {entry.place(folder)}")
            continue
        typer.echo(f"{entry.id}: ready, {fetch(entry, folder, typer.echo)}")


@app.command()
def check(names: Names = None, codec: Codec = None) -> None:
    """Compare the files here with the networks: every tensor's name and shape. Exit code 1 when one is wrong.

    Without names, everything that is here.
    """
    from streamvace.models.check import check_file

    folder = models_folder()
    entries = select(names, codec) if names else [each for each in model_files().values() if each.present(folder)]
    if not entries:
        raise UserError(f"no models in {folder}; `{command('models pull longlive')}` fetches a pipeline's")
    wrong = 0
    table = Table("id", "verdict", "what was found")
    for entry in entries:
        try:
            table.add_row(entry.id, "good", check_file(entry, entry.place(folder)))
        except UserError as error:
            wrong += 1
            table.add_row(entry.id, "WRONG", str(error))
    _print(table)
    raise typer.Exit(1 if wrong else 0)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="A .pt or .pth file.")],
    target: Annotated[Path | None, typer.Argument(help="The file to write; default: beside it, .safetensors.")] = None,
    part: Annotated[
        list[str] | None, typer.Option(help="Which nesting to take (generator, generator_ema, ...); may be repeated.")
    ] = None,
    dtype: Annotated[str, typer.Option(help=f"Of the weights: {', '.join(DTYPES)}.")] = "keep",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the target if it exists.")] = False,
) -> None:
    """Make safetensors of a pickled checkpoint. Anything in it that is not plain data is refused unopened."""
    if dtype not in DTYPES:
        raise UserError(f"unknown dtype {dtype!r}; use {', '.join(DTYPES)}")
    import torch

    from streamvace.models.convert import convert as write

    chosen = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}.get(dtype)
    done = write(source, target or source.with_suffix(".safetensors"), part or (), chosen, overwrite)
    typer.echo(f"{done.target}: {done.tensors} tensors{f' of {done.part}' if done.part else ''}")
    if done.dropped:
        typer.echo(f"left out, no tensors: {', '.join(done.dropped)}")


@app.command()
def where(names: Names = None, codec: Codec = None) -> None:
    """Where the models lie, or would lie; a file of yours may be put there under that name."""
    folder = models_folder()
    if not names:
        typer.echo(str(folder))
    entries: list[ModelFile] = select(names, codec) if names else list(model_files().values())
    for entry in entries:
        typer.echo(f"{entry.id}\t{entry.place(folder)}\t{'here' if entry.present(folder) else 'not there'}")


def _print(table: Table) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = 200  # a log has no width of its own; wrapped names are hard to search
    console.print(table)
