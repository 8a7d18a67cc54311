"""Things of named classes: a YOLO-class detector whose file the user brings."""

from __future__ import annotations

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels, colours
from streamvace.conditioning.controls.networks import Networks, OnnxNetwork
from streamvace.conditioning.masks.base import MaskSettings
from streamvace.conditioning.masks.yolo import Detection, class_names, decode
from streamvace.system.errors import UserError

_INPUT = 640
"""Side of the square input where the file leaves it open: what YOLO networks are trained with."""

_PADDING = 114
"""Grey of the bars beside a letterboxed picture, as in their training."""


class Detector:
    """Selects what a detector finds: the outline where the network gives one, else an ellipse in the box, which is
    nearer to a figure than its corners are. Raises UserError without a file or when it is no detector.
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
        """See Mask. Every frame is judged by itself: `hold` bridges what is missed."""
        blob, scale, offset = letterbox(colours(frame), self._size)
        found = decode(self._network(blob), settings.confidence)
        wanted = self._numbers(settings.classes)
        mask = np.zeros(frame.shape[:2], np.uint8)
        for each in found:
            if wanted is None or each.label in wanted:
                self._select(mask, each, scale, offset)
        return mask

    def reset(self) -> None:
        """Nothing is remembered."""

    def _numbers(self, classes: tuple[str, ...]) -> set[int] | None:
        """Class numbers of names (or of numbers); None selects all."""
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
        """A probability over the network's input, brought back to the picture."""
        across, down = sure.shape[1] / self._size[0], sure.shape[0] / self._size[1]
        # Pixel centres: (x + .5) * scale + offset in the input, times the prototypes' scale.
        to_mask = np.array(
            [
                [scale * across, 0, (0.5 * scale + offset[0]) * across - 0.5],
                [0, scale * down, (0.5 * scale + offset[1]) * down - 0.5],
            ]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(sure, to_mask, size, flags=flags), dtype=np.float32)


def letterbox(picture: Pixels, size: tuple[int, int]) -> tuple[Floats, float, tuple[int, int]]:
    """The whole picture inside `size` (width, height), grey beside it.

    Returns float32 `[1, 3, height, width]` in 0..1, the scale and the offset (x, y) of the picture in it.
    """
    height, width = picture.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    offset = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas = np.full((size[1], size[0], 3), _PADDING, np.uint8)
    shrinks = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas[offset[1] : offset[1] + inner[1], offset[0] : offset[0] + inner[0]] = cv2.resize(
        picture, inner, interpolation=shrinks
    )
    blob = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(255)
    return blob, scale, offset
