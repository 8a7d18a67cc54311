"""The options that several commands share: of the model, of the limits of files, and one for every parameter."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from streamvace.brief_help import HelpAll
from streamvace.control.random_seed import SEED
from streamvace.osc.cli_options import CliOption, drawn_seed, parse_cli
from streamvace.osc.cli_options import options as schema_options
from streamvace.records.model_options import ModelOptions
from streamvace.system.console import say
from streamvace.video.film.limits import FileLimits, set_file_limits

PARAMETERS_PANEL = "Parameters (start values; all can be changed over OSC)"
MODEL_PANEL = "Model"
Device = Annotated[
    str,
    typer.Option(
        help="Device: auto, cpu, cuda, cuda:1, mps; cuda:0,cuda:1 share every pass.", rich_help_panel=MODEL_PANEL
    ),
]
ContextDevice = Annotated[
    str | None,
    typer.Option(
        help="A second device for context branch, autoencoder and text encoder, such as cuda:1.",
        rich_help_panel=MODEL_PANEL,
    ),
]
Threads = Annotated[int | None, typer.Option(min=1, help="Number of CPU threads.", rich_help_panel=MODEL_PANEL)]
PrecisionName = Annotated[
    str,
    typer.Option(
        "--precision", help="Precision of the weights: auto, fp32, bf16, fp16, int8, fp8.", rich_help_panel=MODEL_PANEL
    ),
]
AttentionName = Annotated[
    str,
    typer.Option(
        "--attention", help="Attention kernel: auto, sdpa, sage, sage1, flash2, flash3.", rich_help_panel=MODEL_PANEL
    ),
]
CodecName = Annotated[
    str | None, typer.Option("--codec", help="Autoencoder, by id; see `models list`.", rich_help_panel=MODEL_PANEL)
]
LoraFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--lora",
        metavar="FILE[=STRENGTH[:side]]",
        help="LoRA file for the base network. Add :side to be able to limit it to a region. Can be repeated.",
        rich_help_panel=MODEL_PANEL,
    ),
]
Compile = Annotated[
    str,
    typer.Option(
        "--compile",
        help="off; blocks: compile the transformer blocks; or step: compile whole passes. Starts more slowly.",
        rich_help_panel=MODEL_PANEL,
    ),
]
CudaGraphs = Annotated[
    str,
    typer.Option(
        help="auto: on a CUDA card, capture the passes of a steady stream in the warm-up; or off.",
        rich_help_panel=MODEL_PANEL,
    ),
]
Offload = Annotated[
    str,
    typer.Option(
        help="none, or context: keep the context branch in main memory while control is off.",
        rich_help_panel=MODEL_PANEL,
    ),
]


def model_options(
    *,
    device: Device = "auto",
    threads: Threads = None,
    precision: PrecisionName = "auto",
    attention: AttentionName = "auto",
    codec: CodecName = None,
    lora: LoraFiles = None,
    offload: Offload = "none",
    compiled: Compile = "off",
    cuda_graphs: CudaGraphs = "auto",
    context_device: ContextDevice = None,
) -> ModelOptions:
    """The options of every command that loads a model."""
    from streamvace.live.options import parse_loras

    loras = parse_loras(lora or ())
    return ModelOptions(
        device,
        threads,
        precision,
        attention,
        codec,
        loras,
        offload,
        compile=compiled,
        cuda_graphs=cuda_graphs,
        context_device=context_device,
    )


LIMITS_PANEL = "Limits of files that are read"
Megapixels = Annotated[float, typer.Option(min=0.1, help="Of a still picture.", rich_help_panel=LIMITS_PANEL)]
Side = Annotated[int, typer.Option(min=16, help="Pixels of either side of a film.", rich_help_panel=LIMITS_PANEL)]
Gigabytes = Annotated[float, typer.Option(min=1e-3, help="Of a film or picture.", rich_help_panel=LIMITS_PANEL)]


def limit_files(*, max_megapixels: Megapixels = 64.0, max_side: Side = 8192, max_gigabytes: Gigabytes = 4.0) -> None:
    """The options of every command that reads films or pictures; in force from here on."""
    set_file_limits(FileLimits(max_megapixels, max_side, max_gigabytes))


def with_shared_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the model's options, the limits of files, one option for every parameter of the schema and `--help-all`.

    The command receives them as `model` and, by OSC address, as `parameters`.
    """
    names = {option.name.lstrip("-").replace("-", "_"): option for option in schema_options()}
    of_model = inspect.signature(model_options, eval_str=True).parameters
    of_files = inspect.signature(limit_files, eval_str=True).parameters

    @wraps(command)
    def wrapped(**given: Any) -> None:
        values = {names[name].name: given.pop(name) for name in names}
        texts = {name: _as_text(value) for name, value in values.items() if value not in (None, [])}
        model = model_options(**{name: given.pop(name) for name in of_model})
        limit_files(**{name: given.pop(name) for name in of_files})
        given.pop("help_all")
        parameters = parse_cli(texts)
        if drawn_seed(texts):
            say(f"seed {parameters[SEED].value}, drawn at random")
        command(**given, model=model, parameters=parameters)

    own = inspect.signature(command, eval_str=True).parameters
    options = [each for name, each in own.items() if name not in ("model", "parameters")]
    options += (*of_model.values(), *of_files.values())
    options += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(option))
        for name, option in names.items()
    ]
    options.append(inspect.Parameter("help_all", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=HelpAll))
    wrapped.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {each.name: each.annotation for each in options}
    return wrapped


def _annotation(option: CliOption) -> Any:
    """A pair of flags for a bool, a repeatable option for a list, a value for all other types; None if not given."""
    if option.parameter.type == "bool":
        pair = f"{option.name}/--no-{option.name.removeprefix('--')}"
        return Annotated[bool | None, typer.Option(pair, help=option.help, rich_help_panel=PARAMETERS_PANEL)]
    repeated = option.parameter.type in ("strings", "weighted")
    metavar = {"strings": "TEXT", "weighted": "TEXT[=WEIGHT]"}.get(option.parameter.type, "VALUE")
    named = typer.Option(option.name, help=option.help, metavar=metavar, rich_help_panel=PARAMETERS_PANEL)
    return Annotated[list[str] | None, named] if repeated else Annotated[str | None, named]


def _as_text(value: bool | str | list[str]) -> str | list[str]:
    return value if isinstance(value, (str, list)) else ("on" if value else "off")
