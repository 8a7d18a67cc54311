"""Weights into modules: safetensors only, strict keys and shapes, checked before anything is allocated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from streamvace.errors import UserError

M = TypeVar("M", bound=nn.Module)


def _describe(names: set[str]) -> str:
    first = ", ".join(sorted(names)[:3])
    return f"{len(names)} ({first}{', ...' if len(names) > 3 else ''})"


def load_module(
    build: Callable[[], M], path: Path, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> M:
    """Build a module without memory and fill it from a safetensors file.

    build: makes the module (called on the meta device). dtype: what floating tensors become.
    Raises UserError on a missing or unreadable file, missing or unexpected keys, or a wrong shape.
    """
    with torch.device("meta"):
        module = build()
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    try:
        file = safe_open(path, "pt", device=str(device))
    except FileNotFoundError:
        raise UserError(f"no weights at {path}; see `streamvace doctor`") from None
    except (SafetensorError, OSError) as error:
        raise UserError(f"cannot read weights {path}: {error}; the file is damaged, fetch it again") from error
    with file:
        found = set(file.keys())
        if missing := set(wanted) - found:
            raise UserError(f"{path.name} lacks {_describe(missing)} of {len(wanted)} tensors; is it another model?")
        if unexpected := found - set(wanted):
            raise UserError(f"{path.name} holds {_describe(unexpected)} unknown tensors; is it another model?")
        for name, shape in wanted.items():
            if (stored := tuple(file.get_slice(name).get_shape())) != shape:
                raise UserError(f"{path.name}: {name} is {list(stored)}, this model needs {list(shape)}")
        state = {}
        for name in wanted:
            tensor = file.get_tensor(name)
            state[name] = tensor.to(dtype) if tensor.is_floating_point() else tensor
    module.load_state_dict(state, strict=True, assign=True)
    return module.eval().requires_grad_(False)
