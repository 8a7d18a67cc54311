"""Keeps a network in main memory while it is not needed."""

from __future__ import annotations

import torch
from torch import nn

from streamvace.model.device import free_bytes
from streamvace.records.model_options import OFFLOADS
from streamvace.system.errors import UserError

PATIENCE = 4
"""Chunks without need before device memory is freed: switching control off and on again moves nothing."""

_SLACK = 1.05


class Offload:
    """Moves a module to the device when it is needed and back later, only between two chunks.

    The copy in main memory stays (weights do not change), so moving back copies and allocates nothing.
    Moving replaces the module's parameters: references to them held elsewhere go stale.
    """

    def __init__(self, module: nn.Module, device: torch.device, name: str = "context") -> None:
        """Moves the module to main memory. name: one of OFFLOADS; with `none`, or on the CPU, nothing ever moves.

        Raises UserError for an unknown name.
        """
        if name not in OFFLOADS:
            raise UserError(f"unknown offload {name!r}; there are: {', '.join(OFFLOADS)}")
        self._device = device
        self._idle = 0
        self._home: list[tuple[nn.Module, str, nn.Parameter]] = []
        if name == "none" or device.type == "cpu":
            return
        module.to("cpu")
        for owner in module.modules():
            for key, parameter in owner.named_parameters(recurse=False):
                self._home.append((owner, key, _pinned(parameter, device)))
        self._go_home()

    @property
    def on_device(self) -> bool:
        """Whether the module can be called with tensors on the device."""
        return all(getattr(owner, key).device.type == self._device.type for owner, key, _ in self._home[:1])

    @property
    def nbytes(self) -> int:
        """Bytes of device memory that the module takes while needed; 0 when it never moves."""
        return sum(parameter.numel() * parameter.element_size() for _, _, parameter in self._home)

    def begin_chunk(self, needed: bool) -> bool:
        """Call before every chunk. needed: the chunk uses the module. Returns False when the device lacks room."""
        self._idle = 0 if needed else self._idle + 1
        if needed and not self.on_device:
            if self.nbytes * _SLACK > free_bytes(self._device):
                return False
            # Copy all, then replace all: after a failure half-way the whole module is still in main memory.
            moved = [
                nn.Parameter(parameter.to(self._device, non_blocking=True), requires_grad=False)
                for _, _, parameter in self._home
            ]
            for (owner, key, _), parameter in zip(self._home, moved, strict=True):
                setattr(owner, key, parameter)
        elif self._home and self._idle >= PATIENCE and self.on_device:
            self._go_home()
        return True

    def _go_home(self) -> None:
        for owner, key, parameter in self._home:
            setattr(owner, key, parameter)
        if self._device.type == "cuda":
            torch.cuda.empty_cache()  # otherwise PyTorch keeps the memory reserved


def _pinned(parameter: nn.Parameter, device: torch.device) -> nn.Parameter:
    """In pinned memory, which a card reads several times faster; quantised weights do not support it."""
    parameter.requires_grad_(False)
    if device.type != "cuda" or type(parameter.data) is not torch.Tensor:
        return parameter
    return nn.Parameter(parameter.data.pin_memory(), requires_grad=False)
