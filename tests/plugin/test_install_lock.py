"""One installation at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
from install_lock import one_at_a_time
from installer import never
from pip_step import Cancelled


def test_a_second_installation_reports_once_that_it_waits_and_can_be_cancelled(tmp_path: Path) -> None:
    waits: list[str] = []
    answers = iter([False, True])
    with (
        one_at_a_time(tmp_path, lambda: waits.append("first"), never),
        pytest.raises(Cancelled),
        one_at_a_time(tmp_path, lambda: waits.append("second"), lambda: next(answers)),
    ):
        pytest.fail("two installations at once")
    assert waits == ["second"]


def test_a_finished_installation_frees_the_lock(tmp_path: Path) -> None:
    for _ in range(2):
        with one_at_a_time(tmp_path, lambda: pytest.fail("still locked"), never):
            pass
