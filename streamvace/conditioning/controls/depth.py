"""Depth as a control: near is bright, far is dark, as in VACE's annotator.

`NetworkDepth` runs Depth Anything V2 if its files are in the models folder. `GuessedDepth` needs no files. It guesses
depth from position, motion and contrast with the background, well enough to hold a composition.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from streamvace.conditioning.controls.base import (
    ControlSettings,
    Floats,
    Pixels,
    Steady,
    border,
    colours,
    guided,
    resized_like,
    share,
    shrunk,
    three,
    working_size,
)
from streamvace.conditioning.controls.motion_map import MotionMap
from streamvace.conditioning.controls.networks import torch_device
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command


class DepthRange:
    """Maps relative depth to brightness with a slowly adapting range.

    A network's depth has no scale. Normalising every frame or chunk by itself, as the reference implementation does,
    makes the whole picture pump when something enters it.
    """

    def __init__(self) -> None:
        self._far, self._near = Steady(1.0), Steady(1.0)

    def picture(self, depth: Floats, seconds: float, settle_s: float) -> Pixels:
        """float32 `[h, w]` of any scale, larger is nearer -> uint8 `[h, w]`."""
        self._far.settle_s = self._near.settle_s = settle_s
        low, high = np.percentile(depth[::2, ::2], (1, 99))
        far = self._far.follow(float(low), seconds)
        near = self._near.follow(float(high), seconds)
        # A flat picture is drawn as far away rather than as amplified noise.
        span = max(near - far, _FLAT * max(abs(near), abs(far)), 1e-6)
        return np.asarray(np.clip((depth - far) / span, 0, 1) * 255 + 0.5).astype(np.uint8)

    def reset(self) -> None:
        """Forget the range: the next frame's is taken as it is."""
        self._far.reset()
        self._near.reset()


_FLAT = 0.05
"""Depth whose relative variation is smaller than this is flat."""

_GUESS_LONGEST = 160
"""Longer side in pixels of the guess; the guided filter restores outlines."""

_REMEMBERS_S = 1.5
"""Seconds for which something that moved stays near: a dancer who pauses does not step back."""

_SEEN_SHARE = 0.12
"""Thickness of the border that counts as background, as a fraction of the picture's height."""

_PALETTE = 6
"""Number of colours that describe the border: wall, floor, sky, curtain."""


class GuessedDepth:
    """Depth from three cues, without a network: what differs from the picture's border is in front; what stands lower
    is nearer; what moves against the background is nearer, and stays so for a while after it stops.
    """

    backend = "a guess without a network"

    def __init__(self) -> None:
        self._motion = MotionMap(_REMEMBERS_S)
        self._range = DepthRange()
        self._last: Floats | None = None
        self._seconds = 0.0
        self._background: Floats | None = None

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control."""
        small = shrunk(colours(frame), _GUESS_LONGEST)
        height, width = small.shape[:2]
        passed = seconds - self._seconds
        self._seconds = seconds
        if self._last is not None and self._last.shape != (height, width):
            self.reset()
        stands_out = self._stands_out(small, share(passed, _PALETTE_SETTLE_S))
        rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        nearness = 0.50 * stands_out + 0.25 * rows + 0.45 * self._motion.update(small, seconds)
        guide = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        nearness = guided(nearness.astype(np.float32), guide, max(1, width // 32), 40.0)
        if self._last is not None:
            nearness = self._last + share(passed, _GUESS_SETTLE_S) * (nearness - self._last)
        self._last = nearness
        plane = self._range.picture(nearness, seconds, settings.depth_smoothing)
        return three(resized_like(plane, frame, cv2.INTER_CUBIC))

    def reset(self) -> None:
        """See Control."""
        self._motion.reset()
        self._range.reset()
        self._last = self._background = None

    def _stands_out(self, small: Pixels, renew: float) -> Floats:
        """float32 `[h, w]`, 0..1: each pixel's colour distance to the nearest border colour."""
        lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
        found = _border_colours(lab)
        if self._background is None:
            self._background = found
        else:  # each known colour moves towards the nearest new one, so none jumps
            nearest = np.linalg.norm(self._background[:, None] - found[None], axis=-1).argmin(1)
            self._background = self._background + np.float32(renew) * (found[nearest] - self._background)
        distance = np.min([np.linalg.norm(lab - colour, axis=-1) for colour in self._background], axis=0)
        return np.asarray(np.clip(distance / _UNLIKE, 0, 1), dtype=np.float32)


_PALETTE_SETTLE_S = 1.0
_GUESS_SETTLE_S = 0.12
"""The guess jitters; averaging over about three frames hides this, at a small lag."""

_UNLIKE = 40.0
"""Distance in CIE Lab at which a colour certainly is not background."""


def _border_colours(lab: Floats) -> Floats:
    """float32 `[_PALETTE, 3]`: colours of the picture's left, right and top borders."""
    seen = border(lab, _SEEN_SHARE)
    order = np.argsort(seen[:, 0], kind="stable")
    # The median of equal shares by brightness is steadier over time than clustering.
    parts = np.array_split(seen[order], _PALETTE)
    return np.stack([np.median(part, axis=0) if len(part) else seen.mean(0) for part in parts]).astype(np.float32)


_NETWORK_LONGEST = 518
"""The resolution Depth Anything was trained at."""

_PATCH = 14
"""Pixels along each side of one of its patches."""


class NetworkDepth:
    """Depth Anything V2 through transformers; the depth range adapts over the whole show.

    device: a torch device, or auto. Raises UserError if transformers is missing or the files do not load.
    """

    backend = "Depth Anything V2"

    def __init__(self, folder: Path, device: str) -> None:
        self._device = torch_device(device)
        self._network = load_depth(folder, self._device)
        self._range = DepthRange()

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control."""
        plane = self._range.picture(self._infer(colours(frame)), seconds, settings.depth_smoothing)
        return three(resized_like(plane, frame))

    def reset(self) -> None:
        """See Control."""
        self._range.reset()

    def _infer(self, picture: Pixels) -> Floats:
        import torch

        width, height = working_size((picture.shape[1], picture.shape[0]), _NETWORK_LONGEST)
        size = (max(1, round(width / _PATCH)) * _PATCH, max(1, round(height / _PATCH)) * _PATCH)
        scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        pixels = torch.from_numpy((scaled - _MEAN) / _STD).permute(2, 0, 1)[None].to(self._device)
        with torch.inference_mode():
            depth = self._network(pixel_values=pixels.to(self._network.dtype)).predicted_depth[0]
        return np.asarray(depth.float().cpu().numpy(), dtype=np.float32)


_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_STD = np.array([0.229, 0.224, 0.225], np.float32)
"""ImageNet's statistics, which Depth Anything was trained with."""


def load_depth(folder: Path, device: str) -> Any:
    """The network of a Hugging Face folder (config.json and model.safetensors), in eval mode."""
    try:
        import torch
        from transformers import AutoModelForDepthEstimation

        kind = torch.float16 if device.startswith("cuda") else torch.float32
        network = AutoModelForDepthEstimation.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, trust_remote_code=False, dtype=kind
        )
    except (ImportError, OSError, ValueError) as error:
        first = str(error).partition("\n")[0][:200]
        raise UserError(
            f"depth network in {folder} does not load: {first}; `{command('models pull vision')}`"
        ) from error
    return network.to(device).eval()
