"""LoRA files: read in all published namings, merged into a transformer's weights, and merged again at new strengths.

Merged LoRAs cost nothing at run time, unlike side paths of rank 256 on every matrix. A LoRA applies to the base.
Tensors for the context branch, which is a separate module, are skipped and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from streamvace.model.stored import StoredTensors, describe
from streamvace.model.wan_checkpoint import CONTEXT_PREFIX, without_marks
from streamvace.system.errors import UserError

PREFIXES = ("base_model.model.", "generator_lora.", "generator.", "diffusion_model.", "model.")
FLAT_PREFIX = "lora_unet_"
"""Kohya's naming, which also replaces the dots of module names by underscores."""

_ROLES = (
    (re.compile(r"(.+)\.(?:lora_A|lora_down)(?:\.\w+)?\.weight"), "down"),
    (re.compile(r"(.+)\.(?:lora_B|lora_up)(?:\.\w+)?\.weight"), "up"),
    (re.compile(r"(.+)\.alpha"), "alpha"),
    (re.compile(r"(.+)\.diff"), "weight"),
    (re.compile(r"(.+)\.diff_b"), "bias"),
)
"""Endings of tensor names. `diff` and `diff_b` are full differences of a weight and a bias."""


@dataclass(frozen=True)
class Delta:
    """The change of one parameter at strength 1: `scale * up @ down`, or `up` itself without `down`."""

    up: Tensor
    down: Tensor | None = None
    scale: float = 1.0

    def value(self, like: Tensor) -> Tensor:
        """The difference in float32, on `like`'s device and in its shape."""
        up = self.up.to(like.device, torch.float32)
        if self.down is None:
            return up.reshape(like.shape)
        down = self.down.to(like.device, torch.float32)
        return (up.flatten(1) @ down.flatten(1)).mul_(self.scale).reshape(like.shape)


@dataclass(frozen=True)
class Lora:
    """One file, matched to one model.

    deltas: by parameter name. skipped: stored names of tensors for the context branch.
    """

    name: str
    deltas: Mapping[str, Delta]
    skipped: tuple[str, ...] = ()


@dataclass
class _Parts:
    """The tensors of one module in a file."""

    down: Tensor | None = None
    up: Tensor | None = None
    alpha: Tensor | None = None
    weight: Tensor | None = None
    bias: Tensor | None = None
    stored: list[str] = field(default_factory=list)


def read_lora(path: Path, model: nn.Module, alpha: float | None = None) -> Lora:
    """Read a LoRA for `model`.

    path: safetensors. Namings: PEFT (`lora_A` / `lora_B`), `lora_down` / `lora_up`, Kohya's `lora_unet_*`, ComfyUI's
    `diffusion_model.*` with full differences. alpha: for files without alpha tensors. The scale is alpha / rank, or 1
    if there is no alpha at all.
    Raises UserError if a tensor fits no module of the model, half of a pair is missing or a shape is wrong.
    """
    targets = {name: module for name, module in model.named_modules() if name}
    flat = {name.replace(".", "_"): name for name in targets}
    found: dict[str, _Parts] = {}
    skipped: list[str] = []
    unknown: set[str] = set()
    with StoredTensors(path) as stored:
        for name in sorted(stored.shapes):
            module, role = _parse(name, flat)
            if module.startswith(CONTEXT_PREFIX):
                skipped.append(name)
            elif module not in targets or not role:
                unknown.add(name)
            else:
                parts = found.setdefault(module, _Parts())
                setattr(parts, role, _checked(stored.name, name, role, stored.get(name)))
                parts.stored.append(name)
        title = stored.name
    if unknown:
        raise UserError(f"{title} holds {describe(unknown)} tensors that fit nothing in this model; is it for another?")
    if not found:
        raise UserError(f"{title} holds no LoRA for this model ({len(skipped)} tensors are for the context branch)")
    parameters = dict(model.named_parameters())
    deltas: dict[str, Delta] = {}
    for module, parts in found.items():
        deltas |= _deltas(title, module, parts, parameters, alpha)
    return Lora(title, deltas, tuple(skipped))


def _checked(title: str, name: str, role: str, tensor: Tensor) -> Tensor:
    """A tensor that can be what its name says. Raises UserError for any other."""
    shape = list(tensor.shape)
    if not tensor.is_floating_point():
        raise UserError(
            f"{title}: {name} is {tensor.dtype}, a LoRA consists of floating-point numbers; use another file"
        )
    if role == "alpha" and tensor.numel() != 1:
        raise UserError(f"{title}: {name} is {shape}, an alpha is one number; use another file")
    if role in ("down", "up") and (tensor.dim() < 2 or not tensor.numel()):
        raise UserError(f"{title}: {name} is {shape}, a LoRA's matrix has a rank of at least 1; use another file")
    # Widened first: torch has no `isfinite` for 8-bit numbers.
    if not bool(tensor.float().isfinite().all()):
        raise UserError(f"{title}: {name} holds NaN or infinite numbers; its training failed, use another file")
    return tensor


def _parse(name: str, flat: Mapping[str, str]) -> tuple[str, str]:
    """(module name, role) of a stored name; the role is empty if the ending is unknown."""
    name = without_marks(name)
    while prefix := next((each for each in PREFIXES if name.startswith(each)), ""):
        name = name.removeprefix(prefix)
    for pattern, role in _ROLES:
        if match := pattern.fullmatch(name):
            module = match[1]
            if module.startswith(FLAT_PREFIX):
                bare = module.removeprefix(FLAT_PREFIX)
                module = flat.get(bare, bare)
            return module, role
    return name, ""


def _deltas(
    title: str, module: str, parts: _Parts, parameters: Mapping[str, nn.Parameter], alpha: float | None
) -> Iterator[tuple[str, Delta]]:
    """(parameter name, delta) of one module, with shapes checked."""
    if (parts.down is None) != (parts.up is None) or (parts.alpha is not None and parts.down is None):
        raise UserError(f"{title}: {module} has only {', '.join(parts.stored)}; half of the pair is missing")

    def target(kind: str, shape: tuple[int, ...]) -> str:
        name = f"{module}.{kind}"
        if name not in parameters:
            raise UserError(f"{title} changes {name}, which this model does not have; is it for another?")
        needed = tuple(parameters[name].shape)
        if shape != needed:
            raise UserError(f"{title}: the LoRA of {name} is {list(shape)}, this model needs {list(needed)}")
        return name

    if parts.down is not None and parts.up is not None:
        rank = parts.down.shape[0]
        if parts.up.flatten(1).shape[1] != rank:
            raise UserError(f"{title}: {module} has rank {rank} going down and {parts.up.flatten(1).shape[1]} going up")
        said = float(parts.alpha) if parts.alpha is not None else alpha
        name = target("weight", (parts.up.shape[0], *parts.down.shape[1:]))
        yield name, Delta(parts.up, parts.down, 1.0 if said is None else said / rank)
        if parts.weight is not None:
            raise UserError(f"{title}: {module} has both a pair and a full difference for its weight")
    elif parts.weight is not None:
        yield target("weight", tuple(parts.weight.shape)), Delta(parts.weight)
    if parts.bias is not None:
        yield target("bias", tuple(parts.bias.shape)), Delta(parts.bias)


def merge_lora(model: nn.Module, lora: Lora, strength: float = 1.0, device: torch.device | None = None) -> None:
    """Merge permanently: the original weights are not kept. device: where it is computed; None: the model's own."""
    parameters = dict(model.named_parameters())
    for name, delta in lora.deltas.items():
        parameter = parameters[name]
        _write(parameter, parameter.detach(), ((strength, delta),), device or parameter.device)


class MergedLoras:
    """LoRAs merged into a model, with strengths that can change while it runs.

    The original weights of the changed parameters are kept, and every change merges from them, so changes do not
    accumulate errors. Parameters are written in place: compiled and captured steps stay valid.
    """

    def __init__(
        self,
        model: nn.Module,
        loras: Sequence[Lora],
        strengths: Sequence[float] | None = None,
        keep_on: torch.device | str = "cpu",
    ) -> None:
        """strengths: one per LoRA; None: 1 for all. keep_on: the device of the original weights."""
        self._loras = tuple(loras)
        touched = {name for lora in self._loras for name in lora.deltas}
        self._parameters = {name: each for name, each in model.named_parameters() if name in touched}
        self._base = {
            name: torch.empty_like(each, device=keep_on).copy_(each.detach()) for name, each in self._parameters.items()
        }
        # The strengths now merged into each parameter.
        self._held = {name: self._shares(name, (0.0,) * len(self._loras)) for name in self._parameters}
        self._strengths: tuple[float, ...] = ()
        self.set(strengths if strengths is not None else (1.0,) * len(self._loras))

    @property
    def strengths(self) -> tuple[float, ...]:
        """The strengths requested last, one per LoRA."""
        return self._strengths

    @property
    def nbytes(self) -> int:
        """Memory of the original weights in bytes."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self._base.values())

    def set(self, strengths: Sequence[float]) -> None:
        """Merge at these strengths, all parameters at once."""
        for _ in self.steps(strengths):
            pass

    def steps(self, strengths: Sequence[float]) -> Iterator[int]:
        """Merge one parameter per step and yield its bytes, so that a caller can merge a few between two chunks.

        Parameters that have these strengths already are skipped, so a later walk completes an unfinished one.
        Raises ValueError for a wrong number of strengths.
        """
        new = tuple(float(each) for each in strengths)
        if len(new) != len(self._loras):
            raise ValueError(f"{len(new)} strengths for {len(self._loras)} LoRAs")
        self._strengths = new
        return self._walk(new)

    def _walk(self, strengths: tuple[float, ...]) -> Iterator[int]:
        for name, parameter in self._parameters.items():
            shares = self._shares(name, strengths)
            if shares != self._held[name]:
                deltas = [lora.deltas[name] for lora in self._loras if name in lora.deltas]
                _write(parameter, self._base[name], zip(shares, deltas, strict=True), parameter.device)
                self._held[name] = shares
                yield parameter.nbytes

    def _shares(self, name: str, strengths: tuple[float, ...]) -> tuple[float, ...]:
        """The strengths of the LoRAs that change a parameter."""
        pairs = zip(strengths, self._loras, strict=True)
        return tuple(strength for strength, lora in pairs if name in lora.deltas)


@torch.no_grad()
def _write(parameter: nn.Parameter, base: Tensor, added: Iterable[tuple[float, Delta]], device: torch.device) -> None:
    """parameter := base + sum of strength * delta, computed on `device` in float32 and rounded once."""
    added = [(strength, delta) for strength, delta in added if strength]
    if not added:
        parameter.copy_(base)
        return
    # Transfer first, then widen: in one call torch widens on the CPU and transfers twice as much.
    total = base.to(device).to(torch.float32, copy=True)
    for strength, delta in added:
        total.add_(delta.value(total), alpha=strength)
    parameter.copy_(total)
