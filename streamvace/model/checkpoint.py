"""Loading weights into modules: safetensors only, with strict keys and shapes, checked before anything is allocated.

Tensors go one by one from the mapped file to the target device and dtype. The module is built on the meta device and
adopts them, so there is never a second copy of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from streamvace.model.stored import Shape, StoredTensors, describe
from streamvace.system.errors import UserError

M = TypeVar("M", bound=nn.Module)

Renaming = Callable[[Iterable[str]], Mapping[str, str]]
"""Stored names -> {parameter name: stored name}.

A stored name may be left out only if it is known and not needed, such as the other half of a full VACE checkpoint.
Unknown names must stay in the result, so that they are reported.
"""

DtypeRule = Callable[[str, torch.dtype], torch.dtype]
"""(parameter name, stored dtype) -> the dtype to load as; called only for floating-point tensors."""


def as_stored(names: Iterable[str]) -> dict[str, str]:
    """The renaming for files that use the parameters' own names."""
    return {name: name for name in names}


class _WithoutValues(TorchFunctionMode):
    """Constructors on the meta device fill nothing: there is nothing to fill.

    PyTorch answers `normal_`, `zeros` and their kind there with Python code that imports the whole compiler and sympy,
    which is half of the time that the embedded model takes to load.
    """

    CREATES = frozenset({torch.zeros, torch.ones, torch.rand, torch.randn})
    FILLS = frozenset(
        {torch.Tensor.normal_, torch.Tensor.uniform_, torch.Tensor.zero_, torch.Tensor.fill_}
        | {nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_, nn.init.zeros_, nn.init.ones_}
    )

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in self.FILLS:
            return args[0] if args else kwargs["tensor"]
        return (torch.empty if func in self.CREATES else func)(*args, **kwargs)


def on_meta(build: Callable[[], M]) -> M:
    """Build a module on the meta device, without memory or values for its weights."""
    with torch.device("meta"), _WithoutValues():
        return build()


def load_module(
    build: Callable[[], M],
    path: Path,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | DtypeRule = torch.float32,
    rename: Renaming = as_stored,
) -> M:
    """Build a module and fill it from safetensors.

    build: called on the meta device. path: see StoredTensors. dtype: of floating-point tensors.
    Raises UserError for a missing or unreadable file, missing or unexpected keys, or a wrong shape.
    """
    module = on_meta(build)
    with StoredTensors(path, device) as stored:
        state = {}
        for name, source in match(module, stored, rename).items():
            tensor = stored.get(source)
            if tensor.is_floating_point():
                tensor = tensor.to(dtype if isinstance(dtype, torch.dtype) else dtype(name, tensor.dtype))
            state[name] = tensor
    module.load_state_dict(state, strict=True, assign=True)
    return module.eval().requires_grad_(False)


def check_module(build: Callable[[], nn.Module], path: Path, rename: Renaming = as_stored) -> int:
    """Check a file without reading values; returns the number of its tensors. Raises UserError as load_module."""
    with StoredTensors(path) as stored:
        return len(match(on_meta(build), stored, rename))


def match(module: nn.Module, stored: StoredTensors, rename: Renaming = as_stored) -> dict[str, str]:
    """{parameter name: stored name} for the whole module, which may be on the meta device.

    Raises UserError unless names and shapes of the stored tensors are exactly the module's. Shapes are checked first,
    because a wrong width describes a model of another size better than a list of extra layers.
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
