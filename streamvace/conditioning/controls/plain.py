"""Controls that are the picture itself: as it is, or without its colours."""

from __future__ import annotations

from streamvace.conditioning.controls.base import ControlSettings, Pixels, colours, luma, three


class Raw:
    """The picture untouched: it is a control signal already, or the model is to follow its colours."""

    backend = "the input"

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control."""
        return colours(frame)

    def reset(self) -> None:
        """Nothing is remembered."""


class Gray:
    """Brightness only, BT.601, as VACE's gray annotator: the model chooses the colours."""

    backend = "OpenCV"

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control."""
        return three(luma(frame))

    def reset(self) -> None:
        """Nothing is remembered."""
