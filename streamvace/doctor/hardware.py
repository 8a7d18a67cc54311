"""The hardware and software of a measurement, as one line."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

FAST_PRODUCTS = ("avx512f", "avx512_bf16", "amx_bf16")
"""Instructions for matrix products, in Linux's words; they explain times more than a name does."""


def processor(info: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's own name, or what the platform calls it. info: Linux's list of processors.

    Virtual machines call all generations alike, so family, model and the instructions for matrix products follow.
    """
    if not info.exists():
        return platform.processor() or platform.machine()
    first = info.read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    rows = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first.splitlines())}
    if "model name" not in rows:
        return platform.processor() or platform.machine()
    made = [f"{word} {rows[row]}" for word, row in (("family", "cpu family"), ("model", "model")) if row in rows]
    found = [name for name in FAST_PRODUCTS if name in rows.get("flags", "").split()]
    return f"{rows['model name']} ({', '.join(made + found)})" if made + found else rows["model name"]


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
