"""A mask of objects of named classes, by a YOLO detector whose file the user provides."""

from __future__ import annotations

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels, Stateless, colours, letterboxed
from streamvace.conditioning.controls.networks import Networks, OnnxNetwork
from streamvace.conditioning.masks.base import MaskSettings
from streamvace.conditioning.masks.yolo import Detection, class_names, decode
from streamvace.system.errors import UserError

_INPUT = 640
"""Side of the square input if the file does not fix it: the size YOLO networks are trained at."""

_PADDING = 114
"""Grey of the bars beside a letterboxed picture, as in YOLO's training."""


class Detector(Stateless):
    """Selects detected objects: their outline if the network gives one, else an ellipse inside the box, which fits most
    objects better than the box. Raises UserError if there is no file or it is no detector.
    """

    backend = "a YOLO file"

    def __init__(self, networks: Networks) -> None:
        if networks.detector is None:
            raise UserError("the detector mask needs a YOLO file: set /streamvace/mask/model to an .onnx file's name")
        self._network = OnnxNetwork(networks.detector)
        width, height = self._network.size
        self._size = width or _INPUT, height or _INPUT
        self.names = class_names(self._network.names)

    def update(self, frame: Pixels, seconds: float, settings: MaskSettings) -> Pixels:
        """See Mask. Every frame is processed independently; `Shaping.hold` bridges missed detections."""
        blob, scale, offset = letterbox(colours(frame), self._size)
        found = decode(self._network(blob), settings.confidence)
        wanted = self._numbers(settings.classes)
        mask = np.zeros(frame.shape[:2], np.uint8)
        for each in found:
            if wanted is None or each.label in wanted:
                self._select(mask, each, scale, offset)
        return mask

    def _numbers(self, classes: tuple[str, ...]) -> set[int] | None:
        """Class numbers of names (or of numbers as text); None selects all."""
        if not classes:
            return None
        known = {name: number for number, name in enumerate(self.names)}
        asked = (name.strip().lower() for name in classes)
        return {known[name] if name in known else int(name) for name in asked if name in known or name.isdecimal()}

    def _select(self, mask: Pixels, found: Detection, scale: float, offset: tuple[int, int]) -> None:
        height, width = mask.shape
        x1, y1, x2, y2 = ((value - offset[axis % 2]) / scale for axis, value in enumerate(found.box))
        left, top = max(0, int(x1)), max(0, int(y1))
        right, bottom = min(width, int(np.ceil(x2))), min(height, int(np.ceil(y2)))
        if right <= left or bottom <= top:
            return
        if found.mask is None:
            middle = (x1 + x2) / 2, (y1 + y2) / 2
            cv2.ellipse(mask, (middle, (x2 - x1, y2 - y1), 0), 255, -1, cv2.LINE_AA)
            return
        sure = self._in_picture(found.mask, (width, height), scale, offset)
        part = mask[top:bottom, left:right]
        np.maximum(part, (sure[top:bottom, left:right] * 255).astype(np.uint8), out=part)

    def _in_picture(self, sure: Floats, size: tuple[int, int], scale: float, offset: tuple[int, int]) -> Floats:
        """A probability map over the network's input, resampled to the picture."""
        across, down = sure.shape[1] / self._size[0], sure.shape[0] / self._size[1]
        # Pixel centres: (x + .5) * scale + offset in the input, times the scale of the probability map.
        to_mask = np.array(
            [
                [scale * across, 0, (0.5 * scale + offset[0]) * across - 0.5],
                [0, scale * down, (0.5 * scale + offset[1]) * down - 0.5],
            ]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(sure, to_mask, size, flags=flags), dtype=np.float32)


def letterbox(picture: Pixels, size: tuple[int, int]) -> tuple[Floats, float, tuple[int, int]]:
    """The network's input, float32 `[1, 3, height, width]` in 0..1, and the picture's scale and offset (x, y) in it."""
    canvas, scale, offset = letterboxed(picture, size, _PADDING)
    blob = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(255)
    return blob, scale, offset
