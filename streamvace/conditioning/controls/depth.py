"""Depth as a control: near is bright, far is dark, as VACE's annotator draws it.

`NetworkDepth` runs Depth Anything V2 when its files are in the models folder. `GuessedDepth` is always there and is
what it says: a guess from where things stand, what moves and what stands out, good enough to hold a composition.
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
    colours,
    guided,
    share,
    shrunk,
    three,
    working_size,
)
from streamvace.conditioning.controls.motion_map import MotionMap
from streamvace.conditioning.controls.networks import torch_device
from streamvace.system.fix_hints import command


class DepthRange:
    """Maps relative depth to brightness with a range that settles slowly.

    A network's depth has no scale: stretched afresh for every frame or chunk (as the reference does) the whole picture
    pumps when something enters it.
    """

    def __init__(self) -> None:
        self._far, self._near = Steady(1.0), Steady(1.0)

    def picture(self, depth: Floats, seconds: float, settle_s: float) -> Pixels:
        """float32 `[h, w]`, larger is nearer, any scale, to uint8 `[h, w]`."""
        self._far.settle_s = self._near.settle_s = settle_s
        low, high = np.percentile(depth[::2, ::2], (1, 99))
        far = self._far.follow(float(low), seconds)
        near = self._near.follow(float(high), seconds)
        # A flat picture has no depth to stretch: it is drawn far away rather than as amplified noise.
        span = max(near - far, _FLAT * max(abs(near), abs(far)), 1e-6)
        return np.asarray(np.clip((depth - far) / span, 0, 1) * 255 + 0.5).astype(np.uint8)

    def reset(self) -> None:
        """Take the next frame's range as it is."""
        self._far.reset()
        self._near.reset()


_FLAT = 0.05
"""Depth that varies by less than this part of itself is flat."""

_GUESS_LONGEST = 160
"""The guess is made at this size; it has no finer detail than the guided filter gives it back."""

_REMEMBERS_S = 1.5
"""Who moved stays near for this long: a dancer's pause is no step back."""

_SEEN_SHARE = 0.12
"""How thick the picture's border is, in parts of its height, that is taken for background."""

_PALETTE = 6
"""Colours the border is described with: wall, floor, sky, curtain."""


class GuessedDepth:
    """Depth guessed from three cues, without a network: what differs from the picture's border is in front; what
    stands lower is nearer; what moves against the rest is nearer, and stays so for a while after it stops.
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
        full = cv2.resize(plane, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_CUBIC)
        return three(np.asarray(full, dtype=np.uint8))

    def reset(self) -> None:
        """See Control."""
        self._motion.reset()
        self._range.reset()
        self._last = self._background = None

    def _stands_out(self, small: Pixels, renew: float) -> Floats:
        """0..1 `[h, w]`: the distance of each colour to the nearest of the border's."""
        lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
        found = _border_colours(lab)
        if self._background is None:
            self._background = found
        else:  # each known colour moves towards the nearest new one, so that none jumps
            nearest = np.linalg.norm(self._background[:, None] - found[None], axis=-1).argmin(1)
            self._background = self._background + np.float32(renew) * (found[nearest] - self._background)
        distance = np.min([np.linalg.norm(lab - colour, axis=-1) for colour in self._background], axis=0)
        return np.asarray(np.clip(distance / _UNLIKE, 0, 1), dtype=np.float32)


_PALETTE_SETTLE_S = 1.0
_GUESS_SETTLE_S = 0.12
"""A guess trembles; three frames of averaging hide it and cost less lag than it would show."""

_UNLIKE = 40.0
"""Distance in CIE Lab at which a colour has nothing to do with the background."""


def _border_colours(lab: Floats) -> Floats:
    """`[_PALETTE, 3]`: what the picture's left, right and top borders are made of."""
    thick = max(1, round(_SEEN_SHARE * lab.shape[0]))
    border = np.concatenate([lab[:thick].reshape(-1, 3), lab[:, :thick].reshape(-1, 3), lab[:, -thick:].reshape(-1, 3)])
    order = np.argsort(border[:, 0], kind="stable")
    # Equal shares by brightness, and the middle colour of each: steadier from frame to frame than clustering.
    parts = np.array_split(border[order], _PALETTE)
    return np.stack([np.median(part, axis=0) if len(part) else border.mean(0) for part in parts]).astype(np.float32)


_NETWORK_LONGEST = 518
"""Depth Anything's own size; its patches are 14 pixels."""

_PATCH = 14


class NetworkDepth:
    """Depth Anything V2 through transformers; the range is kept over the whole show.

    device: a torch device, or auto. Raises UserError where torch or transformers is missing or the files don't load.
    """

    backend = "Depth Anything V2"

    def __init__(self, folder: Path, device: str) -> None:
        self._device = torch_device(device)
        self._network = load_depth(folder, self._device)
        self._range = DepthRange()

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control."""
        depth = self._infer(colours(frame))
        plane = self._range.picture(depth, seconds, settings.depth_smoothing)
        full = cv2.resize(plane, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_LINEAR)
        return three(np.asarray(full, dtype=np.uint8))

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
"""ImageNet's, as Depth Anything was trained."""


def load_depth(folder: Path, device: str) -> Any:
    """The network of a Hugging Face folder (config.json and model.safetensors), ready to infer."""
    from streamvace.system.errors import UserError

    try:
        import torch
        from transformers import AutoModelForDepthEstimation

        kind = torch.float16 if device.startswith("cuda") else torch.float32
        network = AutoModelForDepthEstimation.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, dtype=kind
        )
    except (ImportError, OSError, ValueError) as error:
        first = str(error).partition("\n")[0][:200]
        raise UserError(
            f"depth network in {folder} does not load: {first}; `{command('models pull vision')}`"
        ) from error
    return network.to(device).eval()
