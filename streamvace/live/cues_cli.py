"""`streamvace cues list | import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import osc_schema
from streamvace.control.cue_file import MOST_BYTES, CueFile
from streamvace.control.cue_times import plain
from streamvace.control.cues import Cue
from streamvace.control.fades import parse_fade
from streamvace.control.timelines import RATES, added, read_timeline
from streamvace.system.errors import UserError
from streamvace.system.files import read_text
from streamvace.system.media import MediaFolder
from streamvace.system.paths import user_path
from streamvace.telemetry.reporter import Reporter

app = typer.Typer(no_args_is_help=True, help="Check and list the cue file, and import timelines of other programs.")

Media = Annotated[
    Path | None, typer.Option("--media", parser=user_path, metavar="DIR", help="Media folder of the show.")
]
Cues = Annotated[Path | None, typer.Option(parser=user_path, metavar="FILE", help="Cue file of the show.")]


@app.command("list")
def list_cues(media: Media = None, cues: Cues = None) -> None:
    """Check the cue file and list its cues: number, name, and when they come by themselves."""
    path = _path(media, cues)
    found = CueFile(path, osc_schema.by_address(), Reporter()).read()
    for cue in found:
        typer.echo(_told(cue))
    typer.echo(f"{path}: {len(found)} cues" if path.exists() else f"{path}: there is no cue file yet")


@app.command("import")
def import_timeline(
    timeline: Annotated[
        Path, typer.Argument(parser=user_path, metavar="FILE", help="Timeline: prompts with startTime, or by frame.")
    ],
    media: Media = None,
    cues: Cues = None,
    rate: Annotated[
        float | None, typer.Option(min=RATES[0], max=RATES[1], help="Frames per second of a timeline in frames.")
    ] = None,
    fade: Annotated[float, typer.Option(metavar="SECONDS", help="Fade time of every new cue.")] = 0.0,
    follow: Annotated[
        bool, typer.Option("--follow", help="Each cue follows the one before, instead of coming at its second.")
    ] = False,
) -> None:
    """Add the prompts of a timeline to the cue file, after the cues that it has."""
    schema, path, lines = osc_schema.by_address(), _path(media, cues), list[str]()
    new = read_timeline(_text(timeline), schema, timeline.name, rate, follow=follow)
    file = CueFile(path, schema, Reporter(lines.append))
    try:
        whole = added(file.read(), new, parse_fade(fade))
        file.write(whole)
    finally:
        file.close()
    if lines:
        raise UserError(lines[0])
    for cue in whole[-len(new) :]:
        typer.echo(_told(cue))
    typer.echo(f"{path}: {len(new)} cues added; /streamvace/cue/load brings them into a running show")


def _path(media: Path | None, cues: Path | None) -> Path:
    return cues or MediaFolder(media).root / "cues.json"


def _text(path: Path) -> str:
    """The text of a timeline. Raises UserError."""
    try:
        return read_text(path, MOST_BYTES, "a timeline")
    except FileNotFoundError:
        raise UserError(f"{path}: cannot be read (there is no such file); name another") from None


def _told(cue: Cue) -> str:
    """A cue in one line."""
    number = "" if cue.number is None else f"{plain(cue.number)}"
    at = "" if cue.at is None else cue.at.written()
    parts = (
        f"at {f'{at:g} s' if isinstance(at, float) else at}" if cue.at else "",
        f"waits {cue.wait:g} s" if cue.wait else "",
        f"fades {cue.fade.seconds:g} s" if cue.fade.seconds else "",
        f"the next after {cue.follow:g} s" if cue.follow is not None else "",
    )
    remarks = ", ".join(filter(None, parts))
    return f"{number:>6}  {cue.name}" + (f"   ({remarks})" if remarks else "")
