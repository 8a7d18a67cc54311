"""Weights into modules: safetensors only, strict keys and shapes, checked before anything is allocated.

Values go one at a time from the mapped file to the target device and dtype; the module is built without memory and
takes them over, so there is never a second copy of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from streamvace.model.stored import Shape, StoredTensors, describe
from streamvace.system.errors import UserError

M = TypeVar("M", bound=nn.Module)

Renaming = Callable[[Iterable[str]], Mapping[str, str]]
"""Stored names -> {parameter name: stored name}.

A stored name may be left out only when it is known and not wanted (the other half of a full VACE checkpoint, say);
one that is not known keeps some name of its own here, so that it is reported.
"""

DtypeRule = Callable[[str, torch.dtype], torch.dtype]
"""(parameter name, stored dtype) -> the dtype it gets; asked for floating tensors only."""


def as_stored(names: Iterable[str]) -> dict[str, str]:
    """The renaming of files that use the parameters' own names."""
    return {name: name for name in names}


def load_module(
    build: Callable[[], M],
    path: Path,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | DtypeRule = torch.float32,
    rename: Renaming = as_stored,
) -> M:
    """Build a module without memory and fill it from safetensors.

    build: makes the module (called on the meta device). path: see StoredTensors. dtype: what floating tensors become.
    Raises UserError on a missing or unreadable file, missing or unexpected keys, or a wrong shape.
    """
    with torch.device("meta"):
        module = build()
    with StoredTensors(path, device) as stored:
        state = {}
        for name, source in match(module, stored, rename).items():
            tensor = stored.get(source)
            if tensor.is_floating_point():
                tensor = tensor.to(dtype if isinstance(dtype, torch.dtype) else dtype(name, tensor.dtype))
            state[name] = tensor
    module.load_state_dict(state, strict=True, assign=True)
    return module.eval().requires_grad_(False)


def match(module: nn.Module, stored: StoredTensors, rename: Renaming = as_stored) -> dict[str, str]:
    """{parameter name: stored name} for the whole module, which may be on the meta device.

    Raises UserError unless the stored tensors are exactly the module's, in name and shape. The shape is looked at
    first: a model of another size is better told by its width than by the layers it has too many.
    """
    wanted: dict[str, Shape] = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    found = rename(stored.shapes)
    for name, shape in wanted.items():
        if name in found and (has := stored.shapes[found[name]]) != shape:
            raise UserError(f"{stored.name}: {name} is {list(has)}, this model needs {list(shape)}")
    if missing := wanted.keys() - found.keys():
        raise UserError(f"{stored.name} lacks {describe(missing)} of {len(wanted)} tensors; is it another model?")
    if unexpected := found.keys() - wanted.keys():
        names = {found[name] for name in unexpected}
        raise UserError(f"{stored.name} holds {describe(names)} unknown tensors; is it another model?")
    return {name: found[name] for name in wanted}
