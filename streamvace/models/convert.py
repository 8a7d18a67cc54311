"""Pickled checkpoints (.pt, .pth) to safetensors: the only module outside training that opens a pickle.

`torch.load(weights_only=True)` loads tensors and plain containers and refuses everything else.
"""

from __future__ import annotations

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
from streamvace.system.files import replace_file

DEFAULT_PARTS = ("generator", "generator_ema", "generator_lora", "state_dict", "model", "params")
"""Keys of nested state dicts that are used by default, preferred first."""
MIB = 1024 * 1024


@dataclass(frozen=True)
class Converted:
    """What a conversion wrote. part: keys of the nested state dict, "" if none. dropped: names that hold no tensor."""

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
    """Write the tensors of a pickle as safetensors, under their names in the nested state dict.

    parts: keys of the state dict, preferred first; empty: DEFAULT_PARTS. dtype: of floating tensors; None: unchanged.
    Raises UserError if the source holds anything but data or has none of the parts, or if the target exists.
    """
    if target.exists() and not overwrite:
        raise UserError(f"{target} exists; add --overwrite to replace it")
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
        # Tied weights share memory, which safetensors does not support: each gets a copy.
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
            # The format of old torch versions cannot be memory-mapped.
            found = torch.load(source, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        refusal = f"no file {source}; check the path"
    except pickle.UnpicklingError as error:
        refusal = (
            f"{source.name} holds more than tensors and was not opened ({_first_line(error)}); "
            "ask its publisher for a safetensors file"
        )
    except (RuntimeError, OSError, EOFError, ValueError) as error:
        refusal = f"cannot read {source}: {_first_line(error)}; download it again"
    else:
        if isinstance(found, Mapping):
            return found
        refusal = f"{source.name} holds a {type(found).__name__}, not a state dict; use another file"
        del found
    # Not in the handlers: the traceback of PyTorch's error keeps the file mapped, and Windows cannot remove it then.
    raise UserError(refusal)


def _choose(found: Mapping[Any, Any], parts: Sequence[str], source: str) -> tuple[Mapping[Any, Any], str]:
    """The state dict inside nested dicts, and the keys that lead to it, joined by dots."""
    way: list[str] = []
    while nests := [str(name) for name, value in found.items() if isinstance(value, Mapping) and value]:
        if any(isinstance(value, Tensor) for value in found.values()):
            break  # tensors beside other values: this is the state dict
        chosen = next((part for part in parts if part in nests), nests[0] if len(nests) == 1 else None)
        if chosen is None:
            raise UserError(f"{source} holds {', '.join(nests)}; choose one with --part")
        way.append(chosen)
        found = found[chosen]
    return found, ".".join(way)


def _write(tensors: dict[str, Tensor], target: Path, metadata: dict[str, str]) -> None:
    """Complete or not at all: a broken conversion must not look like a model."""
    need = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    partial = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, partial, metadata={"format": "pt"} | metadata)
        replace_file(partial, target)
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        raise UserError(f"cannot write {target} ({need // MIB} MiB): {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].strip()[:200]
