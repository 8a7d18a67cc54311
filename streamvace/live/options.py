"""Options of `streamvace run`, and the checks that are cheap enough to run before anything starts."""

from __future__ import annotations

import importlib.util
import math
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from streamvace.control.coercion import Coerced
from streamvace.live.worker.worker import DEFAULT_FACTORY
from streamvace.records.model_options import (
    COMPILES,
    CUDA_GRAPHS,
    LORA_MODES,
    OFFLOADS,
    LoraChoice,
    LoraMode,
    ModelOptions,
)
from streamvace.system.errors import UserError
from streamvace.system.paths import user_path

DEFAULT_OSC_PORT = 7700
DEFAULT_WEB_PORT = 8700
_PORTS_TRIED = 20

SIZE_STEP = 16
"""Width and height are multiples of this many pixels: codec stride times patch."""

_SIZE_LIMITS = (64, 4096)
"""Smallest and largest side in pixels."""


@dataclass(frozen=True)
class RunOptions:
    """The options of one live show.

    inputs, outputs: URIs of `streamvace.video.endpoints`. The first input is the control unless a parameter says
        otherwise. Without outputs, a window is opened if there is a display.
    overwrite: overwrite existing output files. media: folder of the user's pictures; see MediaFolder.
    cues: cue file; None means cues.json in the media folder, created by the first store.
    parameters: start values by OSC address. size: (width, height); None means the pipeline's default.
    upscale: factor between the generated picture and the outputs, 1 to 4.
    content_rate: maximum number of generated frames to show per second.
    dmx_host: IPv4 address at which a light desk is heard; any but a loopback opens its port on all addresses.
    osc_port: 0 picks a free port. web_port: None means the default or the next free port; -1 disables the web server.
    osc_tcp_port: None means the number of osc_port, or a free port; -1 disables TCP.
    token: whether the web page needs its token, if `host` opens it to the network. allow: networks whose hosts may talk
        to the show; none: all. remote_devices: whether another host may choose a screen or a camera as an input.
    oscquery_port: 0 picks a free port; -1 disables OSCQuery.
    duration_s: None runs until stopped. stats: JSON file for the statistics, written at the end.
    show_log: file that logs every parameter change and the values that shape every chunk.
    end_with: id of a process; the show stops when it ends.
    factory: `module:function` that creates the generator in the worker.
    """

    pipeline: str = "embedded"
    inputs: tuple[str, ...] = ("pattern",)
    outputs: tuple[str, ...] = ()
    overwrite: bool = False
    media: Path | None = None
    cues: Path | None = None
    parameters: Mapping[str, Coerced] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    upscale: int = 1
    content_rate: float = 24.0
    host: str = "127.0.0.1"
    dmx_host: str = "127.0.0.1"
    osc_port: int = DEFAULT_OSC_PORT
    osc_tcp_port: int | None = None
    oscquery_port: int = 0
    web_port: int | None = None
    token: bool = True
    allow: tuple[str, ...] = ()
    remote_devices: bool = False
    duration_s: float | None = None
    stats: Path | None = None
    show_log: Path | None = None
    end_with: int | None = None
    model: ModelOptions = field(default_factory=ModelOptions)
    factory: str = DEFAULT_FACTORY


def parse_size(text: str) -> tuple[int, int]:
    """`512x320` as (512, 320). Raises UserError."""
    width, cross, height = text.lower().partition("x")
    if not cross or not width.isdecimal() or not height.isdecimal():
        raise UserError(f"size {text!r} is not WIDTHxHEIGHT; try 256x256")
    return check_size((int(width), int(height)))


def check_size(size: tuple[int, int]) -> tuple[int, int]:
    """Returns the size if a model can generate it. Raises UserError with the nearest possible size."""
    low, high = _SIZE_LIMITS
    near = [min(high, max(low, round(side / SIZE_STEP) * SIZE_STEP)) for side in size]
    if tuple(near) != size:
        raise UserError(
            f"size {size[0]}x{size[1]} is not possible: both sides are multiples of {SIZE_STEP} from {low} to {high}; "
            f"try {near[0]}x{near[1]}"
        )
    return size


def resolve_size(pipeline: str, size: tuple[int, int] | None) -> tuple[int, int]:
    """The size of the show. Raises UserError for an unknown pipeline (listing the known ones) or an impossible size."""
    from streamvace.model.specs import pipeline as find

    row = find(pipeline)
    return check_size(size or row.default_size)


def context_blocks(pipeline: str) -> int:
    """Number of context blocks of a pipeline. Raises UserError for an unknown pipeline."""
    from streamvace.model.specs import pipeline as find

    return len(find(pipeline).size.vace_layers)


def check_devices(devices: str) -> None:
    """Raises UserError for names that torch does not know and groups that are not possible, without importing torch.

    devices: a name, or several with commas between: one process for each.
    """
    names = devices.split(",")
    for name in names:
        _check_device(name)
    if len(names) == 1:
        return
    if sys.platform == "win32":
        raise UserError(f"devices {devices!r}: several cards need Linux (NCCL is not built for Windows); give one")
    cards = all(name.startswith("cuda:") for name in names) and len({*names}) == len(names)
    if not cards and {*names} != {"cpu"}:
        raise UserError(f"devices {devices!r}: several are CUDA cards with different numbers; try cuda:0,cuda:1")


def check_context_device(device: str, context_device: str | None) -> None:
    """Raises UserError if `--context-device` cannot go with `--device`, without importing torch. `auto` is known only
    when the model is loaded."""
    if context_device is None:
        return
    if "," in context_device or context_device == "auto":
        raise UserError(f"context device {context_device!r}: name one device; try cuda:1")
    _check_device(context_device)
    if "," in device:
        raise UserError(
            f"context device {context_device!r}: the devices {device} share every pass already; leave one of both out"
        )
    if _numbered(context_device) == _numbered(device):
        raise UserError(f"context device {context_device!r} is --device too; try cuda:1, or leave --context-device out")


def _numbered(device: str) -> str:
    return "cuda:0" if device == "cuda" else device


def _check_device(device: str) -> None:
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cpu", "cuda", "mps") or (number and not number.isdecimal()):
        raise UserError(f"unknown device {device!r}: choose auto, cpu, cuda, cuda:0 or mps; try auto")


def parse_loras(texts: Sequence[str]) -> tuple[LoraChoice, ...]:
    """`FILE`, `FILE=0.8`, `FILE=side` or `FILE=0.8:side` for each LoRA. Raises UserError with an example."""
    return tuple(_parse_lora(text) for text in texts)


def _parse_lora(text: str) -> LoraChoice:
    path, equals, how = text.rpartition("=")
    if not equals or user_path(text).exists():  # a file name can contain an equals sign
        return LoraChoice(user_path(text))
    strength, mode = 1.0, "auto"
    for part in how.split(":", 1):
        if part in LORA_MODES:
            mode = part
            continue
        try:
            strength = float(part)
        except ValueError:
            strength = math.nan
    if not path or not math.isfinite(strength):
        raise UserError(f"lora {text!r}: write a strength, merged or side after =; try {path or 'style'}=0.8:side")
    return LoraChoice(user_path(path), strength, cast(LoraMode, mode))


def check_latency(pipeline: str, latency: str) -> None:
    """Raises UserError if the pipeline does not have this latency."""
    from streamvace.model.specs import at_latency
    from streamvace.model.specs import pipeline as find

    at_latency(find(pipeline), latency)


def check_model(model: ModelOptions, pipeline: str) -> None:
    """Raises UserError for options that can be refused before the model is loaded, without importing torch."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and "TORCHELASTIC_RUN_ID" in os.environ:
        raise UserError(
            f"torchrun started {os.environ['WORLD_SIZE']} of this command; start it once, without torchrun: "
            "--device cuda:0,cuda:1 starts the other processes"
        )
    check_devices(model.device)
    check_context_device(model.device, model.context_device)
    check_latency(pipeline, model.latency)
    if model.offload not in OFFLOADS:
        raise UserError(f"unknown offload {model.offload!r}; there are: {', '.join(OFFLOADS)}")
    if model.compile not in COMPILES:
        raise UserError(f"unknown compile {model.compile!r}; there are: {', '.join(COMPILES)}")
    if model.cuda_graphs not in CUDA_GRAPHS:
        raise UserError(f"unknown CUDA graphs {model.cuda_graphs!r}; there are: {', '.join(CUDA_GRAPHS)}")
    for lora in model.loras:
        if not lora.path.exists():
            raise UserError(f"lora {lora.path}: there is no such file")


def check_factory(factory: str) -> None:
    """Raises UserError if the module of the factory does not exist."""
    module, colon, name = factory.partition(":")
    try:
        found = bool(colon and name) and importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        found = False
    if not found:
        raise UserError(f"factory {factory!r}: there is no such module; write it as module:function")


def check_port(port: int, option: str) -> None:
    """Raises UserError for an invalid port number. The server finds out whether the port is free."""
    if not 0 <= port <= 65535:
        raise UserError(f"{option} {port}: ports range from 1 to 65535; 0 picks a free port")


def next_free_port(host: str, first: int) -> int:
    """The first free TCP port from `first` on. If all are taken, `first`, so that the server reports the error."""
    for port in range(first, first + _PORTS_TRIED):
        if _is_free(host, port):
            return port
    return first


def _is_free(host: str, port: int) -> bool:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                # As in servers: a port in TIME_WAIT is free. On Windows, the option means the opposite.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError:
        return False
    return True
