"""A network at home in main memory that visits a device: its copy at home stays, so the way back copies nothing."""

from __future__ import annotations

import weakref

import torch
from torch import Tensor, nn

_ALIGNED = 64
"""Bytes: every weight begins at a multiple of it, as PyTorch's own allocations do."""


class Home:
    """The weights of a module in main memory. They must not change while they are away.

    Moving replaces the module's parameters: references to them held elsewhere go stale.
    """

    def __init__(self, module: nn.Module, page_locked: bool = False) -> None:
        """Moves the module to main memory. page_locked: into memory that a CUDA card reads several times faster.

        8-bit weights stay in ordinary memory. Raises torch.cuda.CudaError if the system does not lock that much.
        """
        module.to("cpu").requires_grad_(False)
        self._places = [
            (owner, key, parameter)
            for owner in module.modules()
            for key, parameter in owner.named_parameters(recurse=False)
        ]
        if page_locked:
            self._lock()
            self.go_back()

    @property
    def nbytes(self) -> int:
        """Bytes of device memory that the module takes while it is away."""
        return sum(stored_bytes(parameter.data) for _, _, parameter in self._places)

    def move_to(self, device: torch.device) -> None:
        """Copy the weights to the device. After a failure half-way the whole module is still at home."""
        moved = [
            nn.Parameter(parameter.to(device, non_blocking=True), requires_grad=False)
            for _, _, parameter in self._places
        ]
        for (owner, key, _), parameter in zip(self._places, moved, strict=True):
            setattr(owner, key, parameter)

    def go_back(self) -> None:
        """Use the weights at home again and drop those on the device."""
        for owner, key, parameter in self._places:
            setattr(owner, key, parameter)

    def _lock(self) -> None:
        """Copy plain weights into one buffer and lock its pages.

        PyTorch's own pinned memory rounds every tensor up to a power of two: half as much again for Wan's weights.
        """
        plain = [index for index, (_, _, each) in enumerate(self._places) if type(each.data) is Tensor]
        sizes = [-(-self._places[index][2].nbytes // _ALIGNED) * _ALIGNED for index in plain]
        buffer = torch.empty(sum(sizes), dtype=torch.uint8)
        for index, part in zip(plain, buffer.split(sizes), strict=True):
            owner, key, parameter = self._places[index]
            kept = part[: parameter.nbytes].view(parameter.dtype).view(parameter.shape).copy_(parameter)
            self._places[index] = (owner, key, nn.Parameter(kept, requires_grad=False))
        torch.cuda.check_error(torch.cuda.cudart().cudaHostRegister(buffer.data_ptr(), buffer.nbytes, 0))
        # The buffer is held here until its pages are unlocked.
        weakref.finalize(self, _unlock, buffer)


def _unlock(buffer: Tensor) -> None:
    torch.cuda.check_error(torch.cuda.cudart().cudaHostUnregister(buffer.data_ptr()))


def stored_bytes(tensor: Tensor) -> int:
    """Bytes that a tensor takes. An 8-bit weight says the dtype that it stands for; its parts have their own."""
    if not hasattr(tensor, "__tensor_flatten__"):
        return tensor.nbytes
    parts, _ = tensor.__tensor_flatten__()
    return sum(stored_bytes(getattr(tensor, part)) for part in parts)
