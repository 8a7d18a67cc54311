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
from streamvace.system.paths import user_path

app = typer.Typer(no_args_is_help=True, help="List, download, check and convert published models.")

VISION = "vision"
"""Stands for the networks of controls and masks, in place of the name of a pipeline."""

Names = Annotated[list[str] | None, typer.Argument(help="Pipelines or model ids; see `models list`.")]
Codec = Annotated[str | None, typer.Option(help="Autoencoder, by id; default: the first one of the pipeline.")]
DTYPES = ("keep", "bf16", "fp16", "fp32")


@app.command("list")
def list_models() -> None:
    """List the models of every pipeline: source, size, licence, and whether they are installed."""
    folder = models_folder()
    for row in pipelines().values():
        columns = ("model", "id", "published at", "size", "licence", "downloaded")
        table = Table(*columns, title=row.name, title_justify="left")
        default, *others = row.codecs
        more = {f"codec (other {number})": each for number, each in enumerate(others, 1)}
        for what, each in (row.needed() | more).items():
            about = f"{each.about_gb:g} GB" if each.about_gb else "unknown"
            shown = f"{what} (default)" if each is default else what
            present = "yes" if each.present(folder) else "no"
            table.add_row(shown, each.id, f"{each.repository}/{each.paths[0]}", about, each.licence, present)
        _print(table)
    typer.echo(f"Models folder: {folder}   (set {FOLDER_VARIABLE} to move it)")
    typer.echo(f"To download a pipeline's models, run: {command('models pull NAME')}")


@app.command()
def pull(
    names: Annotated[
        list[str], typer.Argument(help="Pipelines, model ids, or vision (the networks for controls and masks).")
    ],
    codec: Codec = None,
    again: Annotated[bool, typer.Option("--again", help="Download files that are already present, too.")] = False,
) -> None:
    """Download the models of a pipeline. If interrupted, run the same command again to resume."""
    from streamvace.models.pull import pull as fetch

    folder = _made(models_folder())
    entries = select([name for name in names if name != VISION], codec)
    if VISION in names:
        from streamvace.models.vision import pull_vision

        pull_vision(folder, typer.echo, again=again)
    for entry in entries:
        if entry.present(folder) and not again:
            typer.echo(f"{entry.id}: already downloaded, {entry.place(folder)}")
            continue
        typer.echo(f"{entry.id}: ready, {fetch(entry, folder, typer.echo)}")


def _made(folder: Path) -> Path:
    """The models folder, created if it is missing. Raises UserError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"the models folder {folder} cannot be created ({error.strerror}); name another in {FOLDER_VARIABLE}"
        ) from error
    return folder


@app.command()
def check(names: Names = None, codec: Codec = None) -> None:
    """Check the name and shape of every tensor in the downloaded files. Exit code 1 if any is wrong.

    Without names, checks all downloaded files.
    """
    from streamvace.models.check import check_file

    folder = models_folder()
    entries = select(names, codec) if names else [each for each in model_files().values() if each.present(folder)]
    if not entries:
        raise UserError(f"no models in {folder}; to download a pipeline's, run: {command('models pull longlive')}")
    wrong = 0
    table = Table("id", "verdict", "what was found")
    for entry in entries:
        try:
            table.add_row(entry.id, "good", check_file(entry, entry.place(folder)))
        except UserError as error:
            wrong += 1
            table.add_row(entry.id, "WRONG" if entry.present(folder) else "MISSING", str(error))
    _print(table)
    raise typer.Exit(1 if wrong else 0)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(parser=user_path, metavar="FILE", help="A .pt or .pth file.")],
    target: Annotated[
        Path | None,
        typer.Argument(
            parser=user_path, metavar="FILE", help="File to write; default: the same name with .safetensors."
        ),
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(help="Key of the nested state dict to use (generator, generator_ema, ...). Can be repeated."),
    ] = None,
    dtype: Annotated[str, typer.Option(help=f"Data type of the weights: {', '.join(DTYPES)}.")] = "keep",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Overwrite the target if it exists.")] = False,
) -> None:
    """Convert a pickled checkpoint to safetensors. Anything but plain data is refused without loading it."""
    if dtype not in DTYPES:
        raise UserError(f"unknown dtype {dtype!r}; use {', '.join(DTYPES)}")
    import torch

    from streamvace.models.convert import convert as write

    chosen = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}.get(dtype)
    done = write(source, target or source.with_suffix(".safetensors"), part or (), chosen, overwrite)
    typer.echo(f"{done.target}: {done.tensors} tensors{f' of {done.part}' if done.part else ''}")
    if done.dropped:
        typer.echo(f"left out, not tensors: {', '.join(done.dropped)}")


@app.command()
def where(names: Names = None, codec: Codec = None) -> None:
    """Print where model files are stored. You can also put a file there yourself, under that name."""
    folder = models_folder()
    if not names:
        typer.echo(str(folder))
    entries: list[ModelFile] = select(names, codec) if names else list(model_files().values())
    for entry in entries:
        typer.echo(f"{entry.id}\t{entry.place(folder)}\t{'downloaded' if entry.present(folder) else 'missing'}")


def _print(table: Table) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = 200  # a log has no width, and wrapped names are hard to search for
    console.print(table)
