"""Who must go when the table is full: the mute first, then the longest silent, of the host that has too many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamvace.osc.peer import Peer, host_of, tcp_peer
from streamvace.osc.seats import FRAME_SECONDS, MUTE_SECONDS, Seats


def desk(number: int, host: str = "10.0.0.5") -> Peer:
    return tcp_peer(host, number)


def speaks(seats: Seats, peer: Peer, now: float) -> None:
    seats.heard(peer, now, packets=1, unfinished=False)


def test_the_mute_go_before_those_who_spoke_and_the_longest_silent_first() -> None:
    seats = Seats(most=3, most_per_host=3)
    assert [seats.take(desk(number), number) for number in range(3)] == [None, None, None]
    speaks(seats, desk(0), 10.0)
    assert seats.take(desk(3), 11.0) == desk(1)
    seats.leave(desk(1))
    speaks(seats, desk(2), 12.0)
    assert seats.take(desk(4), 13.0) == desk(3), "mute, though it came after the others spoke"
    seats.leave(desk(3))
    speaks(seats, desk(4), 14.0)
    assert seats.take(desk(5), 15.0) == desk(0), "all have spoken"


def test_a_host_that_has_its_number_displaces_its_own() -> None:
    seats = Seats(most=10, most_per_host=2)
    seats.take(desk(9, "10.0.0.6"), 0.0)
    seats.take(desk(1), 1.0)
    seats.take(desk(2), 2.0)
    assert seats.take(desk(3), 3.0) == desk(1)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=200))
def test_there_are_never_more_than_the_limits(arrivals: list[tuple[int, bool]]) -> None:
    seats, seated = Seats(most=12, most_per_host=4), set[Peer]()
    for number, (host, says) in enumerate(arrivals):
        peer = desk(number, f"10.0.0.{host}")
        displaced = seats.take(peer, number)
        seated.add(peer)
        if displaced is not None:
            assert displaced in seated
            seats.leave(displaced)
            seated.remove(displaced)
        if says:
            speaks(seats, peer, number)
        assert len(seated) <= 12
        assert sum(host_of(each) == host_of(peer) for each in seated) <= 4


def test_a_packet_has_its_time_from_its_first_byte() -> None:
    seats = Seats()
    seats.take(desk(1), 0.0)
    for second in range(0, 11, 2):
        seats.heard(desk(1), second, packets=0, unfinished=True)
    assert seats.overdue(FRAME_SECONDS) == {}
    assert list(seats.overdue(FRAME_SECONDS + 1)) == [desk(1)]
    seats.heard(desk(1), 20.0, packets=1, unfinished=True)
    assert seats.overdue(29.0) == {}, "the next packet has a time of its own"
    seats.heard(desk(1), 30.0, packets=1, unfinished=False)
    assert seats.overdue(30.0 + 10 * MUTE_SECONDS) == {}
