"""The command line. Nothing heavy is imported here: `--help` answers at once, torch is loaded by who needs it."""

from __future__ import annotations

import importlib
import inspect
import logging
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from streamvace import __version__
from streamvace.control.coercion import Coerced
from streamvace.osc.cli_options import CliOption, parse_cli
from streamvace.osc.cli_options import options as schema_options
from streamvace.records.model_options import ModelOptions
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command
from streamvace.system.idle_threads import sleep_when_idle
from streamvace.telemetry.reporter import say

PARAMETERS_PANEL = "Parameters (each can be changed over OSC while it runs)"

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Live, controllable video generation for VJs.",
    epilog="Begin with:  streamvace run",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The `streamvace` command. What a user can mend is one line and exit code 2, without a traceback."""
    sleep_when_idle()
    for stream in (sys.stdout, sys.stderr):
        # A Windows console in cp1252 must not end a show over a letter it cannot draw.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="streamvace")
    except UserError as error:
        say(f"streamvace: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:  # how typer ends a command
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def with_parameters(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for every parameter of the schema; it gets them as `parameters`, by OSC address."""
    names = {option.name.lstrip("-").replace("-", "_"): option for option in schema_options()}

    @wraps(command)
    def wrapped(**given: Any) -> None:
        said = {names[name].name: given.pop(name) for name in names}
        texts = {name: _as_text(value) for name, value in said.items() if value not in (None, [])}
        command(**given, parameters=parse_cli(texts))

    own = [each for each in inspect.signature(command, eval_str=True).parameters.values() if each.name != "parameters"]
    extra = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(option))
        for name, option in names.items()
    ]
    wrapped.__signature__ = inspect.Signature([*own, *extra])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {each.name: each.annotation for each in [*own, *extra]}
    return wrapped


def _annotation(option: CliOption) -> Any:
    """A flag pair for a switch, an option to repeat for a list, a value for all else; None when it was not given."""
    if option.parameter.type == "bool":
        pair = f"{option.name}/--no-{option.name.removeprefix('--')}"
        return Annotated[bool | None, typer.Option(pair, help=option.help, rich_help_panel=PARAMETERS_PANEL)]
    repeated = option.parameter.type in ("strings", "weighted")
    metavar = {"strings": "TEXT", "weighted": "TEXT[=WEIGHT]"}.get(option.parameter.type, "VALUE")
    named = typer.Option(option.name, help=option.help, metavar=metavar, rich_help_panel=PARAMETERS_PANEL)
    return Annotated[list[str] | None, named] if repeated else Annotated[str | None, named]


def _pipeline(parameters: dict[str, Coerced]) -> str:
    """The pipeline that a command was given, or the built-in model."""
    chosen = parameters.get("/streamvace/pipeline")
    return "embedded" if chosen is None else str(chosen.value)


def _as_text(value: bool | str | list[str]) -> str | list[str]:
    return value if isinstance(value, (str, list)) else ("on" if value else "off")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"streamvace {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr.")] = False,
) -> None:
    """Live, controllable video generation for VJs."""
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    for chatty in ("asyncio", "libav", "PIL"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


MODEL_PANEL = "The model on this machine"
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.", rich_help_panel=MODEL_PANEL)]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads.", rich_help_panel=MODEL_PANEL)]
PrecisionName = Annotated[
    str, typer.Option("--precision", help="auto, fp32, bf16, fp16, int8, fp8.", rich_help_panel=MODEL_PANEL)
]
AttentionName = Annotated[
    str, typer.Option("--attention", help="auto, sdpa, sage, flash2, flash3.", rich_help_panel=MODEL_PANEL)
]
CodecName = Annotated[
    str | None, typer.Option("--codec", help="Autoencoder; `models list` names them.", rich_help_panel=MODEL_PANEL)
]
LoraFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--lora",
        metavar="FILE[=STRENGTH[:side]]",
        help="A LoRA for the base network; side: can be limited to a region. May be repeated.",
        rich_help_panel=MODEL_PANEL,
    ),
]
Compile = Annotated[
    str,
    typer.Option(
        "--compile",
        help="off; or blocks: compile the transformer's blocks, a longer start for faster chunks.",
        rich_help_panel=MODEL_PANEL,
    ),
]
Offload = Annotated[
    str,
    typer.Option(help="none; context: main memory holds it while there is no control.", rich_help_panel=MODEL_PANEL),
]

Media = Annotated[
    Path | None,
    typer.Option(
        "--media", metavar="DIR", help="Folder of your pictures; default: ./media, else streamvace/media at home."
    ),
]

RUN_EXAMPLES = """Examples:

\b
  streamvace run
  streamvace run --prompt "glossy red shapes, purple background" --context-scale 0.8
  streamvace run --input clip.mp4 --output window:full
  streamvace run --input ndi: --output ndi:streamvace --mask-source alpha
  streamvace run --input ndi:depth --input camera:0 --input-mask 2 --mask-source alpha
  streamvace run --output null --duration 60 --stats figures.json
"""


Upscale = Annotated[int, typer.Option(min=1, max=4, help="Make the outputs so many times larger than the picture.")]


@app.command(epilog=RUN_EXAMPLES)
@with_parameters
def run(
    *,
    input_: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            help="Where pictures come from: pattern, a file, camera:0, ndi:NAME, none. May be repeated; the first "
            "steers, /streamvace/input/... gives the others their roles.",
            show_default="pattern",
        ),
    ] = None,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output", "-o", help="Where it goes: window, web, ndi:NAME, a .mp4 file, null. May be repeated."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Output files may replace existing ones.")] = False,
    media: Media = None,
    cues: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Cue list; default: cues.json in the media folder.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WIDTHxHEIGHT", help="Picture size; default: the model's.")
    ] = None,
    upscale: Upscale = 1,
    content_rate: Annotated[float, typer.Option(min=1, max=240, help="Most generated frames shown a second.")] = 24.0,
    host: Annotated[str, typer.Option(help="Address that OSC and web listen on; 0.0.0.0 is everyone's.")] = "127.0.0.1",
    osc_port: Annotated[int, typer.Option(help="UDP port for OSC; 0 takes a free one.")] = 7700,
    osc_tcp_port: Annotated[
        int | None, typer.Option(help="TCP port for OSC; default: the number of the UDP port; -1 for none.")
    ] = None,
    oscquery_port: Annotated[
        int, typer.Option(help="Port of OSCQuery, for controllers that set themselves up; -1 for none.")
    ] = 0,
    web_port: Annotated[
        int | None, typer.Option(help="Port of the web preview; default 8700 or the next free; -1 for none.")
    ] = None,
    no_web: Annotated[bool, typer.Option("--no-web", help="No web preview.")] = False,
    duration: Annotated[float | None, typer.Option(min=0, help="End so many seconds after the model is ready.")] = None,
    stats: Annotated[Path | None, typer.Option(help="Write the figures of the show to this JSON file.")] = None,
    show_log: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="Write the show down; `render --show` makes it again.")
    ] = None,
    end_with: Annotated[
        int | None, typer.Option(min=1, metavar="PID", help="End when the process with this id has gone.")
    ] = None,
    device: Device = "auto",
    threads: Threads = None,
    precision: PrecisionName = "auto",
    attention: AttentionName = "auto",
    codec: CodecName = None,
    lora: LoraFiles = None,
    offload: Offload = "none",
    compiled: Compile = "off",
    factory: Annotated[str | None, typer.Option(hidden=True)] = None,
    parameters: dict[str, Coerced],
) -> None:
    """Hold a live show: control signal in, generated picture out, steered over OSC.

    Without options it picks what works: the built-in model, a moving test pattern, and a window if there is a display.
    """
    from streamvace.live.options import RunOptions, parse_loras, parse_size

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
        osc_port=osc_port,
        osc_tcp_port=osc_tcp_port,
        oscquery_port=oscquery_port,
        web_port=-1 if no_web else web_port,
        duration_s=duration,
        stats=stats,
        show_log=show_log,
        end_with=end_with,
        model=ModelOptions(
            device, threads, precision, attention, codec, parse_loras(lora or ()), offload, compile=compiled
        ),
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


@app.command(epilog=RENDER_EXAMPLES)
@with_parameters
def render(
    *,
    input_: Annotated[
        Path | None,
        typer.Option("--input", "-i", help="Control video or sequence; every frame is used once, in order."),
    ] = None,
    show: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="Make a show again from its log, frame by frame.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The video to write (.mp4, .mov).")],
    mask: Annotated[
        Path | None, typer.Option(help="Video or picture: white is generated, black keeps the input's pixels.")
    ] = None,
    media: Media = None,
    size: Annotated[
        str | None, typer.Option(metavar="WIDTHxHEIGHT", help="Picture size; default: the model's.")
    ] = None,
    upscale: Upscale = 1,
    frames: Annotated[int | None, typer.Option(min=1, help="End after so many frames.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")] = False,
    device: Device = "auto",
    threads: Threads = None,
    precision: PrecisionName = "auto",
    attention: AttentionName = "auto",
    codec: CodecName = None,
    lora: LoraFiles = None,
    offload: Offload = "none",
    compiled: Compile = "off",
    factory: Annotated[str | None, typer.Option(hidden=True)] = None,
    parameters: dict[str, Coerced],
) -> None:
    """Generate from a clip, frame by frame, not live. The same command gives the same video."""
    from streamvace.live.offline.render import RenderOptions, render_clip
    from streamvace.live.options import parse_loras, parse_size

    options = RenderOptions(
        input=input_,
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
        model=ModelOptions(
            device, threads, precision, attention, codec, parse_loras(lora or ()), offload, compile=compiled
        ),
        **({"factory": factory} if factory else {}),
    )
    raise typer.Exit(render_clip(options))


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """Say what this machine can do, and what to install for the rest."""
    raise typer.Exit(_call("streamvace.doctor.checks", "run_doctor", as_json))


@app.command()
def sources(
    thumbnails: Annotated[bool, typer.Option("--thumbnails", help="Show how each looks just now.")] = False,
    seconds: Annotated[float, typer.Option(min=0, max=60, help="How long to listen for senders.")] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """List what can be an input: NDI, Spout and Syphon senders, cameras, screens."""
    raise typer.Exit(_call("streamvace.doctor.sources", "run_sources", seconds, thumbnails, as_json))


@app.command()
def card(
    output: Annotated[list[str], typer.Option("--output", "-o", help="As for run. May be repeated.")],
    size: Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="Picture size.")] = "640x368",
    rate: Annotated[float, typer.Option(min=1, max=240, help="Frames a second.")] = 30.0,
    duration: Annotated[float | None, typer.Option(min=0, help="End after so many seconds.")] = None,
) -> None:
    """Send a test card to outputs: which way is up, which colour is which, what becomes of alpha. No model."""
    from streamvace.live.options import parse_size

    raise typer.Exit(_call("streamvace.live.test_card", "send_card", output, parse_size(size), rate, duration))


@app.command()
def parity(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of recorded files.")]) -> None:
    """Replay recorded network calls and compare: a table, and exit code 1 when one differs."""
    if not folder.is_dir():
        raise UserError(f"no folder {folder}; name the folder that holds the recorded files")
    raise typer.Exit(_call("streamvace.parity.cli", "run_parity", folder))


PASSED_ON: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True}
"""For commands that are applications of their own: what follows their name is theirs to read."""


@app.command(add_help_option=False, context_settings=PASSED_ON)
def models(context: typer.Context) -> None:
    """List, fetch, check and convert the official weights; `streamvace models --help` lists the commands."""
    _call("streamvace.models.cli", "app", args=context.args, prog_name="streamvace models")


@app.command(add_help_option=False, context_settings=PASSED_ON)
def train(context: typer.Context) -> None:
    """Train the embedded model; `streamvace train --help` lists the stages."""
    _call("streamvace.embedded.cli", "app", args=context.args, prog_name="streamvace train")


@app.command(add_help_option=False, context_settings=PASSED_ON)
def evaluate(context: typer.Context) -> None:
    """Measure how well the embedded model obeys; `streamvace evaluate --help` says what and how."""
    _call("streamvace.embedded.evaluation.cli", "app", args=context.args, prog_name="streamvace evaluate")


def _call(module: str, name: str, *given: Any, **named: Any) -> int:
    """Call a function of a module that is imported only now; its exit code, 0 where it gives none."""
    try:
        function = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("streamvace"):
            raise UserError(f"this command needs the package {error.name}; see `{command('doctor')}`") from error
        raise UserError(f"this command is not part of this installation ({module} is missing)") from error
    return int(function(*given, **named) or 0)


if __name__ == "__main__":
    sys.exit(main())
