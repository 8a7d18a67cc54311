"""Who is in the picture: MediaPipe's selfie segmentation, with a memory against flicker."""

from __future__ import annotations

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels, colours, guided, share, shrunk
from streamvace.conditioning.controls.networks import LiteNetwork, Networks
from streamvace.conditioning.masks.base import MaskSettings

WIDE_FILE, SQUARE_FILE = "selfie_segmentation_landscape.tflite", "selfie_segmentation.tflite"
"""256x144 and 256x256 inputs; MediaPipe, Apache-2.0."""

_SETTLE_S = 0.05
"""The network judges every frame by itself; a frame and a half of averaging takes most of the trembling away."""

_GUIDE_LONGEST, _GUIDE_RADIUS, _GUIDE_BORDER = 384, 4, 30.0
"""Its outline is 256 pixels fine; a guided filter at this size pulls it to the outlines of the picture."""

_STEEP = 6.0
"""How fast a probability around the asked-for confidence turns into yes or no."""


class Person:
    """People, near or half near: made for video calls, good to about five metres. Raises UserError without its file."""

    backend = "MediaPipe selfie segmentation"

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._wide = LiteNetwork(networks.find(WIDE_FILE, "the person mask"))
        self._square: LiteNetwork | None = None
        self._last: Floats | None = None
        self._seconds = 0.0

    def update(self, frame: Pixels, seconds: float, settings: MaskSettings) -> Pixels:
        """See Mask."""
        height, width = frame.shape[:2]
        network = self._for_shape(width, height)
        picture = colours(frame)
        scaled = cv2.resize(picture, (network.width, network.height), interpolation=cv2.INTER_AREA)
        sure = network(scaled.astype(np.float32) / 255)[0].reshape(network.height, network.width)
        if self._last is not None and self._last.shape == sure.shape:
            sure = self._last + share(seconds - self._seconds, _SETTLE_S) * (sure - self._last)
        self._last, self._seconds = sure, seconds
        guide = cv2.cvtColor(shrunk(picture, _GUIDE_LONGEST), cv2.COLOR_RGB2GRAY).astype(np.float32)
        at_guide = cv2.resize(sure, (guide.shape[1], guide.shape[0]), interpolation=cv2.INTER_LINEAR)
        sure = guided(at_guide, guide, _GUIDE_RADIUS, _GUIDE_BORDER)
        firm = np.clip(0.5 + _STEEP * (sure - np.float32(settings.confidence)), 0, 1)
        full = cv2.resize((firm * 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(full, dtype=np.uint8)

    def reset(self) -> None:
        """See Mask."""
        self._last = None

    def _for_shape(self, width: int, height: int) -> LiteNetwork:
        """The network made for that shape of picture; a wide picture squeezed into a square costs accuracy."""
        if width > 1.3 * height:
            return self._wide
        if self._square is None:
            self._square = LiteNetwork(self._networks.find(SQUARE_FILE, "the person mask"))
        return self._square
