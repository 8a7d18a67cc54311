"""One browser for all tests of the page: a tab costs a tenth of a start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real_parts import require
from tests.web.devtools import Browser, browser, chromium
from tests.web.show import Show


@pytest.fixture(scope="session")
def tabs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = chromium()
    require("chromium", bool(program), "apt-get install chromium")
    with browser(program, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def show() -> Iterator[Show]:
    running = Show()
    yield running
    running.close()
