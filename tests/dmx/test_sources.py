"""Who of several desks counts: the state machines against rules that look at every packet that ever came."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from streamvace.dmx.packets import SLOTS, Levels
from streamvace.dmx.sources import (
    ARTNET_SILENT_S,
    SACN_SILENT_S,
    SACN_SOURCES,
    ArtNetSources,
    SacnSources,
    is_late_sacn,
)

SHOWN = 3
"""Channels that the tests change; all others stay at zero."""


def artnet(source: str, *levels: int, sequence: int = 0) -> Levels:
    return Levels("artnet", 1, source, sequence, bytes(levels), source)


def sacn(
    source: str, *levels: int, sequence: int = 0, priority: int = 100, preview: bool = False, ended: bool = False
) -> Levels:
    return Levels("sacn", 1, source, sequence, bytes(levels), source, priority, preview, ended)


def shown(sources: ArtNetSources | SacnSources) -> tuple[int, ...] | None:
    merged = sources.merged()
    assert merged is None or len(merged) == SLOTS
    return None if merged is None else tuple(merged[:SHOWN])


def test_of_two_desks_the_higher_level_counts() -> None:
    sources = ArtNetSources(latest=False)
    sources.take(artnet("a", 10, 200, 0), 0.0)
    sources.take(artnet("b", 20, 100, 0), 0.0)
    assert shown(sources) == (20, 200, 0)


def test_of_two_desks_the_one_that_changed_a_channel_last_counts_for_that_channel() -> None:
    sources = ArtNetSources(latest=True)
    sources.take(artnet("a", 10, 200, 5), 0.0)
    sources.take(artnet("b", 20, 100, 5), 0.1)
    assert shown(sources) == (20, 100, 5)
    sources.take(artnet("a", 11, 200, 5), 0.2)
    sources.take(artnet("b", 20, 100, 5), 0.3)  # the same again is no change
    assert shown(sources) == (11, 100, 5)


def test_a_third_desk_waits_until_one_of_the_two_is_silent_for_ten_seconds() -> None:
    sources = ArtNetSources(latest=False)
    assert sources.take(artnet("a", 1), 0.0)
    assert sources.take(artnet("b", 2), 5.0)
    assert not sources.take(artnet("c", 3), 10.0)
    assert sources.take(artnet("c", 3), 10.1)
    assert sorted(sources.sources) == ["b", "c"]


def test_a_packet_with_fewer_channels_leaves_the_others_at_zero() -> None:
    sources = ArtNetSources(latest=False)
    sources.take(artnet("a", 1, 2, 3), 0.0)
    sources.take(artnet("a", 4), 0.1)
    assert shown(sources) == (4, 0, 0)


def test_the_highest_priority_counts_alone_and_equals_share_by_the_higher_level() -> None:
    sources = SacnSources()
    sources.take(sacn("a", 255, 0, 9, priority=90), 0.0)
    sources.take(sacn("b", 10, 20, 0), 0.0)
    sources.take(sacn("c", 20, 10, 0), 0.0)
    assert shown(sources) == (20, 20, 0)
    sources.take(sacn("b", 1, 1, 1, sequence=1, priority=120), 0.1)
    assert shown(sources) == (1, 1, 1)


def test_a_source_that_ends_its_stream_or_is_silent_counts_no_more() -> None:
    sources = SacnSources()
    sources.take(sacn("a", 10), 0.0)
    sources.take(sacn("b", 20, priority=150), 2.4)
    sources.forget(2.5)
    assert sorted(sources.sources) == ["a", "b"]
    sources.forget(2.6)
    assert sorted(sources.sources) == ["b"]
    sources.take(sacn("b", 20, sequence=1, priority=150, ended=True), 2.7)
    assert shown(sources) is None


def test_a_preview_never_counts() -> None:
    sources = SacnSources()
    assert not sources.take(sacn("a", 10, preview=True), 0.0)
    assert shown(sources) is None


def test_only_so_many_sources_are_kept_and_a_stronger_one_takes_the_place_of_the_weakest() -> None:
    sources = SacnSources()
    for number in range(SACN_SOURCES):
        assert sources.take(sacn(f"s{number}", 1, priority=100 + number), 0.0)
    assert not sources.take(sacn("weak", 9, priority=100), 0.0)
    assert sources.take(sacn("strong", 9, priority=101), 0.0)
    assert len(sources.sources) == SACN_SOURCES
    assert "s0" not in sources.sources


def test_numbers_of_sacn_that_are_a_little_behind_are_late() -> None:
    assert is_late_sacn(10, 10)
    assert is_late_sacn(10, 9)
    assert is_late_sacn(5, 242)
    assert not is_late_sacn(10, 11)
    assert not is_late_sacn(255, 0)
    assert not is_late_sacn(30, 10)  # twenty behind: the sender has started anew


def test_numbers_of_art_net_go_from_255_to_1_and_zeros_do_not_count() -> None:
    sources = ArtNetSources(latest=False)
    for number, counts in ((254, True), (255, True), (1, True), (255, False), (2, True), (2, True), (0, True)):
        assert sources.take(artnet("a", number, sequence=number), 0.0) == counts, number


@dataclass(frozen=True)
class Event:
    """A packet, so long after the one before."""

    wait: float
    packet: Levels


LEVELS = st.lists(st.integers(0, 3), min_size=1, max_size=SHOWN)
WAITS = st.sampled_from([0.0, 0.3, 1.0, 2.6, 5.0, 10.1])
ARTNET = st.lists(
    st.builds(
        lambda wait, source, levels, sequence: Event(wait, artnet(source, *levels, sequence=sequence)),
        *(WAITS, st.sampled_from("abc"), LEVELS, st.sampled_from([0, 1, 2, 3, 40, 254, 255])),
    ),
    max_size=20,
)
SACN = st.lists(
    st.builds(
        lambda wait, source, levels, sequence, priority, kind: Event(
            wait,
            sacn(source, *levels, sequence=sequence, priority=priority, preview=kind == 1, ended=kind == 2),
        ),
        *(WAITS, st.sampled_from("abc"), LEVELS, st.sampled_from([0, 1, 2, 3, 40, 254, 255])),
        *(st.sampled_from([50, 100, 200]), st.sampled_from([0, 0, 0, 0, 1, 2])),
    ),
    max_size=20,
)


def padded(packet: Levels) -> list[int]:
    return list(packet.levels.ljust(SHOWN, b"\0"))


def artnet_by_hand(history: list[tuple[float, Levels]], now: float, *, latest: bool) -> list[int] | None:
    """From all packets since the beginning: those that counted, then the levels that rule."""
    counted: list[tuple[float, Levels]] = []
    for at, packet in history:
        alive = {p.source for t, p in counted if at - t <= ARTNET_SILENT_S and last(counted, p.source)[0] == t}
        mine = last(counted, packet.source) if packet.source in alive else None
        if mine is None and len(alive) == 2:
            continue
        if mine is not None and mine[1].sequence and packet.sequence:
            behind = (mine[1].sequence - packet.sequence) % 255
            if 1 <= behind <= 19:
                continue
        counted.append((at, packet))
    names = [name for name in "abc" if has(counted, name) and now - last(counted, name)[0] <= ARTNET_SILENT_S]
    if not names:
        return None
    current = {name: padded(last(counted, name)[1]) for name in names}
    if not latest:
        return [max(levels[slot] for levels in current.values()) for slot in range(SHOWN)]
    return [max((changed_at(counted, name, slot), current[name][slot]) for name in names)[1] for slot in range(SHOWN)]


def has(counted: list[tuple[float, Levels]], name: str) -> bool:
    return any(packet.source == name for _, packet in counted)


def last(counted: list[tuple[float, Levels]], name: str) -> tuple[float, Levels]:
    return [each for each in counted if each[1].source == name][-1]


def changed_at(counted: list[tuple[float, Levels]], name: str, slot: int) -> int:
    """The place of the packet that gave a channel of this source its level, since it was last silent."""
    places = [place for place, (_, packet) in enumerate(counted) if packet.source == name]
    found = places[-1]
    for older, newer in zip(reversed(places[:-1]), reversed(places), strict=False):
        if counted[newer][0] - counted[older][0] > ARTNET_SILENT_S:
            return newer
        if padded(counted[older][1])[slot] != padded(counted[newer][1])[slot]:
            return newer
        found = older
    return found


@settings(max_examples=200, deadline=None)
@given(events=ARTNET, latest=st.booleans(), rest=WAITS)
def test_art_net_merges_as_the_history_of_its_packets_says(events: list[Event], latest: bool, rest: float) -> None:
    sources, now, history = ArtNetSources(latest=latest), 0.0, []
    for event in events:
        now += event.wait
        sources.take(event.packet, now)
        history.append((now, event.packet))
    now += rest
    sources.forget(now)
    merged = shown(sources)
    expected = artnet_by_hand(history, now, latest=latest)
    assert merged == (None if expected is None else tuple(expected))


def sacn_by_hand(history: list[tuple[float, Levels]], now: float) -> list[int] | None:
    """The same for sACN."""
    alive: dict[str, tuple[float, Levels]] = {}
    for at, packet in history:
        alive = {name: each for name, each in alive.items() if at - each[0] <= SACN_SILENT_S}
        if packet.preview:
            continue
        if packet.source in alive:
            signed = (packet.sequence - alive[packet.source][1].sequence + 128) % 256 - 128
            if -20 < signed <= 0:
                continue
        if packet.ended:
            alive.pop(packet.source, None)
        else:
            alive[packet.source] = (at, packet)
    current = [packet for at, packet in alive.values() if now - at <= SACN_SILENT_S]
    highest = [packet for packet in current if packet.priority == max(each.priority for each in current)]
    return [max(padded(packet)[slot] for packet in highest) for slot in range(SHOWN)] if highest else None


@settings(max_examples=200, deadline=None)
@given(events=SACN, rest=WAITS)
def test_sacn_merges_as_the_history_of_its_packets_says(events: list[Event], rest: float) -> None:
    sources, now, history = SacnSources(), 0.0, []
    for event in events:
        now += event.wait
        sources.take(event.packet, now)
        history.append((now, event.packet))
    now += rest
    sources.forget(now)
    merged = shown(sources)
    expected = sacn_by_hand(history, now)
    assert merged == (None if expected is None else tuple(expected))
