"""Controls that show the picture itself, with or without its colours."""

from __future__ import annotations

from streamvace.conditioning.controls.base import ControlSettings, Pixels, Stateless, colours, luma, three


class Raw(Stateless):
    """The unchanged picture: it already is a control signal, or the model should follow its colours."""

    backend = "the input"

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control."""
        return colours(frame)


class Gray(Stateless):
    """BT.601 brightness, as in VACE's gray annotator; the model chooses the colours."""

    backend = "OpenCV"

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control."""
        return three(luma(frame))
