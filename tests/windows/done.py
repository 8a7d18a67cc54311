"""A plugin of pytest: the tests that are done are not run again. The variable DONE names a file with their ids.

Not pytest's --deselect: that leaves out every test whose name begins with one of these.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DONE = "STREAMVACE_DONE"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the tests out that are done."""
    done = set(Path(os.environ[DONE]).read_text("utf-8").splitlines())
    config.hook.pytest_deselected(items=[each for each in items if each.nodeid in done])
    items[:] = [each for each in items if each.nodeid not in done]
