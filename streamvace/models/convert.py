"""Pickled checkpoints (.pt, .pth) to safetensors: the only place of this project that opens a pickle.

`torch.load(weights_only=True)` builds tensors and plain containers and refuses everything else.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from streamvace.system.errors import UserError

DEFAULT_PARTS = ("generator", "generator_ema", "generator_lora", "state_dict", "model", "params")
"""Nestings that are taken without asking, preferred first."""
MIB = 1024 * 1024


@dataclass(frozen=True)
class Converted:
    """What a conversion wrote. part: the nesting it took, empty when there was none. dropped: what is no tensor."""

    target: Path
    tensors: int
    part: str
    dropped: tuple[str, ...]


def convert(
    source: Path,
    target: Path,
    parts: Sequence[str] = (),
    dtype: torch.dtype | None = None,
    overwrite: bool = False,
) -> Converted:
    """Write the tensors of a pickle as safetensors, under the names they have inside their nesting.

    parts: nestings to take, preferred first; none: DEFAULT_PARTS. dtype: of floating tensors; None: as they are.
    Raises UserError when the source holds anything but data, has none of the parts, or the target exists.
    """
    if target.exists() and not overwrite:
        raise UserError(f"{target} exists; --overwrite replaces it")
    nest, part = _choose(_open(source), tuple(parts) or DEFAULT_PARTS, source.name)
    tensors: dict[str, Tensor] = {}
    dropped: list[str] = []
    homes: set[int] = set()
    for name, value in nest.items():
        if not isinstance(value, Tensor):
            dropped.append(str(name))
            continue
        kept = value.detach()
        if dtype is not None and kept.is_floating_point():
            kept = kept.to(dtype)
        kept = kept.contiguous()
        # Tied weights share memory, which safetensors does not describe: each gets its own.
        home = kept.untyped_storage().data_ptr()
        tensors[str(name)] = kept.clone() if home in homes else kept
        homes.add(home)
    if not tensors:
        raise UserError(f"{source.name} holds no tensors{f' in {part!r}' if part else ''}")
    _write(tensors, target, {"source": source.name, "part": part})
    return Converted(target, len(tensors), part, tuple(dropped))


def _open(source: Path) -> Mapping[Any, Any]:
    try:
        try:
            found = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError:
            # The format of old torch versions cannot be mapped; it is read whole.
            found = torch.load(source, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"no file at {source}") from None
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{source.name} holds more than tensors and was not opened ({_first_line(error)}); "
            "ask its publisher for safetensors"
        ) from None
    except (RuntimeError, OSError, EOFError, ValueError) as error:
        raise UserError(f"cannot read {source}: {_first_line(error)}; the file is damaged, fetch it again") from error
    if not isinstance(found, Mapping):
        raise UserError(f"{source.name} holds a {type(found).__name__}, a table of tensors is needed")
    return found


def _choose(found: Mapping[Any, Any], parts: Sequence[str], source: str) -> tuple[Mapping[Any, Any], str]:
    """The nest of tensors inside (nests of) nests, and the way to it."""
    way: list[str] = []
    while nests := [str(name) for name, value in found.items() if isinstance(value, Mapping) and value]:
        if any(isinstance(value, Tensor) for value in found.values()):
            break  # tensors beside options: this is the level
        chosen = next((part for part in parts if part in nests), nests[0] if len(nests) == 1 else None)
        if chosen is None:
            raise UserError(f"{source} holds {', '.join(nests)}; --part says which one is wanted")
        way.append(chosen)
        found = found[chosen]
    return found, ".".join(way)


def _write(tensors: dict[str, Tensor], target: Path, metadata: dict[str, str]) -> None:
    """Whole or not at all: a broken conversion must not look like a model."""
    need = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    partial = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, partial, metadata={"format": "pt"} | metadata)
        os.replace(partial, target)
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        raise UserError(f"cannot write {target} ({need // MIB} MiB): {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].strip()[:200]
