"""A request for every value is answered within a second, each target once a second at most."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamvace.osc.syncs import INTERVAL, MOST_TARGETS, Syncs

TARGETS = [("10.0.0.5", port) for port in range(3)]


@given(st.lists(st.tuples(st.integers(0, 700), st.sampled_from(TARGETS)), max_size=60))
def test_every_request_is_answered_within_a_second_and_no_two_answers_are_closer(
    asked: list[tuple[int, tuple[str, int]]],
) -> None:
    syncs, now = Syncs(), 1000.0
    requests: dict[tuple[str, int], list[float]] = {target: [] for target in TARGETS}
    answers: dict[tuple[str, int], list[float]] = {target: [] for target in TARGETS}

    def wait_until(end: float) -> None:
        nonlocal now
        while (wait := syncs.wait(now)) is not None and now + wait <= end:
            now += wait + 1e-9
            for target in syncs.take_due(now):
                answers[target].append(now)
        now = max(now, end)

    for pause_ms, target in asked:
        wait_until(now + pause_ms / 1000)
        requests[target].append(now)
        if syncs.ask(target, now):
            answers[target].append(now)
    wait_until(now + 2)
    assert syncs.wait(now) is None
    for target in TARGETS:
        pauses = [later - earlier for earlier, later in zip(answers[target], answers[target][1:], strict=False)]
        assert all(pause >= INTERVAL - 1e-6 for pause in pauses)
        for request in requests[target]:
            assert any(request <= answer <= request + INTERVAL + 1e-3 for answer in answers[target])


def test_a_flood_of_targets_is_bounded() -> None:
    syncs = Syncs()
    at_once = sum(syncs.ask(("10.0.0.5", port), 0.0) for port in range(1000))
    assert at_once == MOST_TARGETS
    assert len(syncs.take_due(1.0)) == MOST_TARGETS
    assert syncs.wait(1.0) is None
