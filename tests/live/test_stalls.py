"""What a show promises after a stall, on virtual time: the old pace within three chunks, and no timer that is lost.

A stall of the stage is a jump of the clock between two looks at it, as after SIGSTOP or a closed lid.
"""

from __future__ import annotations

import pytest

from streamvace.live.worker.limits import Limits
from tests.live.show import SECOND
from tests.live.virtual_show import Turn, VirtualShow

CHUNK_S = 0.75
STALLED_CHUNK = 40
STALLS_S = (1.0, 5.0, 25.0, 3600.0)
LIMIT_S = 30.0
"""For a chunk: a worker that stalls for longer is replaced."""
SPAN_S = 10.0
"""Over which a rate is counted."""


class Stalled:
    """A show with one stall in its 41st chunk. Counts fresh pictures before it, and from the fourth chunk after it."""

    def __init__(self, stall_s: float, who: str, limits: Limits | None = None) -> None:
        self.who, self.stall_s = who, stall_s
        self.fresh: list[tuple[int, int]] = []
        self.over_ns = 0
        self._began_ns = 0
        self.show = VirtualShow(
            4 * SPAN_S + STALLED_CHUNK * CHUNK_S + (min(stall_s, LIMIT_S) if who == "worker" else stall_s),
            self._turn,
            on_tick=self._tick,
            limits=limits or Limits(chunk_s=LIMIT_S),
        )
        self.figures = self.show.play()

    def _turn(self, chunk: int) -> Turn:
        if chunk != STALLED_CHUNK:
            return Turn(CHUNK_S)
        self._began_ns = self.show.time.now()
        if self.who != "worker":
            return Turn(CHUNK_S)
        self.over_ns = self._began_ns + round((CHUNK_S + self.stall_s) * SECOND)
        return Turn(CHUNK_S + self.stall_s)

    def _tick(self, show: VirtualShow) -> None:
        now_ns = show.time.now()
        if self._began_ns and not self.over_ns and now_ns > self._began_ns + 0.3 * SECOND:
            self.over_ns = show.stand_still(self.stall_s, worker=self.who == "both")
        self.fresh.append((now_ns, int(show.presenter.stats()["fresh"])))

    def rate(self, from_ns: int) -> float:
        """Fresh pictures a second in the SPAN_S from a moment."""
        counts = [fresh for now_ns, fresh in self.fresh if 0 <= now_ns - from_ns < SPAN_S * SECOND]
        return (counts[-1] - counts[0]) / SPAN_S

    @property
    def before(self) -> float:
        return self.rate(self._began_ns - round(SPAN_S * SECOND))

    @property
    def after(self) -> float:
        later = [when for when, _ in self.show.sent[STALLED_CHUNK + 1 :] if when > self._began_ns]
        return self.rate(later[3])


@pytest.mark.parametrize("who", ["worker", "stage", "both"])
@pytest.mark.parametrize("stall_s", STALLS_S)
def test_after_a_stall_of_any_length_the_old_rate_is_back_within_three_chunks(stall_s: float, who: str) -> None:
    stalled = Stalled(stall_s, who)
    assert stalled.before > 12
    assert stalled.after == pytest.approx(stalled.before, rel=0.1)


@pytest.mark.parametrize("who", ["stage", "both"])
@pytest.mark.parametrize("stall_s", STALLS_S[1:])
def test_a_clock_that_jumped_is_said_once_with_its_length_and_costs_no_worker(stall_s: float, who: str) -> None:
    stalled = Stalled(stall_s, who, Limits(chunk_s=3.0, chunk_factor=2.0))
    assert [line for line in stalled.show.lines if "stood still" in line] == stalled.show.lines
    (line,) = stalled.show.lines
    assert float(line.partition("stood still for ")[2].split()[0]) == pytest.approx(stall_s, abs=0.1)
    assert stalled.figures["stalled_ms"] == pytest.approx(1000 * stall_s, abs=100)
    assert stalled.figures["missed"] == pytest.approx(stall_s * 30, abs=2), "nothing was published"
    assert stalled.figures["worker_restarts"] == 0


def test_a_worker_that_hangs_alone_is_still_replaced_at_its_limit() -> None:
    stalled = Stalled(3600.0, "worker", Limits(chunk_s=LIMIT_S))
    assert stalled.figures["worker_restarts"] == 1
    assert stalled.figures["stalled_ms"] == 0
    assert stalled.show.lines == ["worker: a chunk took longer than 30 s; starting it again"]
    began, again = (when for when, _ in stalled.show.sent[STALLED_CHUNK : STALLED_CHUNK + 2])
    assert 30.0 <= (again - began) / SECOND < 33.0


def test_a_worker_that_starts_while_everything_stands_still_is_not_given_up() -> None:
    stood: list[int] = []

    def lid(show: VirtualShow) -> None:
        if not stood and show.time.now() > SECOND:
            stood.append(show.stand_still(3600.0, worker=True))

    show = VirtualShow(3620.0, on_tick=lid, limits=Limits(start_s=5.0, attempts=1))
    figures = show.play()
    assert (figures["worker_restarts"], figures["worker_state"]) == (0, "stopped")
    assert int(figures["chunks"]) > 20


def test_a_worker_that_starts_slowly_and_says_so_is_not_given_up() -> None:
    figures = VirtualShow(30.0, start_s=8.0, limits=Limits(start_s=5.0, attempts=1)).play()
    assert (figures["worker_restarts"], figures["worker_state"]) == (0, "stopped")
    assert int(figures["chunks"]) > 20


def test_pictures_that_were_queued_before_a_stall_are_shown_after_it() -> None:
    stalled = Stalled(25.0, "both")
    assert stalled.figures["dropped"] == 0


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_a_lasting_change_of_the_pace_is_followed_within_five_chunks(factor: float) -> None:
    rates: list[float] = []

    def script(chunk: int) -> Turn:
        rates.append(float(show.presenter.stats()["play_rate"]))
        return Turn(CHUNK_S if chunk < STALLED_CHUNK else CHUNK_S * factor)

    show = VirtualShow(90.0, script)
    show.play()
    settled = min(24.0, 0.98 * 12 / (CHUNK_S * factor))
    assert rates[STALLED_CHUNK + 6] == pytest.approx(settled, rel=0.1)
