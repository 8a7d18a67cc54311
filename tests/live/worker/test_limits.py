"""How long the stage waits for a worker, and how often it tries again."""

from __future__ import annotations

import pytest

from streamvace.live.worker.limits import Limits
from streamvace.live.worker.pace import Pace

LIMITS = Limits(first_chunk_s=180.0, chunk_s=30.0, chunk_factor=10.0, backoff_s=(0.0, 0.5, 10.0))


@pytest.mark.parametrize(("step_s", "deadline_s"), [(0.0, 180.0), (0.5, 30.0), (3.0, 30.0), (20.0, 200.0)])
def test_a_chunk_may_take_ten_times_the_mean_and_never_less_than_the_least(step_s: float, deadline_s: float) -> None:
    """Before the first chunk there is no mean."""
    assert LIMITS.deadline_s(Pace(fps=1.0, step_s=step_s, jitter_s=0.0)) == deadline_s


def test_pauses_grow_with_crashes_in_a_row_and_the_longest_is_repeated() -> None:
    assert [LIMITS.pause_s(crashes) for crashes in (1, 2, 3, 4, 100)] == [0.0, 0.5, 10.0, 10.0, 10.0]
