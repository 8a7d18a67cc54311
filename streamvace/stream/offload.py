"""A network that waits in main memory while nothing needs it."""

from __future__ import annotations

import torch
from torch import nn

from streamvace.model.device import free_bytes
from streamvace.records.model_options import OFFLOADS
from streamvace.system.errors import UserError

PATIENCE = 4
"""Chunks without need before the device's memory is given back: a flick of the control switch moves nothing."""

_SLACK = 1.05


class Offload:
    """Moves a module to the device when it is needed, and back later; only ever between two chunks.

    The copy in main memory is kept all the time (weights do not change), so going back copies and allocates nothing.
    Parameters are replaced by others: references to them that are held elsewhere go stale.
    """

    def __init__(self, module: nn.Module, device: torch.device, name: str = "context") -> None:
        """Sends the module home. name: one of OFFLOADS; `none`, and a device that is main memory, move nothing ever.

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
        """Whether the module can be called with tensors of the device."""
        return all(getattr(owner, key).device.type == self._device.type for owner, key, _ in self._home[:1])

    @property
    def nbytes(self) -> int:
        """Device memory that the module takes while it is needed; 0 when it never moves."""
        return sum(parameter.numel() * parameter.element_size() for _, _, parameter in self._home)

    def begin_chunk(self, needed: bool) -> bool:
        """Before every chunk: whether it needs the module. Returns False when it does and the device has no room."""
        self._idle = 0 if needed else self._idle + 1
        if needed and not self.on_device:
            if self.nbytes * _SLACK > free_bytes(self._device):
                return False
            # All first, then all at once: a failure half-way leaves everything at home.
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
            torch.cuda.empty_cache()  # or the memory would stay this process's own


def _pinned(parameter: nn.Parameter, device: torch.device) -> nn.Parameter:
    """In pages that a card reads by itself, several times faster; quantised weights know no such thing."""
    parameter.requires_grad_(False)
    if device.type != "cuda" or type(parameter.data) is not torch.Tensor:
        return parameter
    return nn.Parameter(parameter.data.pin_memory(), requires_grad=False)
