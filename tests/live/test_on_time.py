"""Inbox, parameters and director on one virtual clock: what is sent for a moment is seen from the nearest chunk on."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from streamvace.control.parameters import PROMPT, Parameters
from streamvace.live.director.look_ahead import LookAhead
from streamvace.osc.codec import encode_message
from streamvace.osc.inbox import Inbox
from tests.osc.packets import bundle

SENDER = ("127.0.0.1", 5000)
SECOND = 1_000_000_000
TURN_S = 0.005
"""Between two looks of the OSC thread; in a show it wakes by itself for what is due."""


@dataclass
class Stage:
    """A generator that takes `step_s` a chunk, whose chunks play for `period_s`, on a clock without a thread."""

    step_s: float
    period_s: float
    jitter: float

    def seen_at(self, sent: dict[str, float], length_s: float) -> dict[str, float]:
        """When each prompt, timed for a moment, is first on the screen: seconds on the same clock."""
        chance = random.Random(7)
        clock = 1000.0
        look, now = LookAhead(), [clock]
        parameters = Parameters(clock=lambda: int(now[0] * SECOND))
        inbox = Inbox(parameters, lambda: now[0], look_ahead_s=look.read)
        for prompt, due in sent.items():
            inbox.take(bundle(encode_message(PROMPT, prompt), at=clock + due), SENDER)
        seen: dict[str, float] = {}
        start, playing_until = clock, clock
        while now[0] < clock + length_s:
            inbox.flush()
            if now[0] >= start:
                backlog_s = max(0.0, playing_until - now[0])
                look.chunk_starts(int(now[0] * SECOND), self.step_s, backlog_s)
                prompt = parameters.advance().text(PROMPT)
                done = now[0] + self.step_s * (1 + self.jitter * chance.uniform(-1, 1))
                shown = max(done, playing_until)
                seen.setdefault(prompt, shown - clock)
                playing_until = shown + self.period_s
                start = max(done, playing_until - self.step_s)  # as the pace asks: ready when the queue runs out
            now[0] += TURN_S
        return seen


@pytest.mark.parametrize(
    ("step_s", "period_s", "jitter"),
    [(0.3, 0.5, 0.0), (0.3, 0.5, 0.2), (0.05, 0.4, 0.1), (1.5, 1.5, 0.05), (0.5, 0.5, 0.0)],
)
def test_a_timed_prompt_is_seen_from_the_chunk_nearest_its_time(step_s: float, period_s: float, jitter: float) -> None:
    sent = {f"prompt {number}": 10.0 + 7.3 * number for number in range(20)}
    seen = Stage(step_s, period_s, jitter).seen_at(sent, 170.0)
    slack = TURN_S + 2 * jitter * step_s
    for prompt, due in sent.items():
        assert abs(seen[prompt] - due) <= period_s / 2 + slack, (prompt, due, seen[prompt])


def test_without_looking_ahead_it_would_be_late_by_the_way_to_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards the promise above: the same show with no look-ahead does not keep it."""
    monkeypatch.setattr(LookAhead, "read", lambda look: 0.0)
    sent = {f"prompt {number}": 10.0 + 7.3 * number for number in range(20)}
    seen = Stage(0.8, 0.8, 0.0).seen_at(sent, 170.0)
    assert all(seen[prompt] - due > 0.4 for prompt, due in sent.items())
