"""What `streamvace doctor` looks at on this machine. Every look returns, whatever is broken."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from streamvace.system.fix_hints import bootstrapped
from streamvace.video.window.sink import display_available, opengl_renderer

_PACKAGE = Path(__file__).parents[1]
_ENCODERS = ("libx264", "h264_nvenc", "h264_videotoolbox", "h264_mf", "mpeg4")
_HEADER_LENGTH = 8

OPTIONAL = ("SpoutGL", "syphon", "aalink", "rtmidi2", "miniaudio", "mss", "ai_edge_litert", "onnxruntime")
"""Packages of the optional parts that are only looked for, not loaded."""


@dataclass(frozen=True)
class Device:
    """One accelerator as PyTorch sees it, memory in bytes (0: shared with the system)."""

    name: str
    total: int = 0
    free: int = 0


ESTIMATED = ("longlive", "krea-realtime")
"""One pipeline of each size of network, 1.3B and 14B."""


@dataclass(frozen=True)
class Facts:
    """What was seen. An empty text field means "not there"; `*_error` says why."""

    system: str = sys.platform
    executable: str = sys.executable
    """Path of this Python."""
    python: tuple[int, int, int] = (0, 0, 0)
    bits: int = 64
    torch: str = ""
    torch_error: str = ""
    torch_cuda: str = ""
    """The CUDA version that PyTorch was built for."""
    nvidia_seen: bool = False
    """The system has an NVIDIA driver, whether PyTorch can use it or not."""
    devices: tuple[Device, ...] = ()
    attention: tuple[str, ...] = ()
    """For each CUDA card: the attention kernel, and why not a faster one."""
    attention_error: str = ""
    speed: tuple[str, ...] = ()
    """For each CUDA card: what the model of costs says of ESTIMATED."""
    speed_error: str = ""
    free_memory: int | None = None
    display: bool = False
    opengl: str = ""
    """The graphics adapter that draws, or why none does."""
    ndi: str = ""
    ndi_error: str = ""
    packages: tuple[str, ...] = ()
    """Those of OPTIONAL that are installed."""
    encoders: tuple[str, ...] = ()
    av_error: str = ""
    opencv: str = ""
    opencv_error: str = ""
    osc_port: int = 0
    osc_free: bool = True
    web_port: int = 0
    web_free: bool = True
    weights: tuple[str, ...] = ()
    weights_error: str = ""
    networks_missing: tuple[str, ...] = ()
    """Networks of controls and masks that are not in the models folder."""
    networks_error: str = ""
    checkout: bool = True
    """The package lies in its source tree."""
    bootstrapped: bool = True
    """This Python belongs to the environment of `plugin/bootstrap.py`."""


def gather(osc_port: int, web_port: int, host: str = "127.0.0.1") -> Facts:
    """Look at everything. Takes a few seconds, because PyTorch and the codecs are loaded."""
    seen: dict[str, Any] = {}
    for look, error_field in LOOKS:
        seen |= guarded(look, error_field)
    return Facts(
        python=(sys.version_info[0], sys.version_info[1], sys.version_info[2]),
        bits=struct.calcsize("P") * 8,
        nvidia_seen=nvidia_seen(),
        free_memory=free_memory(),
        display=display_available(),
        opengl=opengl_renderer(),
        packages=tuple(name for name in OPTIONAL if find_spec(name) is not None),
        osc_port=osc_port,
        osc_free=port_free(host, osc_port, socket.SOCK_DGRAM),
        web_port=web_port,
        web_free=port_free(host, web_port, socket.SOCK_STREAM),
        checkout=(_PACKAGE.parent / "plugin" / "bootstrap.py").exists(),
        bootstrapped=bootstrapped(),
        **seen,
    )


def guarded(look: Callable[[], dict[str, Any]], error_field: str) -> dict[str, Any]:
    """What `look` returns; if it raises, the error in one line under `error_field`."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - a broken library raises anything; the report shows it
        return {error_field: " ".join(str(error).split()) or type(error).__name__}


def _torch() -> dict[str, Any]:
    import torch

    return {"torch": torch.__version__, "torch_cuda": torch.version.cuda or ""}


def _devices() -> dict[str, Any]:
    import torch

    devices = []
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        free, total = torch.cuda.mem_get_info(number)
        devices.append(Device(torch.cuda.get_device_name(number), total, free))
    if not devices and torch.backends.mps.is_available():
        devices.append(Device("Apple GPU, memory shared with the system"))
    return {"devices": tuple(devices)}


def _attention() -> dict[str, Any]:
    """Runs every installed kernel, on the shape of a 1.3B pipeline at its default size."""
    import torch

    from streamvace.model.attention import AttentionShape, choose_kernel
    from streamvace.model.cuda_settings import set_up_cuda
    from streamvace.model.specs import WAN_1_3B, pipeline

    spec = pipeline("longlive")
    tokens = spec.default_size[0] * spec.default_size[1] // 256
    shape = AttentionShape(spec.chunk * tokens, spec.cache.window * tokens, WAN_1_3B.num_heads, WAN_1_3B.head_dim)
    cards = range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
    if cards:
        set_up_cuda(torch.bfloat16)
    chosen = (choose_kernel(torch.device("cuda", card), torch.bfloat16, shape) for card in cards)
    return {"attention": tuple(map(str, chosen))}


def _speed() -> dict[str, Any]:
    """Computes, measures nothing."""
    import torch

    from streamvace.conditioning.controls import card_bytes
    from streamvace.conditioning.controls.networks import Networks
    from streamvace.models.manifest import models_folder

    lines = []
    kept = card_bytes(Networks(models_folder()))
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        card = torch.cuda.get_device_properties(number)
        shape = (card.major, card.minor), card.multi_processor_count
        lines.append(expectation(card.name, *shape, card.total_memory, kept))
    return {"speed": tuple(lines)}


def expectation(name: str, capability: tuple[int, int], multiprocessors: int, memory: int, controls: int = 0) -> str:
    """Whether ESTIMATED fit a card of `memory` bytes with control at their default size, and how fast they would be.

    controls: bytes of it that control networks take."""
    from streamvace.costs.cards import find_card
    from streamvace.costs.chunk import Job
    from streamvace.costs.estimate import chunk_seconds, memory_bytes
    from streamvace.model.specs import pipeline

    card, taken_as = find_card(name, capability, multiprocessors)
    answers = []
    for each in ESTIMATED:
        spec = pipeline(each)
        job = Job(spec, spec.default_size, control=True)
        width, height = spec.default_size
        whole, eight_bit = (memory_bytes(job, weight) + controls for weight in (2, 1))
        fit = next((bits for bits, needed in (("bf16", whole), ("int8", eight_bit)) if needed <= memory), "")
        if fit:
            needed = whole if fit == "bf16" else eight_bit
            rate = job.frames / chunk_seconds(job, card)
            answers.append(f"{each} {width}x{height} in {fit}: {rate:.0f} frames/s, {needed / 1e9:.0f} GB")
        else:
            answers.append(f"{each} needs {eight_bit / 1e9:.1f} GB even in int8, the card has {memory / 1e9:.1f}")
    return f"{'; '.join(answers)}{f' ({taken_as})' if taken_as else ''}"


def nvidia_seen() -> bool:
    """Whether an NVIDIA driver is installed: its tool, or its library."""
    if sys.platform == "darwin":
        return False
    if shutil.which("nvidia-smi"):
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def free_memory() -> int | None:
    """Bytes that a new program can use without swapping; None if the system does not say."""
    if sys.platform == "win32":
        return _free_memory_windows()
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def _free_memory_windows() -> int | None:
    class Status(ctypes.Structure):
        """MEMORYSTATUSEX of the Windows API."""

        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "p_total", "p_free", "v_total", "v_free", "x")),
        )

    status = Status(length=ctypes.sizeof(Status))
    windows: Any = getattr(ctypes, "windll", None)  # exists on Windows only
    if windows is None or not windows.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.free)


def port_free(host: str, port: int, kind: socket.SocketKind) -> bool:
    """Whether a server can listen on this port now."""
    try:
        with socket.socket(socket.AF_INET, kind) as probe:
            if os.name == "posix" and kind == socket.SOCK_STREAM:
                # As servers do: a port in TIME_WAIT is free. On Windows the option means the opposite.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError:
        return False
    return True


def _opencv() -> dict[str, Any]:
    import cv2

    return {"opencv": str(cv2.__version__)}


def _video_files() -> dict[str, Any]:
    import av

    return {"encoders": tuple(name for name in _ENCODERS if name in av.codecs_available)}


def _ndi() -> dict[str, Any]:
    from streamvace.video.ndi.runtime import load_ndi

    if find_spec("NDIlib") is None:
        return {}
    return {"ndi": str(load_ndi().version())}


def _networks() -> dict[str, Any]:
    from streamvace.models.manifest import models_folder
    from streamvace.models.vision import missing

    return {"networks_missing": missing(models_folder())}


def _weights() -> dict[str, Any]:
    return {"weights": weights(_PACKAGE / "embedded" / "weights")}


def _embedded() -> dict[str, Any]:
    """Loads the weights into the networks of this version."""
    import torch

    from streamvace.model.specs import pipeline
    from streamvace.stream.loading import load_embedded

    folder = _PACKAGE / "embedded" / "weights"
    if weights(folder):
        load_embedded(pipeline("embedded"), folder, torch.device("cpu"), torch.float32)
    return {}


def weights(folder: Path) -> tuple[str, ...]:
    """Names of the safetensors files of a folder. Raises OSError for one whose header does not fit its size, such as a
    git-lfs pointer."""
    files = sorted(folder.glob("*.safetensors"))
    for file in files:
        with file.open("rb") as data:
            length = int.from_bytes(data.read(_HEADER_LENGTH), "little")
            whole = 0 < length <= file.stat().st_size - _HEADER_LENGTH and data.read(1) == b"{"
        if not whole:
            raise OSError(f"{file.name} is damaged ({file.stat().st_size} bytes)")
    return tuple(file.stem for file in files)


LOOKS: tuple[tuple[Callable[[], dict[str, Any]], str], ...] = (
    (_torch, "torch_error"),
    (_devices, "torch_error"),
    (_attention, "attention_error"),
    (_speed, "speed_error"),
    (_opencv, "opencv_error"),
    (_video_files, "av_error"),
    (_ndi, "ndi_error"),
    (_networks, "networks_error"),
    (_weights, "weights_error"),
    (_embedded, "weights_error"),
)
"""What may raise, and the field that takes the error."""
