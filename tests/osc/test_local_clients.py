"""Surfaces of this process come in by the same door as everyone's packets."""

from __future__ import annotations

import queue

from streamvace.control.parameters import Parameters
from streamvace.osc.local_clients import MOST_WAITING, LocalClients
from streamvace.osc.server import ERROR, OscServer
from streamvace.telemetry.reporter import Reporter
from tests.osc.conftest import PATIENCE, Client, Watch
from tests.osc.packets import SCALE

Heard = queue.Queue[tuple[str, tuple[object, ...]]]


def test_a_surface_sets_everyone_else_hears_it_and_a_mistake_is_answered(
    server: OscServer, parameters: Parameters, watch: Watch, client: Client
) -> None:
    heard: Heard = queue.Queue()
    client.send("/streamvace/subscribe")
    client.ping()
    name = server.local_clients.open(lambda address, arguments: heard.put((address, arguments)))
    server.local_clients.post(name, SCALE, 0.25)
    watch.until(lambda snapshot: snapshot[SCALE] == 0.25)
    assert client.receive().arguments == (0.25,)
    server.local_clients.post(name, SCALE, 9.0)
    address, [line] = heard.get(timeout=PATIENCE)
    assert (address, line) == (ERROR, f"{SCALE}: limited to 2 (range 0-2), got 9")
    assert heard.get(timeout=PATIENCE) == (SCALE, (2.0,))


def test_who_has_left_is_told_nothing_more(server: OscServer, client: Client, watch: Watch) -> None:
    heard: Heard = queue.Queue()
    name = server.local_clients.open(lambda address, arguments: heard.put((address, arguments)))
    server.local_clients.close(name)
    server.local_clients.post(name, SCALE, 9.0)
    watch.until(lambda snapshot: snapshot[SCALE] == 2.0)
    client.ping()
    assert heard.empty()
    assert server.counters().unsent == 0


def test_what_osc_cannot_carry_is_answered_at_once() -> None:
    heard: Heard = queue.Queue()
    clients = LocalClients(lambda: None)
    name = clients.open(lambda address, arguments: heard.put((address, arguments)))
    clients.post(name, SCALE, {"a": 1})
    clients.post(name, "no address", 1)
    clients.post(name, SCALE, "a\0b")
    assert [heard.get_nowait()[0] for _ in range(3)] == [ERROR] * 3
    assert clients.take() == []


def test_what_waits_is_bounded_and_the_newest_stays() -> None:
    clients = LocalClients(lambda: None)
    name = clients.open(lambda address, arguments: None)
    dropped = [clients.post(name, "/streamvace/seed", number) for number in range(MOST_WAITING + 10)]
    assert dropped == [False] * MOST_WAITING + [True] * 10
    assert clients.dropped == 10
    taken = clients.take()
    assert len(taken) == MOST_WAITING
    assert taken[-1][0].endswith((MOST_WAITING + 9).to_bytes(4, "big"))
    assert clients.take() == []


def test_what_is_dropped_is_counted_and_told_once(parameters: Parameters, watch: Watch) -> None:
    reporter = Reporter(lambda line: None)
    with OscServer(parameters, reports=reporter, port=0) as server:
        name = server.local_clients.open(lambda address, arguments: None)
        server.local_clients._dropped = 3
        for value in (0.25, 0.5):
            server.local_clients.post(name, SCALE, value)
            watch.until(lambda snapshot, value=value: snapshot[SCALE] == value)
        assert server.counters().surfaces_dropped == 3
    assert reporter.counts() == {"OSC": 1}
    assert reporter.complaint() == "the show is too busy: 3 messages of its page and controllers were dropped"
