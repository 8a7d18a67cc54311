"""Motion found by RAFT, for the flow control, when its weights are in the models folder."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from streamvace.conditioning.controls.base import Floats, Pixels, colours, working_size
from streamvace.conditioning.controls.networks import torch_device
from streamvace.conditioning.controls.raft import CELL, SMALLEST, RaftSmall, Seen, load_raft

_STEPS = 6
"""Half of what it is usually given: what the later steps still correct is finer than the control's colours show."""

_LONGEST, _LONGEST_ON_PROCESSOR = 512, 320
"""Pixels of the picture it looks at. On a processor even the smaller one takes about 150 ms."""


class RaftSearch:
    """See MotionSearch. Each picture is encoded once: what it was for the one before is kept for the one after."""

    backend = "RAFT"

    def __init__(self, network: RaftSmall, device: str) -> None:
        """network: on that torch device."""
        self._network = network
        self._device = device
        self._longest = _LONGEST_ON_PROCESSOR if device == "cpu" else _LONGEST
        self._last: Seen | None = None

    @classmethod
    def load(cls, path: Path, device: str) -> RaftSearch:
        """device: a torch device, or auto. Raises UserError for another network's weights."""
        chosen = torch_device(device)
        return cls(load_raft(path, chosen), chosen)

    def begin(self, frame: Pixels, gray: Pixels) -> None:
        """See MotionSearch."""
        with torch.inference_mode():
            self._last = self._network.encode(self._pixels(frame))

    def motion(self, frame: Pixels, gray: Pixels) -> Floats:
        """See MotionSearch."""
        with torch.inference_mode():
            seen = self._network.encode(self._pixels(frame))
            found = self._network.flow(seen if self._last is None else self._last, seen, _STEPS)[0]
        self._last = seen
        moved = np.ascontiguousarray(found.permute(1, 2, 0).float().cpu().numpy(), dtype=np.float32)
        # The picture it looks at is stretched a little, to whole cells: each axis has a scale of its own.
        return moved * np.array([gray.shape[1] / moved.shape[1], gray.shape[0] / moved.shape[0]], np.float32)

    def _pixels(self, frame: Pixels) -> Tensor:
        """`[1, 3, H, W]` in -1..1, in whole cells."""
        wanted = working_size((frame.shape[1], frame.shape[0]), self._longest)
        width, height = (max(SMALLEST, round(side / CELL) * CELL) for side in wanted)
        scaled = cv2.resize(colours(frame), (width, height), interpolation=cv2.INTER_AREA)
        return torch.from_numpy(scaled).to(self._device).permute(2, 0, 1)[None].float() / 127.5 - 1
