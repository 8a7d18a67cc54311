"""A models folder of its own for every test, and networks at test size under the published names."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamvace.models import check
from tests.networks import SMALL


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Real key names, small shapes: the 1.3B of these tests is the small network."""
    folder = tmp_path / "models"
    monkeypatch.setenv("STREAMVACE_MODELS", str(folder))
    monkeypatch.setitem(check.SIZES, "1.3B", SMALL)
    return folder
