"""What runs beside the networks' passes: encoding of a chunk's pictures, decoding of its latents.

The latents of a chunk are decoded while its clean pass is written to the cache, so its pictures do not wait for that
pass; and while that pass runs, the next chunk's pictures are encoded. A chunk's denoising starts when both are done.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import torch
from torch import Tensor

OnHost = Callable[[], Tensor]
"""Waits until a download has arrived, and returns it."""


class Lane(Protocol):
    """A second order of work on the device, beside the current one."""

    def ahead(self) -> AbstractContextManager[object]:
        """Within it, work waits for nothing but the lane's earlier work."""

    def behind(self) -> AbstractContextManager[object]:
        """Within it, work follows everything that is queued now. What it reads must live until its download arrives."""

    def hand_over(self, *made: Tensor | None) -> None:
        """From here on, other work may read what the lane made."""

    def download(self, made: Tensor) -> OnHost:
        """Copy a tensor of the lane to the host. Call it within the lane."""


class SameLane:
    """Everything in one order, for devices without streams."""

    def ahead(self) -> AbstractContextManager[object]:
        """See Lane."""
        return nullcontext()

    def behind(self) -> AbstractContextManager[object]:
        """See Lane."""
        return nullcontext()

    def hand_over(self, *made: Tensor | None) -> None:
        """See Lane."""

    def download(self, made: Tensor) -> OnHost:
        """See Lane."""
        host = made.cpu()
        return lambda: host


class StreamLane:
    """A CUDA stream. Where both streams have work, the card prefers this one: the audience waits for it.

    PyTorch's allocator reuses a tensor's memory in the order of the stream that made it. So a tensor that is handed
    over says so (`record_stream`); its memory then stays until the other stream has passed.
    """

    def __init__(self, device: torch.device) -> None:
        """Everything queued so far, such as the loading of weights, comes before the lane's work."""
        self._stream = torch.cuda.Stream(device, priority=-1)
        self._stream.wait_stream(torch.cuda.current_stream(device))
        self._device = device

    def ahead(self) -> AbstractContextManager[object]:
        """See Lane."""
        return torch.cuda.stream(self._stream)

    def behind(self) -> AbstractContextManager[object]:
        """See Lane."""
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        return torch.cuda.stream(self._stream)

    def hand_over(self, *made: Tensor | None) -> None:
        """See Lane."""
        current = torch.cuda.current_stream(self._device)
        current.wait_stream(self._stream)
        for each in made:
            if each is not None:
                each.record_stream(current)

    def download(self, made: Tensor) -> OnHost:
        """See Lane. Every download has page-locked memory of its own: the frames of two chunks never share it."""
        host = made.to("cpu", non_blocking=True)
        arrived = self._stream.record_event()

        def wait() -> Tensor:
            arrived.synchronize()
            return host

        return wait


def lane_of(device: torch.device) -> Lane:
    """The lane beside the networks on this device."""
    return StreamLane(device) if device.type == "cuda" else SameLane()
