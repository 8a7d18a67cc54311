"""Keeps a network in main memory while it is not needed."""

from __future__ import annotations

import logging

import torch
from torch import nn

from streamvace.model.device import free_bytes
from streamvace.model.home import Home
from streamvace.records.model_options import OFFLOADS
from streamvace.system.errors import UserError

PATIENCE = 4
"""Chunks without need before device memory is freed: switching control off and on again moves nothing."""

_SLACK = 1.05

log = logging.getLogger(__name__)


class Offload:
    """Moves a module to the device when it is needed and back later, only between two chunks; see `Home`."""

    def __init__(self, module: nn.Module, device: torch.device, name: str = "context") -> None:
        """Moves the module to main memory. name: one of OFFLOADS; with `none`, or on the CPU, nothing ever moves.

        Raises UserError for an unknown name.
        """
        if name not in OFFLOADS:
            raise UserError(f"unknown offload {name!r}; there are: {', '.join(OFFLOADS)}")
        self._device = device
        self._idle = 0
        self._away = False
        stays = name == "none" or device.type == "cpu"
        self._home = None if stays else _home_of(module, device)

    @property
    def nbytes(self) -> int:
        """Bytes of device memory that the module takes while needed; 0 when it never moves."""
        return 0 if self._home is None else self._home.nbytes

    def begin_chunk(self, needed: bool) -> bool:
        """Call before every chunk. needed: the chunk uses the module. Returns False when the device lacks room."""
        if self._home is None:
            return True
        self._idle = 0 if needed else self._idle + 1
        if needed and not self._away:
            if self.nbytes * _SLACK > free_bytes(self._device):
                return False
            self._home.move_to(self._device)
            self._away = True
        elif self._away and self._idle >= PATIENCE:
            self._home.go_back()
            self._away = False
            if self._device.type == "cuda":
                torch.cuda.empty_cache()  # otherwise PyTorch keeps the memory reserved
        return True


def _home_of(module: nn.Module, device: torch.device) -> Home:
    if device.type != "cuda":
        return Home(module)
    try:
        return Home(module, page_locked=True)
    except torch.cuda.CudaError as error:
        home = Home(module)
        size = f"{home.nbytes / 1e9:.1f} GB of main memory cannot be locked ({error})"
        log.warning("--offload: %s; the context branch takes longer to reach the card. Close other programs", size)
        return home
