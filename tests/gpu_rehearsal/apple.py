"""What Apple's GPU cannot do: float64, and the operations without a kernel in PyTorch's own table of operations."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import torchgen

TABLE = Path(torchgen.__file__).parent / "packaged" / "ATen" / "native" / "native_functions.yaml"

ENTRY = re.compile(r"^- func: ([\w.]+)\((.*?)(?=^- func: |\Z)", re.MULTILINE | re.DOTALL)
DELEGATE = re.compile(r"^  structured_delegate: (\S+)$", re.MULTILINE)
KEYS = re.compile(r"^    ([A-Z]\w*(?:, \w+)*):", re.MULTILINE)
ANYWHERE = {"CompositeImplicitAutograd", "CompositeExplicitAutograd", "CompositeExplicitAutogradNonFunctional", "MPS"}


@cache
def kernels() -> dict[str, tuple[str, frozenset[str]]]:
    """By the operation's name: the operation that it delegates to, and the devices that it has kernels for."""
    found = {}
    for name, body in ENTRY.findall(TABLE.read_text(encoding="utf-8")):
        delegate = DELEGATE.search(body)
        keys = frozenset(key for line in KEYS.findall(body) for key in line.split(", "))
        found[name] = ("" if delegate is None else delegate[1], keys)
    return found


@cache
def runs_on_apple(name: str) -> bool:
    """Whether the operation (`aten::add.Tensor`) has a kernel there, or is made of others everywhere."""
    bare = name.removeprefix("aten::")
    if not name.startswith("aten::") or bare not in kernels():
        return False
    delegate, keys = kernels()[bare]
    return runs_on_apple(f"aten::{delegate}") if delegate else not keys or bool(keys & ANYWHERE)
