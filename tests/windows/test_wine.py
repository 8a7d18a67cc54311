"""The whole rehearsal under Wine: `pytest -m wine`. See docs/windows.md."""

from __future__ import annotations

import pytest

from tests.windows.run import main


@pytest.mark.wine
def test_the_suite_passes_on_the_windows_python() -> None:
    assert main([]) == 0
