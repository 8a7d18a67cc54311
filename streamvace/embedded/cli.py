"""`streamvace train`: trains the shipped model from scratch on a laptop, stage by stage or all at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from streamvace.embedded.train.config import TrainConfig, load_config

app = typer.Typer(help="Train the embedded model.", no_args_is_help=True)
console = Console()

ConfigFile = Annotated[Path | None, typer.Option("--config", help="JSON file with all hyper-parameters.")]
Folder = Annotated[Path | None, typer.Option("--folder", help="Folder for checkpoints and contact sheets.")]
Photographs = Annotated[
    Path | None,
    typer.Option("--photographs", help="Folder of mp4 clips to train on in addition to the rendered scenes."),
]
StartFrom = Annotated[
    Path | None,
    typer.Option("--start-from", help="Checkpoint or package folder to continue from. The vocabulary may have grown."),
]
Minutes = Annotated[
    float | None, typer.Option("--minutes", help="Time budget in minutes, instead of the configured one.")
]


def _config(
    file: Path | None, folder: Path | None, photographs: Path | None, start_from: Path | None = None
) -> TrainConfig:
    config = load_config(file)
    if start_from is not None:
        config = replace(config, start_from=start_from)
    if folder is not None:
        config = replace(config, folder=folder)
    return replace(config, photographs=photographs) if photographs is not None else config


@app.command()
def world(
    sheet: Annotated[Path, typer.Option("--sheet", help="Contact sheet to write.")] = Path("world.png"),
    seed: Annotated[int, typer.Option(help="Random seed of the scenes.")] = 0,
) -> None:
    """Draw a contact sheet of training scenes: four frames, depth and edges of each."""
    from streamvace.embedded.train.sheets import write_sheet
    from streamvace.world.scene import edges, render, sample_scene
    from streamvace.world.styles import compose, sample_look

    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(12):
        scene = sample_scene(rng)
        look = sample_look(rng, len(scene.bodies))
        maps = [render(scene, 0.3 * k) for k in range(4)]
        planes = [maps[-1][1], edges(maps[-1])]
        pictures = [compose(m, look) for m in maps] + [np.repeat(p[..., None], 3, 2) for p in planes]
        rows.append(np.concatenate(pictures, 1))
    write_sheet(sheet, np.concatenate([np.concatenate(rows[:6]), np.concatenate(rows[6:])], 1))
    console.print(f"wrote {sheet}")


@app.command()
def codec(config: ConfigFile = None, folder: Folder = None, photographs: Photographs = None) -> None:
    """Fit the linear encoder (a block PCA)."""
    from streamvace.embedded.train.stages import train_codec

    figures = train_codec(_config(config, folder, photographs))
    console.print(f"codec round trip {figures['psnr']:.1f} dB")


def _stage(name: str, settings: TrainConfig, minutes: float | None) -> None:
    from streamvace.embedded.train.decoder import train_decoder
    from streamvace.embedded.train.stages import train_stage

    if minutes is not None:
        settings = settings.lasting(name, minutes)
    if name == "decoder":
        train_decoder(settings)
    else:
        train_stage(settings, name)


@app.command()
def images(
    config: ConfigFile = None,
    folder: Folder = None,
    photographs: Photographs = None,
    minutes: Minutes = None,
    start_from: StartFrom = None,
) -> None:
    """First stage: train everything on single latent frames. Like every stage, it resumes where it stopped."""
    _stage("images", _config(config, folder, photographs, start_from), minutes)


@app.command()
def demo(
    config: ConfigFile = None,
    folder: Folder = None,
    photographs: Photographs = None,
    minutes: Minutes = None,
    start_from: StartFrom = None,
) -> None:
    """Train everything on causal video, after `images`. This is the model that ships."""
    _stage("demo", _config(config, folder, photographs, start_from), minutes)


@app.command()
def base(
    config: ConfigFile = None, folder: Folder = None, photographs: Photographs = None, minutes: Minutes = None
) -> None:
    """The paper's stage A: the bidirectional base on whole clips, without control, after `images`."""
    _stage("base", _config(config, folder, photographs), minutes)


@app.command()
def context(
    config: ConfigFile = None, folder: Folder = None, photographs: Photographs = None, minutes: Minutes = None
) -> None:
    """The paper's stage C: new context blocks on the frozen `base`, on whole clips."""
    _stage("context", _config(config, folder, photographs), minutes)


@app.command()
def causal(
    config: ConfigFile = None, folder: Folder = None, photographs: Photographs = None, minutes: Minutes = None
) -> None:
    """The paper's stage B: a causal few-step student of `base`, trained without the context blocks."""
    _stage("causal", _config(config, folder, photographs), minutes)


@app.command()
def decoder(
    config: ConfigFile = None, folder: Folder = None, photographs: Photographs = None, minutes: Minutes = None
) -> None:
    """Train the decoder on the frozen encoder. Resumes where it stopped."""
    _stage("decoder", _config(config, folder, photographs), minutes)


def _figures(settings: TrainConfig, clips: int) -> dict[str, float]:
    """The figures of the model card: the trained network, streamed, one seed. `streamvace evaluate` has all figures."""
    from streamvace.embedded.evaluation.fidelity import card_figures
    from streamvace.embedded.evaluation.painters import Variant
    from streamvace.embedded.train.package import trained_codec, trained_network

    variant = Variant("streamed", trained_network(settings)[0], trained_codec(settings)[0], streamed=True)
    figures = card_figures(variant, clips)
    table = Table("figure", "value")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3f}")
    console.print(table)
    return figures


@app.command()
def package(
    config: ConfigFile = None,
    folder: Folder = None,
    out: Annotated[Path | None, typer.Option("--out", help="Output folder; default: the installed package.")] = None,
    clips: Annotated[
        int, typer.Option("--clips", help="Number of held-out clips for the figures of the model card.")
    ] = 32,
) -> None:
    """Evaluate the model, then write the fp16 weights and the model card."""
    from streamvace.embedded.train.package import WEIGHTS, write_package

    settings = _config(config, folder, None)
    figures = _figures(settings, clips)
    size = write_package(settings, figures, out or WEIGHTS)
    console.print(f"wrote {out or WEIGHTS}: {size / 1e6:.1f} MB")


@app.command(name="all")
def everything(
    config: ConfigFile = None,
    folder: Folder = None,
    photographs: Photographs = None,
    minutes: Minutes = None,
    out: Annotated[Path | None, typer.Option("--out", help="Output folder; default: the installed package.")] = None,
    clips: Annotated[
        int, typer.Option("--clips", help="Number of held-out clips for the figures of the model card.")
    ] = 32,
) -> None:
    """Train the shipped model from scratch within a time budget: codec, images, demo, decoder, evaluation, package."""
    from streamvace.embedded.train.decoder import train_decoder
    from streamvace.embedded.train.package import WEIGHTS, write_package
    from streamvace.embedded.train.stages import codec_path, train_codec, train_stage

    settings = _config(config, folder, photographs)
    if minutes is not None:
        settings = settings.within(minutes, ("images", "demo", "decoder"))
    if not codec_path(settings).exists():
        console.print(f"codec round trip {train_codec(settings)['psnr']:.1f} dB")
    train_stage(settings, "images")
    train_stage(settings, "demo")
    train_decoder(settings)
    size = write_package(settings, _figures(settings, clips), out or WEIGHTS)
    console.print(f"wrote {out or WEIGHTS}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    app()
