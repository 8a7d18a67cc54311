"""Published Wan checkpoints: the layouts of LongLive, MemFlow, StreamDiffusionV2, Krea, Reward Forcing and VACE.

They differ in nesting (`generator.`, `generator_ema.`), in prefixes that wrappers leave behind (`model.`, `module.`,
FSDP and compile marks), in sharding and in dtype. Inside are Wan's names of the base, the VACE branch or both.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch

from streamvace.model.checkpoint import DtypeRule, Renaming, check_module, load_module, on_meta
from streamvace.model.context import ContextBranch
from streamvace.model.specs import WanSize
from streamvace.model.stored import describe
from streamvace.model.transformer import CausalWan
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command

PARTS = ("generator", "generator_ema", "state_dict")
"""Nestings of a transformer, preferred first: the originals run `generator` unless the average is requested."""
OTHER_PARTS = ("critic", "fake_score", "real_score", "discriminator")
"""Other nestings that training leaves in a checkpoint."""
PREFIXES = ("model.diffusion_model.", "diffusion_model.", "model.", "module.")
WRAPPER_MARKS = ("_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_orig_mod.")
CONTEXT_PREFIX = "vace_"


def unwrapped(names: Iterable[str], part: str | None = None) -> dict[str, str]:
    """{Wan name: stored name} without nesting, prefixes and wrapper marks.

    part: the nesting to load; None: the first of PARTS that is present, if any. A prefix is removed only if every name
    has it. Raises UserError if `part` is not present.
    """
    inner = {without_marks(name): name for name in names}
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


def without_marks(name: str) -> str:
    """A parameter name without the marks of FSDP, checkpointing and torch.compile."""
    for mark in WRAPPER_MARKS:
        name = name.replace(mark, "")
    return name


def base_names(size: WanSize, part: str | None = None) -> Renaming:
    """The renaming for a CausalWan: known names of the VACE branch in a full checkpoint are left out."""
    context = on_meta(lambda: ContextBranch(size)).state_dict().keys()
    return lambda names: {name: stored for name, stored in unwrapped(names, part).items() if name not in context}


def context_names(size: WanSize, part: str | None = None) -> Renaming:
    """The renaming for a ContextBranch: known names of the base in a full checkpoint are left out."""
    base = on_meta(lambda: CausalWan(size)).state_dict().keys()

    def rename(names: Iterable[str]) -> dict[str, str]:
        found = unwrapped(names, part)
        if found and not any(name.startswith(CONTEXT_PREFIX) for name in found):
            raise UserError(
                f"the file contains no VACE branch, only {describe(set(found))} tensors of a base; "
                f"`{command('models list')}` names the VACE file of each pipeline"
            )
        return {name: stored for name, stored in found.items() if name not in base}

    return rename


def load_wan(
    size: WanSize,
    path: Path,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | DtypeRule = torch.bfloat16,
    part: str | None = None,
) -> CausalWan:
    """The transformer of a published checkpoint.

    path: safetensors, single or sharded, possibly a full VACE checkpoint. part: see `unwrapped`.
    Raises UserError as load_module, and for a missing part.
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
    """See check_module. Raises UserError as load_wan."""
    return check_module(lambda: CausalWan(size), path, base_names(size, part))


def check_context(size: WanSize, path: Path, part: str | None = None) -> int:
    """See check_module. Raises UserError as load_context."""
    return check_module(lambda: ContextBranch(size), path, context_names(size, part))
