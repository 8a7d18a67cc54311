"""Out of memory in the worker: detection, message, release of caches. Uses torch only if it is loaded."""

from __future__ import annotations

import re
import sys
import traceback

import psutil

_ASKED = re.compile(r"(?:tried to|Unable to) allocate ([\d.]+) ?(bytes|KiB|MiB|GiB|TiB|PiB)?", re.IGNORECASE)
_IN_MAIN_MEMORY = re.compile("DefaultCPUAllocator: (can't allocate|not enough) memory")
"""PyTorch's words on POSIX and on Windows."""
_FREE = re.compile(r"of which ([\d.]+) (bytes|KiB|MiB|GiB) is free")
_BYTES = {"bytes": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40, "pib": 2**50}


def is_out_of_memory(error: BaseException) -> bool:
    """Whether main memory (Python, numpy, PyTorch on the CPU) or a device's memory ran out."""
    # By name, without importing torch; torch.OutOfMemoryError covers CUDA and MPS.
    named = any(each.__name__ == "OutOfMemoryError" for each in type(error).__mro__)
    return named or isinstance(error, MemoryError) or bool(_IN_MAIN_MEMORY.search(str(error)))


def shortage_line(error: BaseException) -> str:
    """One line with the amount asked for and the amount free, as far as they are known."""
    text = str(error)
    asked, free = _amount(_ASKED, text), _amount(_FREE, text)
    place = "on the card" if "CUDA" in text or "GPU" in text else "in main memory"
    if free is None and place == "in main memory":
        free = float(psutil.virtual_memory().available)
    needs = "" if asked is None else f": needs {_gigabytes(asked)} more"
    has = "" if free is None else f", {_gigabytes(free)} free"
    return f"out of memory {place}{needs}{has}; a smaller size, --precision int8 or --offload context need less"


def give_back_memory(error: BaseException) -> None:
    """Free what the failed step held, and return PyTorch's cached memory to the device, for the next try.

    The frames of the error's traceback hold the step's tensors for as long as the error is handled.
    """
    each: BaseException | None = error
    while each is not None:
        traceback.clear_frames(each.__traceback__)
        each = each.__context__
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _amount(pattern: re.Pattern[str], text: str) -> float | None:
    found = pattern.search(text)
    return None if found is None else float(found[1]) * _BYTES[(found[2] or "bytes").lower()]


def _gigabytes(amount: float) -> str:
    return f"{amount / 1e9:.1f} GB" if amount >= 1e8 else f"{amount / 1e6:.1f} MB"
