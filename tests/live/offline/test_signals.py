"""The signal chain of a render knows when each frame of the clip is shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamvace.conditioning.controls.networks import Networks
from streamvace.conditioning.masks.motion import Motion
from streamvace.control.parameters import Parameters
from streamvace.live.director.layout import Pictures
from streamvace.live.offline.signals import OfflineSignals
from streamvace.system.media import MediaFolder


def test_motion_and_smoothing_are_measured_by_the_times_of_the_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    update = Motion.update

    def noting(self: Motion, frame: np.ndarray, seconds: float, settings: object) -> np.ndarray:
        seen.append(seconds)
        return update(self, frame, seconds, settings)  # type: ignore[arg-type]

    monkeypatch.setattr(Motion, "update", noting)
    signals = OfflineSignals(Networks(tmp_path), MediaFolder(tmp_path), "embedded")
    snapshot = Parameters({"/streamvace/mask_source": "motion"}).snapshot()
    clip = Pictures.of_one(np.zeros((3, 32, 32, 4), np.uint8))
    signals.made_of(clip, (0.0, 0.1, 0.7), snapshot)
    signals.made_of(clip, (0.75, 0.8, 2.0), snapshot)
    assert seen == [0.0, 0.1, 0.7, 0.75, 0.8, 2.0]
