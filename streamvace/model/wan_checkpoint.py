"""Published Wan checkpoints: the layouts of LongLive, MemFlow, StreamDiffusionV2, Krea, Reward Forcing and VACE.

They differ in nesting (`generator.`, `generator_ema.`), in prefixes that wrappers leave behind (`model.`, `module.`,
FSDP and compile marks), in sharding and dtype. What is inside are Wan's own names: the base, the VACE branch or both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import nn

from streamvace.model.checkpoint import DtypeRule, Renaming, load_module, match
from streamvace.model.context import ContextBranch
from streamvace.model.specs import WanSize
from streamvace.model.stored import StoredTensors, describe
from streamvace.model.transformer import CausalWan
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command

PARTS = ("generator", "generator_ema", "state_dict")
"""Nestings that hold a transformer, preferred first: the originals run `generator` unless told to take the average."""
OTHER_PARTS = ("critic", "fake_score", "real_score", "discriminator")
"""Nestings that training leaves beside it."""
PREFIXES = ("model.diffusion_model.", "diffusion_model.", "model.", "module.")
WRAPPER_MARKS = ("_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_orig_mod.")
CONTEXT_PREFIX = "vace_"


def unwrapped(names: Iterable[str], part: str | None = None) -> dict[str, str]:
    """{Wan name: stored name} without nesting, prefixes and wrapper marks.

    part: the nesting to take where there is one; None: the first of PARTS that is there. A prefix goes only where
    every name has it. Raises UserError when `part` is not there.
    """
    inner = {_without_marks(name): name for name in names}
    nested = {prefix for name in inner if (prefix := name.partition(".")[0]) in PARTS}
    if part is not None and part not in nested:
        has = ", ".join(sorted(nested)) or "no nesting"
        raise UserError(f"the checkpoint has no part {part!r}; it has {has}")
    if nested:
        chosen = part or next(each for each in PARTS if each in nested)
        others = (nested - {chosen}) | set(OTHER_PARTS)
        inner = {
            name.removeprefix(f"{chosen}."): stored
            for name, stored in inner.items()
            if name.partition(".")[0] not in others
        }
    while common := [prefix for prefix in PREFIXES if inner and all(name.startswith(prefix) for name in inner)]:
        inner = {name.removeprefix(common[0]): stored for name, stored in inner.items()}
    return inner


def _without_marks(name: str) -> str:
    for mark in WRAPPER_MARKS:
        name = name.replace(mark, "")
    return name


def base_names(size: WanSize, part: str | None = None) -> Renaming:
    """The renaming for a CausalWan: the VACE branch of a full checkpoint is left out, if it is one that we know."""
    context = _names(lambda: ContextBranch(size))
    return lambda names: {name: stored for name, stored in unwrapped(names, part).items() if name not in context}


def context_names(size: WanSize, part: str | None = None) -> Renaming:
    """The renaming for a ContextBranch: the base of a full checkpoint is left out, if it is one that we know."""
    base = _names(lambda: CausalWan(size))

    def rename(names: Iterable[str]) -> dict[str, str]:
        found = unwrapped(names, part)
        if found and not any(name.startswith(CONTEXT_PREFIX) for name in found):
            raise UserError(
                f"the file holds no VACE branch, only {describe(set(found))} tensors of a base; "
                f"`{command('models list')}` names the VACE file of each pipeline"
            )
        return {name: stored for name, stored in found.items() if name not in base}

    return rename


def _names(build: Callable[[], nn.Module]) -> set[str]:
    return set(_on_meta(build).state_dict())


def load_wan(
    size: WanSize,
    path: Path,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | DtypeRule = torch.bfloat16,
    part: str | None = None,
) -> CausalWan:
    """The transformer of a published checkpoint.

    path: safetensors, single or sharded; a full VACE checkpoint will do. part: see `unwrapped`.
    Raises UserError as load_module does, and for a missing part.
    """
    return load_module(lambda: CausalWan(size), path, device, dtype, base_names(size, part))


def load_context(
    size: WanSize,
    path: Path,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | DtypeRule = torch.bfloat16,
    part: str | None = None,
) -> ContextBranch:
    """The VACE branch, from a module file (`Wan2_1-VACE_module_*`) or a full VACE checkpoint. Raises as load_wan."""
    return load_module(lambda: ContextBranch(size), path, device, dtype, context_names(size, part))


def check_wan(size: WanSize, path: Path, part: str | None = None) -> int:
    """Check a transformer's file without reading values; the number of its tensors. Raises UserError as load_wan."""
    with StoredTensors(path) as stored:
        return len(match(_on_meta(lambda: CausalWan(size)), stored, base_names(size, part)))


def check_context(size: WanSize, path: Path, part: str | None = None) -> int:
    """Check a VACE file without reading values; the number of its tensors. Raises UserError as load_context."""
    with StoredTensors(path) as stored:
        return len(match(_on_meta(lambda: ContextBranch(size)), stored, context_names(size, part)))


def _on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return build()
