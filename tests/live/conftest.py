"""Shows in processes of their own, and the check that none of them leaves anything behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.running import Running, Start
from tests.live.show import wait_until


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts shows, and checks at the end that none of them left a process or shared memory."""
    started: list[Running] = []

    def begin(*options: str, factory: str = "make", kind: type[Running] = Running) -> Running:
        started.append(kind(tmp_path, *options, factory=factory))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.finish()
        wait_until(lambda each=each: not each.left_behind(), f"nothing left, not {each.left_behind()}")  # type: ignore[misc]
