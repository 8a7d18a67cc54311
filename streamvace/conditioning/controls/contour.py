"""VACE's own scribble: its contour network, when its weights are in the models folder.

A generator after Johnson et al. 2016 with instance norms (Chan et al. 2022, "Learning to generate line drawings");
17 MB of weights, converted to safetensors by `streamvace models pull vision`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from streamvace.conditioning.controls.base import ControlSettings, Pixels, colours, share, three, working_size
from streamvace.conditioning.controls.networks import torch_device
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command

FILE = "scribble.safetensors"

_LONGEST = 640
_STEP = 4
"""The network halves its input twice."""

_SETTLE_S = 0.04
"""Every frame is drawn by itself; a little averaging steadies the strokes."""


class ContourScribble:
    """device: a torch device, or auto. Raises UserError where torch is missing or the file is another network's."""

    backend = "VACE's contour network"

    def __init__(self, path: Path, device: str) -> None:
        self._device = torch_device(device)
        self._network = load_contour(path, self._device)
        self._last: Pixels | None = None
        self._seconds = 0.0

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control."""
        import torch

        height, width = frame.shape[:2]
        size = working_size((width, height), _LONGEST)
        size = (max(_STEP, round(size[0] / _STEP) * _STEP), max(_STEP, round(size[1] / _STEP) * _STEP))
        small = cv2.resize(colours(frame), size, interpolation=cv2.INTER_AREA)
        pixels = torch.from_numpy(small).to(self._device).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            drawn = self._network(pixels)[0, 0].mul(255).clamp(0, 255).byte().cpu().numpy()
        full = np.asarray(cv2.resize(drawn, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
        if self._last is not None and self._last.shape == full.shape:
            part = share(seconds - self._seconds, _SETTLE_S)
            full = np.asarray(cv2.addWeighted(full, part, self._last, 1 - part, 0), dtype=np.uint8)
        self._last, self._seconds = full, seconds
        return three(full)

    def reset(self) -> None:
        """See Control."""
        self._last = None


def contour_network(blocks: int = 3) -> Any:
    """The network, untrained: `[B, 3, H, W]` in 0..1 to `[B, 1, H, W]` in 0..1, white lines; sides divisible by 4.

    Its parameters are named as in VACE-Annotators' scribble checkpoint.
    """
    from collections import OrderedDict

    from torch import Tensor, nn

    class Residual(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.conv_block = nn.Sequential(*_same(width), nn.ReLU(), *_same(width))

        def forward(self, x: Tensor) -> Tensor:
            drawn: Tensor = self.conv_block(x)
            return x + drawn

    def _same(width: int) -> list[nn.Module]:
        return [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width)]

    def down(width: int) -> list[nn.Module]:
        return [nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU()]

    def up(width: int) -> list[nn.Module]:
        half = width // 2
        return [nn.ConvTranspose2d(width, half, 3, 2, 1, output_padding=1), nn.InstanceNorm2d(half), nn.ReLU()]

    first = [nn.ReflectionPad2d(3), nn.Conv2d(3, 64, 7), nn.InstanceNorm2d(64), nn.ReLU()]
    stages: OrderedDict[str, nn.Module] = OrderedDict(
        model0=nn.Sequential(*first),
        model1=nn.Sequential(*down(64), *down(128)),
        model2=nn.Sequential(*(Residual(256) for _ in range(blocks))),
        model3=nn.Sequential(*up(256), *up(128)),
        model4=nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(64, 1, 7), nn.Sigmoid()),
    )
    return nn.Sequential(stages)


def load_contour(path: Path, device: str) -> Any:
    """The network with the weights of a safetensors file, ready to draw."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(str(path))
        network = contour_network()
        network.load_state_dict(weights, strict=True)
    except (SafetensorError, OSError, RuntimeError) as error:
        first = " ".join(str(error).split())[:200]
        raise UserError(f"{path} is not VACE's contour network: {first}; `{command('models pull vision')}`") from error
    return network.to(device).eval()
