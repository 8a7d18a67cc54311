"""Fixtures of the video tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.video.helpers import HandClock, write_clip


@pytest.fixture
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture
def counting_clip(tmp_path: Path) -> Path:
    """Ten frames at 10 frames a second, 64x48."""
    return write_clip(tmp_path / "counting.mp4", 10)
