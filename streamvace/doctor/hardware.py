"""The hardware and software of a measurement, as one line."""

from __future__ import annotations

import platform
from pathlib import Path

import torch


def processor() -> str:
    """The processor's own name, or what the platform calls it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def hardware_line(device: torch.device) -> str:
    """Device, processor, threads and torch version on one line."""
    place = "CPU"
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        place = f"{properties.name} {properties.total_memory / 2**30:.0f} GiB, CUDA {torch.version.cuda}"
    return (
        f"{place} | {processor()}, {torch.get_num_threads()} threads | {platform.system()} | "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )
