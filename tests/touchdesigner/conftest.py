"""A TouchDesigner project of the stand-in; at its end nothing may have been touched from another thread."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.touchdesigner.fake_td import FakeTouchDesigner
from tests.touchdesigner.guard import GUARD


@pytest.fixture
def td(tmp_path: Path) -> Iterator[FakeTouchDesigner]:
    world = FakeTouchDesigner(tmp_path)
    yield world
    assert GUARD.violations == []
    sys.modules.pop("td", None)
