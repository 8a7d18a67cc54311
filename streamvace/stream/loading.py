"""Loads a Generator with its weights by the pipeline's name."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from streamvace.model.captured import CapturedPasses, PreparedPasses
from streamvace.model.checkpoint import load_module
from streamvace.model.compiled import compile_blocks
from streamvace.model.compiled_passes import CompiledPasses
from streamvace.model.context import ContextBranch
from streamvace.model.cuda_settings import set_up_cuda, slow_convolutions
from streamvace.model.memory_needed import Run
from streamvace.model.placing import place_blocks
from streamvace.model.product_check import use_right_products
from streamvace.model.quantize import find_precision, native_dtype, prove_quantised
from streamvace.model.specs import PipelineSpec, at_latency, pipeline
from streamvace.model.transformer import CausalWan
from streamvace.records.model_options import COMPILES, ModelOptions
from streamvace.stream.generator import Generator
from streamvace.stream.link import link_between
from streamvace.stream.part import WHOLE, Part
from streamvace.stream.processor_threads import choose_threads
from streamvace.stream.stream_state import Networks
from streamvace.stream.user_loras import load_user_loras
from streamvace.system.console import say
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command

log = logging.getLogger(__name__)

EMBEDDED_WEIGHTS = Path(__file__).parents[1] / "embedded" / "weights"


def resolve_device(name: str) -> torch.device:
    """The device called `auto`, `cpu`, `cuda`, `cuda:1` or `mps`. Raises UserError when this torch cannot use it."""
    if "," in name:
        raise UserError(f"device {name!r}: only `run` and `render` use several cards; choose one, such as cuda:0")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"unknown device {name!r}; use auto, cpu, cuda or cuda:N") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError(
            f"device {name!r}, but this torch ({torch.__version__}) sees no CUDA card; see `{command('doctor')}`"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UserError(f"device {name!r}, but this torch ({torch.__version__}) sees no GPU of Apple; use auto or cpu")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"device {name!r}, but there are {torch.cuda.device_count()} CUDA cards (cuda:0 is the first)")
    return device


def resolve_devices(options: ModelOptions) -> tuple[torch.device, torch.device]:
    """The device of the passes and that of pictures, texts and the context branch.

    Raises UserError as `resolve_device`, and when a second device is asked for and is the first.
    """
    passes = resolve_device(options.device)
    if options.context_device is None:
        return passes, passes
    other = resolve_device(options.context_device)
    if passes.type == other.type and (passes.index or 0) == (other.index or 0):
        raise UserError(
            f"context device {options.context_device!r} is the device of the passes too ({passes}); "
            "leave --context-device out, or choose another"
        )
    return passes, other


def load_generator(
    name: str,
    size: tuple[int, int] | None = None,
    options: ModelOptions | None = None,
    networks: Networks | None = None,
    part: Part = WHOLE,
) -> Generator:
    """A ready generator. networks: used instead of the installed ones; moved in place. part: of this process.

    Raises UserError for an unknown pipeline, size or option, or unreadable weights.
    """
    options = options or ModelOptions()
    spec = at_latency(pipeline(name), options.latency)
    place, beside = resolve_devices(options)
    places = (place,) if beside == place else (beside, place)
    for device in places:
        if device.type == "cuda" and device.index is not None:
            # Events, streams and Triton's kernels use the current card, whatever card their tensors are on.
            torch.cuda.set_device(device)
    size = size or spec.default_size
    precision = find_precision(options.precision, place)
    dtype = precision.dtype or native_dtype(place)
    for device in places:
        find_precision(options.precision, device)
        prove_quantised(options.precision, precision, device, dtype)
    threads = choose_threads(options.threads, spec, place, dtype)
    if "cuda" in (place.type, beside.type):
        set_up_cuda(dtype)
    graphs = captured_passes(place, options)
    passes = prepared_passes(graphs, options)
    if networks is not None:
        networks.wan.to(dtype)
        networks.branch.to(dtype)
        for each in (networks.codec, networks.text):
            if isinstance(each, nn.Module):  # random embeddings take the place of a text encoder in measurements
                each.to(beside, dtype)
    elif name == "embedded":
        networks = load_embedded(spec, EMBEDDED_WEIGHTS, place, dtype, beside)
    else:
        from streamvace.models.manifest import installed, pipelines
        from streamvace.stream.wan_loading import load_wan_networks

        files = installed(name, options.codec)
        variant = pipelines()[name].needed(options.codec)["codec"].variant
        run = Run(spec, size, dtype, variant, graphs is not None, part.processes, options.for_controls)
        networks = load_wan_networks(run, files, place, beside, precision, options.offload)
    here: list[object] = [networks.wan] if place.type == "cpu" else []
    here += [networks.branch, networks.codec, networks.text] if beside.type == "cpu" else []
    wrong = use_right_products(*(each for each in here if isinstance(each, nn.Module)))
    # Before quantisation: LoRAs are checked against plain weights and merged into them.
    networks = replace(networks, loras=load_user_loras(networks.wan, options.loras, precision, place))
    place_blocks(networks.wan, place, precision)
    rests = torch.device("cpu") if options.offload == "context" else None
    place_blocks(networks.branch, beside, precision, rests=rests)
    if options.compile == "blocks":
        cell = networks.codec.spatial_stride * spec.size.patch[1]
        compile_blocks((networks.wan, networks.branch), spec.chunk, (size[0] // cell) * (size[1] // cell))
    codec = type(networks.codec).__name__
    networks = part.networks(networks)
    made = Generator(
        spec,
        networks,
        size,
        place,
        dtype,
        options.attention,
        options.offload,
        options.prompts,
        part.contexts,
        passes,
        link=link_between(place, beside),
    )
    made.prompts = part.prompts(made.prompts)
    made.about["codec"] = codec
    if place.type == "cpu":
        made.threads = threads
        made.about["threads"] = str(threads)
    if precision.config is not None:
        made.precision = options.precision
        made.about["precision"] = f"{options.precision} blocks, {made.about['precision']}"
    made.about["compile"] = options.compile
    made.about["latency"] = options.latency
    if options.context_device is not None:
        made.about["context device"] = str(beside)
    made.warms_up = made.warms_up or beside.type != "cpu" or options.compile != "off"
    if wrong:
        made.about["products"] = "; ".join(wrong)
        log.warning("16-bit products of this processor are wrong: %s", made.about["products"])
    if (
        beside.type == "cuda"
        and isinstance(networks.codec, nn.Module)
        and (slow := slow_convolutions(networks.codec, dtype))
    ):
        log.warning("codec: %s", slow)
    if options.codec is not None:
        made.about["codec"] = options.codec
    if beside.type == "cuda" and options.for_controls:
        made.about["controls"] = f"up to {options.for_controls / 1e9:.1f} GB of {beside} in a process of their own"
        say(f"{beside}: {options.for_controls / 1e9:.1f} GB are left for control networks (depth, flow, scribble)")
    return made


def captured_passes(device: torch.device, options: ModelOptions) -> CapturedPasses | None:
    """What captures the passes of a generator with these options; None: all of them run eagerly.

    An offloaded branch has another address whenever it returns to the card, so nothing is captured with it.
    """
    wanted = device.type == "cuda" and options.cuda_graphs == "auto" and options.offload == "none"
    return CapturedPasses() if wanted else None


def prepared_passes(graphs: CapturedPasses | None, options: ModelOptions) -> PreparedPasses | None:
    """What prepares passes in the warm-up: `graphs`, a compiler in front of them, or None.

    Raises UserError for an unknown or impossible `--compile`.
    """
    if options.compile not in COMPILES:
        raise UserError(f"unknown compile {options.compile!r}; there are: {', '.join(COMPILES)}")
    if options.compile != "step":
        return graphs
    if options.offload != "none":
        raise UserError(
            f"--compile step keeps all networks on the device, --offload {options.offload} does not; "
            "use --compile blocks, or leave one of them out"
        )
    return CompiledPasses(graphs)


def load_embedded(
    spec: PipelineSpec, folder: Path, device: torch.device, dtype: torch.dtype, beside: torch.device | None = None
) -> Networks:
    """The embedded model's networks from a folder of weights. beside: of all but the base network; None: `device`."""
    from streamvace.model.autoencoder.tiny import TinyAE
    from streamvace.world.text import TextEncoder

    return Networks(
        wan=load_module(lambda: CausalWan(spec.size), folder / "transformer.safetensors", device, dtype),
        branch=load_module(lambda: ContextBranch(spec.size), folder / "context.safetensors", beside or device, dtype),
        codec=load_module(TinyAE, folder / "codec.safetensors", beside or device, dtype),
        text=load_module(TextEncoder, folder / "text.safetensors", beside or device, dtype),
    )
