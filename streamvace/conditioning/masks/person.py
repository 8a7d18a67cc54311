"""A mask of people: MediaPipe's selfie segmentation, smoothed over time."""

from __future__ import annotations

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels, colours, guided, resized_like, share, shrunk
from streamvace.conditioning.controls.networks import LiteNetwork, Networks
from streamvace.conditioning.masks.base import MaskSettings

WIDE_FILE, SQUARE_FILE = "selfie_segmentation_landscape.tflite", "selfie_segmentation.tflite"
"""256x144 and 256x256 inputs; MediaPipe, Apache-2.0."""

_SETTLE_S = 0.05
"""The network processes every frame independently; averaging over 1.5 frames removes most of the jitter."""

_GUIDE_LONGEST, _GUIDE_RADIUS, _GUIDE_BORDER = 384, 4, 30.0
"""Size, radius and edge variance of the guided filter that aligns the network's coarse outline with the picture's."""

_STEEP = 6.0
"""Slope of the mask over the probability at the requested confidence."""


class Person:
    """People at up to about five metres; the network is made for video calls. Raises UserError if a file is missing."""

    backend = "MediaPipe selfie segmentation"

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._wide = LiteNetwork(networks.find(WIDE_FILE, "the person mask"))
        self._square: LiteNetwork | None = None
        self._last: Floats | None = None
        self._seconds = 0.0

    def update(self, frame: Pixels, seconds: float, settings: MaskSettings) -> Pixels:
        """See Mask."""
        network = self._for_shape(frame.shape[1], frame.shape[0])
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
        return resized_like((firm * 255).astype(np.uint8), frame)

    def reset(self) -> None:
        """See Mask."""
        self._last = None

    def _for_shape(self, width: int, height: int) -> LiteNetwork:
        """The network for this aspect ratio; squeezing a wide picture into a square costs accuracy."""
        if width > 1.3 * height:
            return self._wide
        if self._square is None:
            self._square = LiteNetwork(self._networks.find(SQUARE_FILE, "the person mask"))
        return self._square
