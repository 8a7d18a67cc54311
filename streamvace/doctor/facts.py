"""What `streamvace doctor` looks at on this machine. Every look answers, whatever is broken: that is what it is for."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import struct
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from streamvace.system.fix_hints import bootstrapped
from streamvace.system.packaged import packaged_folder

_PACKAGE = Path(__file__).parents[1]
_ENCODERS = ("libx264", "h264_nvenc", "h264_videotoolbox", "h264_mf", "mpeg4")
_HEADER_LENGTH = 8


@dataclass(frozen=True)
class Device:
    """One accelerator as PyTorch sees it, memory in bytes (0: shared with the system)."""

    name: str
    total: int = 0
    free: int = 0


@dataclass(frozen=True)
class Facts:
    """What was seen. A text field that is empty means: not there; `*_error` says why."""

    system: str = sys.platform
    python: tuple[int, int, int] = (0, 0, 0)
    bits: int = 64
    torch: str = ""
    torch_error: str = ""
    torch_cuda: str = ""
    """The CUDA version that PyTorch was built for."""
    nvidia_seen: bool = False
    """The system has an NVIDIA driver, whatever PyTorch makes of it."""
    devices: tuple[Device, ...] = ()
    attention: tuple[str, ...] = ()
    """Of each CUDA card: the attention kernel, and why no faster one."""
    attention_error: str = ""
    free_memory: int | None = None
    display: bool = False
    ndi: str = ""
    ndi_error: str = ""
    spout: bool = False
    syphon: bool = False
    link: bool = False
    """Ableton Link's library is installed."""
    screen: bool = False
    """What takes pictures of screens is installed."""
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
    vision: tuple[str, ...] = ()
    """Libraries of the `vision` extra that are installed."""
    vision_missing: tuple[str, ...] = ()
    """Networks of controls and masks that are not in the models folder."""
    checkout: bool = True
    """The package lies in its source tree."""
    bootstrapped: bool = True
    """This Python is the one that `plugin/bootstrap.py` made."""


def gather(osc_port: int, web_port: int, host: str = "127.0.0.1") -> Facts:
    """Look at everything. Takes a few seconds: PyTorch and the codecs are loaded for real."""
    return Facts(
        python=(sys.version_info[0], sys.version_info[1], sys.version_info[2]),
        bits=struct.calcsize("P") * 8,
        nvidia_seen=nvidia_seen(),
        free_memory=free_memory(),
        spout=find_spec("SpoutGL") is not None,
        syphon=find_spec("syphon") is not None,
        link=find_spec("aalink") is not None,
        screen=find_spec("mss") is not None,
        osc_port=osc_port,
        osc_free=port_free(host, osc_port, socket.SOCK_DGRAM),
        web_port=web_port,
        web_free=port_free(host, web_port, socket.SOCK_STREAM),
        checkout=(_PACKAGE.parent / "plugin" / "bootstrap.py").exists(),
        bootstrapped=bootstrapped(),
        vision=tuple(name for name in ("ai_edge_litert", "onnxruntime") if find_spec(name) is not None),
        vision_missing=_vision_missing(),
        **_torch(),
        **_attention(),
        **_opencv(),
        **_video_files(),
        **_display(),
        **_ndi(),
        **_embedded(packaged_folder("streamvace.embedded", "weights")),
    )


def _vision_missing() -> tuple[str, ...]:
    from streamvace.models.manifest import models_folder
    from streamvace.models.vision import missing

    return missing(models_folder())


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _torch() -> dict[str, Any]:
    try:
        import torch
    except Exception as error:  # noqa: BLE001 - a broken build raises anything; the report says what
        return {"torch_error": _line(error)}
    seen: dict[str, Any] = {"torch": torch.__version__, "torch_cuda": torch.version.cuda or ""}
    try:
        devices = []
        for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
            free, total = torch.cuda.mem_get_info(number)
            devices.append(Device(torch.cuda.get_device_name(number), total, free))
        if not devices and torch.backends.mps.is_available():
            devices.append(Device("Apple GPU, memory shared with the system"))
        seen["devices"] = tuple(devices)
    except Exception as error:  # noqa: BLE001 - a driver fault must not hide the rest of the report
        seen["torch_error"] = _line(error)
    return seen


def _attention() -> dict[str, Any]:
    """Every kernel that is installed is run, on the shape of a 1.3B pipeline at its own size."""
    try:
        import torch

        from streamvace.model.attention import AttentionShape, choose_kernel
        from streamvace.model.specs import WAN_1_3B, pipeline

        spec = pipeline("longlive")
        tokens = spec.default_size[0] * spec.default_size[1] // 256
        shape = AttentionShape(spec.chunk * tokens, spec.cache.window * tokens, WAN_1_3B.num_heads, WAN_1_3B.head_dim)
        cards = range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
        chosen = (choose_kernel(torch.device("cuda", card), torch.bfloat16, shape) for card in cards)
        return {"attention": tuple(map(str, chosen))}
    except Exception as error:  # noqa: BLE001 - see _torch
        return {"attention_error": _line(error)}


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
    """Bytes a new program can have without swapping, or None where the system does not tell."""
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
    windows: Any = getattr(ctypes, "windll", None)  # the name exists on Windows only
    if windows is None or not windows.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.free)


def port_free(host: str, port: int, kind: socket.SocketKind) -> bool:
    """Whether a server could listen there now."""
    try:
        with socket.socket(socket.AF_INET, kind) as probe:
            if os.name == "posix" and kind == socket.SOCK_STREAM:
                # As servers do: a port in TIME_WAIT is free. On Windows the option would mean the opposite.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError:
        return False
    return True


def _opencv() -> dict[str, Any]:
    try:
        import cv2
    except Exception as error:  # noqa: BLE001 - see _torch
        return {"opencv_error": _line(error)}
    return {"opencv": str(cv2.__version__)}


def _video_files() -> dict[str, Any]:
    try:
        import av
    except Exception as error:  # noqa: BLE001 - see _torch
        return {"av_error": _line(error)}
    return {"encoders": tuple(name for name in _ENCODERS if name in av.codecs_available)}


def _display() -> dict[str, Any]:
    try:
        from streamvace.video.window.sink import display_available

        return {"display": display_available()}
    except Exception:  # noqa: BLE001 - see _torch
        return {"display": False}


def _ndi() -> dict[str, Any]:
    try:
        from streamvace.video.ndi.runtime import load_ndi

        return {"ndi": str(load_ndi().version())}
    except Exception as error:  # noqa: BLE001 - see _torch
        return {"ndi_error": "not installed" if find_spec("NDIlib") is None else _line(error)}


def _embedded(folder: Path) -> dict[str, Any]:
    """The files, and whether the networks of this version load from them."""
    seen = weights(folder)
    if not seen.get("weights"):
        return seen
    try:
        import torch

        from streamvace.model.specs import pipeline
        from streamvace.stream.loading import load_embedded

        load_embedded(pipeline("embedded"), folder, torch.device("cpu"), torch.float32)
    except Exception as error:  # noqa: BLE001 - see _torch
        seen["weights_error"] = _line(error)
    return seen


def weights(folder: Path) -> dict[str, Any]:
    """The safetensors files of a folder, each with a header that fits its size (a git-lfs pointer does not)."""
    try:
        files = sorted(folder.glob("*.safetensors"))
        for file in files:
            with file.open("rb") as data:
                length = int.from_bytes(data.read(_HEADER_LENGTH), "little")
                whole = 0 < length <= file.stat().st_size - _HEADER_LENGTH and data.read(1) == b"{"
            if not whole:
                return {"weights_error": f"{file.name} is damaged ({file.stat().st_size} bytes)"}
    except OSError as error:
        return {"weights_error": _line(error)}
    return {"weights": tuple(file.stem for file in files)}
