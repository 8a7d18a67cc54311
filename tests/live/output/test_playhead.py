"""The playhead: one picture per tick, nothing old after a cut, and counters that add up."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from streamvace.live.output.playhead import MAX_QUEUED_FRAMES, ContentFrame, HoldMode, Playhead, Shown
from streamvace.live.worker.pace import PaceMeter
from tests.live.show import SECOND, content

TICK = SECOND // 30


def numbers(playhead: Playhead, ticks: int, start_ns: int = 0, mode: HoldMode = HoldMode.HOLD) -> list[int]:
    shown = [playhead.tick(start_ns + i * TICK, mode)[1] for i in range(ticks)]
    return [-1 if each is None else int(each.pixels[0, 0, 0]) for each in shown]


def test_before_the_first_chunk_there_is_the_slate() -> None:
    playhead = Playhead(15)
    assert playhead.tick(0) == (Shown.SLATE, None)


def test_the_first_frame_is_shown_at_once() -> None:
    playhead = Playhead(15)
    playhead.tick(0)
    playhead.offer([content(1)])
    assert playhead.tick(TICK)[0] is Shown.FRESH


def test_content_at_half_the_output_rate_shows_each_frame_twice() -> None:
    playhead = Playhead(15)
    playhead.offer([content(i) for i in range(5)])
    assert numbers(playhead, 10) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert playhead.counters.repeated == 0


def test_content_faster_than_the_output_drops_frames_and_counts_them() -> None:
    playhead = Playhead(60)
    playhead.offer([content(i) for i in range(9)])
    assert numbers(playhead, 5) == [0, 2, 4, 6, 8]
    assert playhead.counters.dropped == 4


def test_after_a_stall_the_content_clock_goes_on_where_it_stood() -> None:
    playhead = Playhead(15)
    playhead.offer([content(i) for i in range(5)])
    assert numbers(playhead, 3) == [0, 0, 1]
    assert numbers(playhead, 8, start_ns=25 * SECOND) == [1, 1, 2, 2, 3, 3, 4, 4]
    assert playhead.counters.dropped == 0


def test_a_late_chunk_is_bridged_by_holding_the_last_frame() -> None:
    playhead = Playhead(30)
    playhead.offer([content(1), content(2)])
    assert numbers(playhead, 6) == [1, 2, 2, 2, 2, 2]
    assert playhead.counters.repeated == 4


def test_a_late_chunk_is_bridged_by_playing_back_and_forth_after_a_short_hold() -> None:
    playhead = Playhead(30)
    playhead.offer([content(i) for i in range(4)])
    shown = numbers(playhead, 30, mode=HoldMode.PING_PONG)
    assert shown[:4] == [0, 1, 2, 3]
    walked = shown[4:]
    hold = walked.index(2)  # the turn
    assert set(walked[:hold]) == {3}
    assert walked[hold : hold + 8] == [2, 1, 0, 1, 2, 3, 2, 1]


def test_after_a_gap_late_frames_are_not_skipped_to_catch_up() -> None:
    playhead = Playhead(30)
    playhead.offer([content(1)])
    numbers(playhead, 40)
    playhead.offer([content(2), content(3), content(4)])
    assert numbers(playhead, 3, start_ns=40 * TICK) == [2, 3, 4]
    assert playhead.counters.dropped == 0


def test_a_tick_that_comes_late_keeps_the_content_in_time() -> None:
    playhead = Playhead(30)
    playhead.offer([content(i) for i in range(30)])
    playhead.tick(0)
    assert playhead.tick(10 * TICK)[1] is not None
    assert playhead.counters.dropped == 9


def test_a_cut_empties_the_queue_and_holds_the_picture_until_a_newer_one_exists() -> None:
    playhead = Playhead(30)
    playhead.offer([content(i) for i in range(5)])
    playhead.tick(0)
    playhead.cut(1)
    assert numbers(playhead, 3, start_ns=TICK, mode=HoldMode.PING_PONG) == [0, 0, 0]
    playhead.offer([content(9, generation=1)])
    assert numbers(playhead, 1, start_ns=9 * TICK) == [9]
    assert playhead.counters.discarded == 4


def test_a_chunk_from_before_the_cut_is_never_shown() -> None:
    playhead = Playhead(30)
    playhead.cut(2)
    playhead.offer([content(1, generation=1)])
    assert playhead.tick(0)[0] is Shown.SLATE
    assert playhead.counters.discarded == 1


def test_a_pause_holds_the_picture_and_keeps_the_queue() -> None:
    playhead = Playhead(30)
    playhead.offer([content(i) for i in range(4)])
    playhead.tick(0)
    for i in range(1, 50):
        shown, held = playhead.tick(i * TICK, paused=True)
        assert shown is Shown.PACED
        assert held is not None
        assert held.pixels[0, 0, 0] == 0
    assert numbers(playhead, 3, start_ns=50 * TICK) == [1, 2, 3]


def test_the_queue_is_bounded_and_drops_the_oldest() -> None:
    playhead = Playhead(30)
    playhead.offer([content(i) for i in range(MAX_QUEUED_FRAMES + 5)])
    assert playhead.counters.dropped == 5
    assert numbers(playhead, 1) == [5]


offers = st.tuples(st.just("offer"), st.integers(0, 24), st.integers(0, 3))
cuts = st.tuples(st.just("cut"), st.integers(0, 3), st.just(0))
ticks = st.tuples(st.just("tick"), st.integers(0, SECOND), st.integers(0, 3))
rates = st.tuples(st.just("rate"), st.integers(1, 120), st.just(0))


@settings(max_examples=200)
@given(st.lists(st.one_of(offers, cuts, ticks, ticks, rates), max_size=80))
def test_whatever_arrives_whenever_each_tick_shows_one_picture_and_nothing_older_than_the_newest_shown(
    events: list[tuple[str, int, int]],
) -> None:
    playhead = Playhead(24)
    now = ticked = 0
    newest_offered = newest_shown = cut_at = -1
    for name, amount, extra in events:
        if name == "offer":
            playhead.offer([content(i, generation=extra) for i in range(amount)])
            if amount and extra >= cut_at:
                newest_offered = max(newest_offered, extra)
        elif name == "cut":
            playhead.cut(amount)
            cut_at = max(cut_at, amount)
        elif name == "rate":
            playhead.play_rate = amount
        else:
            now += amount
            ticked += 1
            mode = HoldMode.PING_PONG if extra % 2 else HoldMode.HOLD
            shown, picture = playhead.tick(now, mode, paused=extra == 3)
            assert (picture is None) == (shown is Shown.SLATE)
            if picture is not None:
                assert picture.generation >= newest_shown
                newest_shown = picture.generation
    counters = playhead.counters
    assert counters.fresh + counters.paced + counters.repeated + counters.slate == ticked
    queued = playhead.queued
    assert counters.received == counters.fresh + counters.dropped + counters.discarded + queued


def test_an_hour_with_jittery_chunks_and_stalls_in_virtual_time_starves_only_during_the_stalls() -> None:
    """Generator, flow control and playhead together: no threads, no waiting."""
    playhead, meter = Playhead(24), PaceMeter()
    busy_until: int | None = None
    started = 0
    step = 0
    pace = meter.pace()
    repeated_by_minute: dict[int, int] = {}
    for tick in range(30 * 3600):
        now = tick * TICK
        if busy_until is not None and now >= busy_until:
            pace = meter.record(12, (busy_until - started) / SECOND)
            playhead.play_rate = pace.play_rate(24)
            playhead.offer([content(0)] * 12)
            busy_until = None
        if busy_until is None and pace.wait_s(playhead.queued / playhead.play_rate, 1 / 30) <= 0:
            step += 1
            seconds = 0.55 + 0.1 * ((step * 7919) % 100) / 100  # 18 to 22 frames a second
            stalled = 5.0 if step in (1000, 3000) else 0.0
            started, busy_until = now, now + round((seconds + stalled) * SECOND)
        before = playhead.counters.repeated
        playhead.tick(now)
        repeated_by_minute[now // (60 * SECOND)] = (
            repeated_by_minute.get(now // (60 * SECOND), 0) + playhead.counters.repeated - before
        )
    starved = {minute: count for minute, count in repeated_by_minute.items() if count > 3}
    assert len([minute for minute in starved if minute > 0]) <= 4, starved
    assert playhead.counters.dropped == 0
    assert playhead.counters.fresh > 3600 * 17


def test_nothing_is_shown_twice_or_out_of_order_while_chunks_keep_up() -> None:
    playhead = Playhead(24)
    seen: list[int] = []
    last: ContentFrame | None = None
    for tick in range(600):
        if tick % 12 == 0:
            playhead.offer([content(tick // 12 * 9 + i) for i in range(9)])
        _, last_now = playhead.tick(tick * TICK)
        if last_now is not last and last_now is not None:
            seen.append(int(last_now.pixels[0, 0, 0]))
            last = last_now
    assert seen == [i % 256 for i in range(len(seen))]
