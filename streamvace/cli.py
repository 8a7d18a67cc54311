"""The command line. Nothing heavy is imported here, so `--help` is fast; commands load torch if they need it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from streamvace import __version__
from streamvace.brief_help import brief
from streamvace.control.coercion import Coerced
from streamvace.records.model_options import ModelOptions
from streamvace.shared_options import with_shared_options
from streamvace.system.console import say
from streamvace.system.cuda_memory import grow_segments
from streamvace.system.errors import UserError, line_for_user
from streamvace.system.fix_hints import command
from streamvace.system.idle_threads import sleep_when_idle
from streamvace.system.paths import user_path
from streamvace.telemetry.logs import log_to_console

PATH: dict[str, Any] = {"parser": user_path, "metavar": "PATH"}
"""For options and arguments that are paths."""

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Live, controllable video generation for VJs.",
    epilog="Start with:  streamvace run",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the `streamvace` command. A UserError is printed as one line, with exit code 2 and no traceback."""
    sleep_when_idle()
    grow_segments()
    for stream in (sys.stdout, sys.stderr):
        # A Windows console in cp1252 must not end a show because of a character that it cannot print.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="streamvace")
    except (UserError, RuntimeError, BlockingIOError) as error:
        if not (line := line_for_user(error)):
            raise
        say(f"streamvace: {line}")
        return 2
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:  # how typer ends a command
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _pipeline(parameters: dict[str, Coerced]) -> str:
    """The pipeline given to a command, or the embedded model."""
    return _chosen(parameters, "/streamvace/pipeline", "embedded")


def _model(model: ModelOptions, parameters: dict[str, Coerced]) -> ModelOptions:
    """The model's options with those that are parameters."""
    return replace(model, latency=_chosen(parameters, "/streamvace/latency", model.latency))


def _chosen(parameters: dict[str, Coerced], address: str, default: str) -> str:
    chosen = parameters.get(address)
    return default if chosen is None else str(chosen.value)


def _only_clip(given: Sequence[Path]) -> Path | None:
    """The clip to render. `run` takes several; here the last of them would win without a word. Raises UserError."""
    if len(given) > 1:
        names = " and ".join(path.name for path in given)
        raise UserError(
            f"render takes one --input, got {names}; other films are named by --mask, --input-second and so on"
        )
    return given[0] if given else None


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"streamvace {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more to stderr.")] = False,
) -> None:
    """Live, controllable video generation for VJs."""
    log_to_console(verbose=verbose)


Media = Annotated[
    Path | None,
    typer.Option(
        "--media",
        parser=user_path,
        metavar="DIR",
        help="Media folder; default: ./media, or streamvace/media in your home folder.",
    ),
]
Size = Annotated[str | None, typer.Option(metavar="WIDTHxHEIGHT", help="Picture size; default: the model's own.")]
Upscale = Annotated[int, typer.Option(min=1, max=4, help="Upscale outputs by this factor.")]
Allow = Annotated[list[str] | None, typer.Option(metavar="NETWORK", help="Answer only these hosts. Can be repeated.")]
RemoteDevices = Annotated[
    bool, typer.Option("--allow-remote-devices", help="Let other hosts choose a screen, a camera or a microphone.")
]
Factory = Annotated[str | None, typer.Option(hidden=True)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

RUN_EXAMPLES = """Examples:

\b
  streamvace run
  streamvace run --prompt "glossy red shapes, purple background" --context-scale 0.8
  streamvace run --input clip.mp4 --output window:full
  streamvace run --input ndi: --output ndi:streamvace --mask-source alpha
  streamvace run --input ndi:depth --input camera:0 --input-mask 2 --mask-source alpha
  streamvace run --output null --duration 60 --stats figures.json
"""


SHAPING = ("--prompt", "--control-kind", "--context-scale", "--pipeline", "--size")
"""Options that shape the picture, in the short help of `run` and `render`."""


@app.command(epilog=RUN_EXAMPLES, cls=brief("--input", "--output", *SHAPING, "--media", "--host", "--osc-port"))
@with_shared_options
def run(
    *,
    input_: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="ADDRESS",
            help="Input: pattern, a file, camera:0, ndi:NAME, none. Can be repeated: the first one steers the picture, "
            "the /streamvace/input/... parameters assign the others.",
            show_default="pattern",
        ),
    ] = None,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="ADDRESS",
            help="Output: window, web, ndi:NAME, a .mp4 file, null. Can be repeated.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Overwrite existing output files.")] = False,
    media: Media = None,
    cues: Annotated[
        Path | None,
        typer.Option(parser=user_path, metavar="FILE", help="Cue file; default: cues.json in the media folder."),
    ] = None,
    size: Size = None,
    upscale: Upscale = 1,
    content_rate: Annotated[
        float, typer.Option(min=1, max=240, help="Maximum number of generated frames to show per second.")
    ] = 24.0,
    host: Annotated[
        str, typer.Option(help="Address for OSC and web servers; 0.0.0.0 accepts connections from any host.")
    ] = "127.0.0.1",
    token: Annotated[bool, typer.Option(help="With --host: whether the web page needs the token.")] = True,
    allow: Allow = None,
    allow_remote_devices: RemoteDevices = False,
    dmx_host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="IPv4 address for a light desk; 0.0.0.0 hears it on every network.")
    ] = "127.0.0.1",
    osc_port: Annotated[int, typer.Option(metavar="PORT", help="UDP port for OSC; 0 picks a free port.")] = 7700,
    osc_tcp_port: Annotated[
        int | None,
        typer.Option(metavar="PORT", help="TCP port for OSC; default: same as the UDP port; -1 disables it."),
    ] = None,
    oscquery_port: Annotated[
        int,
        typer.Option(
            metavar="PORT",
            help="Port for OSCQuery, which lists all parameters for controllers; 0 picks a free port; -1 disables it.",
        ),
    ] = 0,
    web_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", help="Port for the web page; default: 8700 or the next free port; -1 disables it."
        ),
    ] = None,
    no_web: Annotated[bool, typer.Option("--no-web", help="Disable the web page.")] = False,
    duration: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Stop this many seconds after the model is ready.")
    ] = None,
    stats: Annotated[Path | None, typer.Option(help="Write statistics of the show to this JSON file.", **PATH)] = None,
    show_log: Annotated[
        Path | None,
        typer.Option(parser=user_path, metavar="FILE.jsonl", help="Log the show; replay it with `render --show`."),
    ] = None,
    end_with: Annotated[
        int | None, typer.Option(min=1, metavar="PID", help="Stop when the process with this id ends.")
    ] = None,
    factory: Factory = None,
    model: ModelOptions,
    parameters: dict[str, Coerced],
) -> None:
    """Run a live show: control signal in, generated picture out, controlled over OSC.

    Without options, it uses the embedded model, a moving test pattern and, if there is a display, a window.
    """
    from streamvace.live.options import RunOptions, parse_size

    options = RunOptions(
        pipeline=_pipeline(parameters),
        inputs=tuple(input_ or ("pattern",)),
        outputs=tuple(output or ()),
        overwrite=overwrite,
        media=media,
        cues=cues,
        parameters=parameters,
        size=parse_size(size) if size else None,
        upscale=upscale,
        content_rate=content_rate,
        host=host,
        dmx_host=dmx_host,
        token=token,
        allow=tuple(allow or ()),
        remote_devices=allow_remote_devices,
        osc_port=osc_port,
        osc_tcp_port=osc_tcp_port,
        oscquery_port=oscquery_port,
        web_port=-1 if no_web else web_port,
        duration_s=duration,
        stats=stats,
        show_log=show_log,
        end_with=end_with,
        model=_model(model, parameters),
        **({"factory": factory} if factory else {}),
    )
    from streamvace.live.app import run as hold_show

    raise typer.Exit(hold_show(options))


RENDER_EXAMPLES = """Examples:

\b
  streamvace render --input clip.mp4 --output out.mp4 --prompt "a red sphere"
  streamvace render --show tonight.jsonl --input clip.mp4 --output tonight.mp4
  streamvace render --input depth.mp4 --mask matte.mp4 --output out.mp4 --context-scale 0.7
"""


@app.command(epilog=RENDER_EXAMPLES, cls=brief("--input", "--output", *SHAPING, "--mask", "--show", "--overwrite"))
@with_shared_options
def render(
    *,
    input_: Annotated[
        list[Path] | None,
        typer.Option(
            "--input", "-i", help="Control video or image sequence; each frame is used once, in order.", **PATH
        ),
    ] = None,
    show: Annotated[
        Path | None,
        typer.Option(parser=user_path, metavar="FILE.jsonl", help="Replay a show from its log, frame by frame."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Video to write (.mp4, .mov).", **PATH)],
    mask: Annotated[
        Path | None,
        typer.Option(help="Mask video or picture: white is generated, black keeps the input's pixels.", **PATH),
    ] = None,
    media: Media = None,
    size: Size = None,
    upscale: Upscale = 1,
    frames: Annotated[int | None, typer.Option(min=1, help="Stop after this many frames.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Overwrite the output if it exists.")] = False,
    factory: Factory = None,
    model: ModelOptions,
    parameters: dict[str, Coerced],
) -> None:
    """Generate a video from a clip offline, frame by frame. The same command gives the same video.

    The exit code is 1 if an input is cut off (the video ends where it does), and 2 if no video was written.
    """
    from streamvace.live.offline.render import RenderOptions, render_clip
    from streamvace.live.options import parse_size

    options = RenderOptions(
        input=_only_clip(input_ or ()),
        show=show,
        output=output,
        mask=mask,
        media=media,
        pipeline=_pipeline(parameters),
        parameters=parameters,
        size=parse_size(size) if size else None,
        upscale=upscale,
        frames=frames,
        overwrite=overwrite,
        model=_model(model, parameters),
        **({"factory": factory} if factory else {}),
    )
    raise typer.Exit(render_clip(options))


@app.command()
def doctor(
    as_json: AsJson = False,
    report: Annotated[
        Path | None, typer.Option(help="Also write a text file to send in with a question.", **PATH)
    ] = None,
) -> None:
    """Check this machine: report what works and what to install for the rest."""
    raise typer.Exit(_call("streamvace.doctor.checks", "run_doctor", as_json, report))


@app.command()
def bench(
    folder: Annotated[
        Path, typer.Argument(parser=user_path, metavar="OUT", help="Folder for results.json and report.md.")
    ],
    name: Annotated[str, typer.Option("--pipeline", help="Pipeline to measure, as for `run`.")] = "embedded",
    size: Size = None,
    device: Annotated[str, typer.Option(help="Device: auto, cpu, cuda, cuda:1.")] = "auto",
    chunks: Annotated[int | None, typer.Option(min=1, help="Number of steady chunks per figure.")] = None,
) -> None:
    """Measure how fast this machine generates: speed, memory, attention kernels, 8-bit weights.

    A pipeline whose weights are not installed is measured with random ones of the same shape. The same command goes on
    where it stopped.
    """
    from streamvace.live.options import parse_size

    raise typer.Exit(
        _call("streamvace.bench.command", "run_bench", folder, name, parse_size(size) if size else None, device, chunks)
    )


@app.command()
def sources(
    thumbnails: Annotated[bool, typer.Option("--thumbnails", help="Show a thumbnail of each source.")] = False,
    seconds: Annotated[float, typer.Option(min=0, max=60, help="How long to search for senders, in seconds.")] = 2.0,
    as_json: AsJson = False,
) -> None:
    """List available inputs: NDI, Spout and Syphon senders, cameras, screens."""
    raise typer.Exit(_call("streamvace.doctor.sources", "run_sources", seconds, thumbnails, as_json))


@app.command()
def card(
    output: Annotated[list[str], typer.Option("--output", "-o", help="Output, as for `run`. Can be repeated.")],
    size: Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="Picture size.")] = "640x368",
    rate: Annotated[float, typer.Option(min=1, max=240, help="Frames per second.")] = 30.0,
    duration: Annotated[float | None, typer.Option(min=0, help="Stop after this many seconds.")] = None,
) -> None:
    """Send a test card, to check orientation, colours and alpha at the receiver. Runs no model."""
    from streamvace.live.options import parse_size

    raise typer.Exit(_call("streamvace.live.test_card", "send_card", output, parse_size(size), rate, duration))


@app.command()
def dmx(mode: Annotated[str, typer.Option(metavar="MODE", help="8_bit or 16_bit.")] = "8_bit") -> None:
    """Print the fixture of the light desk: what each DMX channel does."""
    from streamvace.dmx.personality import named, table

    typer.echo(table(named(mode)))


@app.command()
def surfaces(
    folder: Annotated[Path, typer.Argument(parser=user_path, metavar="DIR", help="Folder for the files; it is made.")],
    reply_port: Annotated[
        int, typer.Option(min=1, max=65535, metavar="PORT", help="UDP port on which TouchOSC receives.")
    ] = 9000,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Overwrite existing files.")] = False,
) -> None:
    """Write ready-made control surfaces: a TouchOSC layout and an Open Stage Control session."""
    from streamvace.layouts.writing import write_surfaces

    write_surfaces(folder, reply_port, overwrite=overwrite)


@app.command()
def parity(
    folder: Annotated[Path, typer.Argument(parser=user_path, metavar="DIR", help="Folder of recorded files.")],
) -> None:
    """Replay recorded network calls and compare the results. Exit code 1 if any differs."""
    if not folder.is_dir():
        raise UserError(f"no folder {folder}; name the folder that holds the recorded files")
    raise typer.Exit(_call("streamvace.parity.cli", "run_parity", folder))


PASSED_ON: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True}
"""For commands that are applications of their own: they parse the arguments after their name."""


@app.command(add_help_option=False, context_settings=PASSED_ON)
def models(context: typer.Context) -> None:
    """List, download, check and convert the official weights; see `streamvace models --help`."""
    _call("streamvace.models.cli", "app", args=context.args, prog_name="streamvace models")


@app.command(add_help_option=False, context_settings=PASSED_ON)
def midi(context: typer.Context) -> None:
    """List MIDI devices, show the map, learn and forget controls; see `streamvace midi --help`."""
    _call("streamvace.live.midi_cli", "app", args=context.args, prog_name="streamvace midi")


@app.command("cues", add_help_option=False, context_settings=PASSED_ON)
def cue_file(context: typer.Context) -> None:
    """List the cues and import timelines of other programs; see `streamvace cues --help`."""
    _call("streamvace.live.cues_cli", "app", args=context.args, prog_name="streamvace cues")


@app.command(add_help_option=False, context_settings=PASSED_ON)
def train(context: typer.Context) -> None:
    """Train the embedded model; see `streamvace train --help` for the stages."""
    _call("streamvace.embedded.cli", "app", args=context.args, prog_name="streamvace train")


@app.command(add_help_option=False, context_settings=PASSED_ON)
def evaluate(context: typer.Context) -> None:
    """Measure how well the embedded model follows control and prompt; see `streamvace evaluate --help`."""
    _call("streamvace.embedded.evaluation.cli", "app", args=context.args, prog_name="streamvace evaluate")


def _call(module: str, name: str, *given: Any, **named: Any) -> int:
    """Import a module, call a function of it and return its exit code; None counts as 0. Raises UserError."""
    try:
        function = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("streamvace"):
            raise UserError(f"this command needs the package {error.name}; see `{command('doctor')}`") from error
        raise UserError(f"this command is not part of this installation ({module} is missing)") from error
    return int(function(*given, **named) or 0)


if __name__ == "__main__":
    sys.exit(main())
