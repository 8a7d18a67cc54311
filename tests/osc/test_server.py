"""The running server: what a performer's gear sees on the wire."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import pytest

import osc_schema
from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.cues import Cue
from streamvace.control.parameters import Parameters, Snapshot
from streamvace.control.refusals import Refusals
from streamvace.osc.codec import Message, encode_message
from streamvace.osc.server import ERROR, REFUSED, OscServer
from streamvace.system.errors import UserError
from streamvace.system.network import AllowList
from streamvace.telemetry.reporter import Reporter
from tests.osc.conftest import Client, Watch
from tests.osc.packets import SCALE, bundle

SEED = "/streamvace/seed"
PROMPT = "/streamvace/prompt"
RESET = "/streamvace/reset"
FPS = "/streamvace/status/fps"

Connect = Callable[[], Client]


def test_a_message_is_applied_and_its_writer_hears_nothing_back(client: Client, parameters: Parameters) -> None:
    client.send(PROMPT, "a blue cube")
    assert client.ping() == []
    assert parameters.snapshot()[PROMPT] == "a blue cube"


def test_a_ping_comes_back_with_its_token(client: Client) -> None:
    for token in ((), (7,), ("abc",), (1.5,), (7, "two", True)):
        client.send("/streamvace/ping", *token)
        assert client.receive() == Message("/streamvace/pong", token)


def test_a_question_is_answered_with_what_was_set_just_before(client: Client) -> None:
    client.send(SEED, 7)
    client.send(SEED, "?")
    assert client.receive() == Message(SEED, (7,))
    client.send(SCALE)
    assert client.receive() == Message(SCALE, (1.0,))


def test_out_of_range_is_clamped_and_the_fader_is_told(client: Client, parameters: Parameters) -> None:
    client.send(SCALE, 3.5)
    line, value = client.ping()
    assert line == Message(ERROR, (f"{SCALE}: limited to 2 (range 0-2), got 3.5",))
    assert value == Message(SCALE, (2.0,))
    assert parameters.snapshot()[SCALE] == 2.0


def test_what_is_refused_is_told_with_the_value_that_holds(client: Client, parameters: Parameters) -> None:
    client.send(SCALE, "half")
    line, value = client.ping()
    assert line == Message(ERROR, (f"{SCALE}: takes one float 0..2, got 'half'",))
    assert value == Message(SCALE, (1.0,))
    assert parameters.snapshot().version == 0


@pytest.mark.parametrize("sent", ["/Streamvace/prompt", "/prompt", "/streamvace/promt"])
def test_an_address_that_is_nearly_right_is_answered_with_the_right_one(client: Client, sent: str) -> None:
    client.send(sent, "dusk")
    [line] = client.ping()
    assert line == Message(ERROR, (f"{sent}: there is no such parameter; did you mean {PROMPT}?",))


def test_what_is_wrong_is_reported_with_its_sender_and_what_concerns_nobody_is_noted(parameters: Parameters) -> None:
    printed: list[str] = []
    reporter = Reporter(printed.append)
    with OscServer(parameters, port=0, reports=reporter) as server:
        client = Client(server)
        client.send(SCALE, "half")
        client.send("/other/program", 1)
        client.send("/streamvace/status/fps", 1.0)
        client.ping()
        sender = f"(from 127.0.0.1:{client.port})"
        client.close()
    assert reporter.complaint() == f"{SCALE}: takes one float 0..2, got 'half' {sender}"
    assert printed == [], "the OSC thread never waits for a terminal"
    reporter.flush()
    assert [line.partition(":")[0] for line in printed] == ["OSC refused", "OSC for others", "OSC answers"]
    assert all(line.endswith(sender) for line in printed)


def test_what_is_refused_is_bound_to_its_address_for_the_asking_client_and_for_every_subscriber(
    parameters: Parameters,
) -> None:
    refusals = Refusals(parameters, Reporter(lambda line: None))
    with OscServer(parameters, port=0, refusals=refusals) as server:
        asking, listening = Client(server), Client(server)
        listening.send("/streamvace/subscribe")
        listening.ping()
        asking.send(SCALE, "half")
        wanted = Message(REFUSED, (SCALE, "'half'", "1", "takes one float 0..2, got 'half'", ""))
        assert asking.ping()[-1] == wanted
        assert listening.until(REFUSED, *wanted.arguments) == []
        asking.send("/streamvace/nothing", 1)
        assert [message.address for message in asking.ping()] == [ERROR], "no control is there to show it"
        asking.close()
        listening.close()
    row = refusals.rows()[SCALE]
    assert isinstance(row, dict)
    assert (row["asked"], row["ruling"]) == ("'half'", 1.0)


def test_the_cues_are_listed_in_order_to_the_port_asked_for(
    parameters: Parameters,
) -> None:
    commands = Commands(parameters, CueList((Cue("dusk", {}), Cue("dawn", {}))))
    with OscServer(parameters, port=0, commands=commands) as server:
        asking, told = Client(server), Client(server)
        asking.send("/streamvace/cue/list", told.port)
        assert [told.receive().arguments for _ in range(2)] == [(1, "dusk"), (2, "dawn")]
        asking.send("/streamvace/cue/list")
        assert [message.arguments for message in asking.ping()] == [(1, "dusk"), (2, "dawn")]
        asking.close()
        told.close()


def test_sync_sends_every_parameter_and_every_output(client: Client, server: OscServer) -> None:
    server.publish(FPS, 12.5)
    client.send("/streamvace/sync")
    received = {message.address: message.arguments for message in client.ping()}
    expected = {row.address: osc_schema.flat(row.default) for row in osc_schema.load() if row.default is not None}
    expected = {address: value for address, value in expected.items() if not osc_schema.by_address()[address].switch}
    # A float travels in 32 bits: 0.7 arrives as the nearest of those.
    assert received == {each: pytest.approx(value) for each, value in {**expected, FPS: (12.5,)}.items()}


def test_sync_sends_the_values_of_a_modulator_that_is_on(client: Client, parameters: Parameters) -> None:
    parameters.set("/streamvace/mod/2/on", (True,), "web")
    client.send("/streamvace/sync")
    received = {message.address for message in client.ping()}
    assert {"/streamvace/mod/2/rate", "/streamvace/mod/2/target", "/streamvace/mod/1/on"} <= received
    assert "/streamvace/mod/1/rate" not in received


@pytest.mark.parametrize("service", ["subscribe", "sync", "cue/list"])
def test_the_shows_own_port_is_refused_as_a_target(client: Client, server: OscServer, service: str) -> None:
    client.send(f"/streamvace/{service}", server.port)
    [line] = client.ping()
    assert "is the show's own" in str(line.arguments[0])
    before = server.counters().messages
    server.publish(FPS, 12.5)
    client.send("/streamvace/subscribe")
    client.until(FPS, 12.5)
    assert server.counters().messages == before + 1, "it hears nothing of itself"
    told = [(row["address"], row["fate"]) for row in server.arrivals()]
    assert (f"/streamvace/{service}", "refused") in told
    assert ("/streamvace/sync", "answered") not in told


def test_two_shows_that_subscribe_to_each_other_fall_silent(parameters: Parameters) -> None:
    others = Parameters()
    heard = Watch(others)
    with OscServer(parameters, port=0) as one, OscServer(others, port=0) as two:
        told_one, told_two = Client(one), Client(two)
        told_one.send("/streamvace/subscribe", two.port)
        told_one.send("/streamvace/sync", two.port)
        told_two.send("/streamvace/subscribe", one.port)
        told_two.send("/streamvace/sync", one.port)
        for number in range(20):
            one.publish(FPS, float(number))
            two.publish("/streamvace/status/error", f"line {number}")
            parameters.set(SCALE, (number / 20,), "web")
            told_one.ping()
            told_two.ping()
        parameters.set(SEED, (5,), "web")
        heard.until(lambda snapshot: snapshot[SEED] == 5)
        told_one.close()
        told_two.close()
        rows = len(parameters.schema)
        for each in (one, two):
            counters = each.counters()
            assert counters.messages <= 2 * rows + 200, "the syncs, the changes, the pings; no echo"
            assert counters.complaints == 0


def test_a_second_sync_within_a_second_is_answered_later_and_not_dropped(client: Client) -> None:
    client.raw(bundle(*[encode_message("/streamvace/sync")] * 90))
    first = client.ping()
    rows = sum(row.default is not None and not row.switch for row in osc_schema.load())
    assert len(first) == rows
    assert len([client.receive() for _ in range(rows)]) == rows


def test_sync_goes_to_the_port_it_names(connect: Connect) -> None:
    asking, hearing = connect(), connect()
    asking.send("/streamvace/sync", hearing.port)
    assert asking.ping() == []
    hearing.until(PROMPT)


def test_subscribers_hear_what_others_change_and_not_what_they_change(connect: Connect) -> None:
    desk, tablet = connect(), connect()
    for each in (desk, tablet):
        each.send("/streamvace/subscribe")
        each.ping()
    desk.send(SCALE, 0.5)
    assert desk.ping() == []
    assert tablet.ping() == [Message(SCALE, (0.5,))]


def test_a_value_set_by_another_surface_is_heard_by_all(connect: Connect, parameters: Parameters) -> None:
    desk, tablet = connect(), connect()
    for each in (desk, tablet):
        each.send("/streamvace/subscribe")
        each.ping()
    parameters.set(PROMPT, ("from the web",), "web")
    for each in (desk, tablet):
        assert each.until(PROMPT, "from the web") == []


def test_an_unchanged_value_and_a_trigger_echo_to_no_one(connect: Connect) -> None:
    """A desk that sends back what it hears must not start a loop."""
    desk, tablet = connect(), connect()
    tablet.send("/streamvace/subscribe")
    tablet.ping()
    desk.send(SCALE, 1.0)
    desk.send(RESET)
    desk.ping()
    assert tablet.ping() == []


def test_a_subscriber_outlives_an_hour_in_which_the_server_stood_still(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, tablet = connect(), connect()
    desk.send("/streamvace/subscribe")
    desk.ping()
    monkeypatch.setattr("streamvace.osc.server.time", SimpleNamespace(monotonic=lambda: time.monotonic() + 3600))
    tablet.ping()
    tablet.ping()
    tablet.send(SEED, 8)
    desk.until(SEED, 8)


def test_a_subscriber_may_listen_on_another_port(connect: Connect) -> None:
    sending, listening, other = connect(), connect(), connect()
    sending.send("/streamvace/subscribe", float(listening.port))
    sending.ping()
    other.send(SEED, 5)
    assert listening.until(SEED, 5) == []
    sending.send(SEED, 6)
    sending.ping()
    sending.send(SEED, "?")
    assert listening.until(SEED, 6) == [], "answers go where it listens"
    sending.send("/streamvace/unsubscribe", listening.port)
    sending.ping()
    other.send(SEED, 7)
    other.ping()
    assert listening.ping() == []


@pytest.mark.parametrize("port", [(0,), (-1,), (70000,), (1.5,), (True,), ("9001",), (float("nan"),), (1, 2)])
def test_a_port_that_is_none_is_refused_with_a_line(client: Client, port: tuple[object, ...]) -> None:
    for service in ("subscribe", "unsubscribe", "sync"):
        client.send(f"/streamvace/{service}", *port)
        [line] = client.ping()
        assert line.address == ERROR
        assert str(line.arguments[0]).startswith(f"/streamvace/{service}: takes a port 1..65535 or nothing")


def test_status_reaches_subscribers_when_it_changes(client: Client, server: OscServer) -> None:
    client.send("/streamvace/subscribe")
    client.ping()
    server.publish(FPS, 12.5)
    client.until(FPS, 12.5)
    server.publish("/streamvace/status/state", "running")
    assert client.until("/streamvace/status/state", "running") == []
    client.send(FPS, "?")
    assert client.until(FPS, 12.5) == []


def test_a_bundle_appears_in_one_snapshot(client: Client, parameters: Parameters) -> None:
    seen: list[tuple[int, set[str]]] = []

    def listener(snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        seen.append((snapshot.version, set(changed)))

    parameters.listen(listener)
    client.raw(bundle(encode_message(PROMPT, "x"), encode_message(SCALE, 0.5), encode_message(RESET)))
    client.ping()
    assert seen == [(1, {PROMPT, SCALE, RESET})]


def test_a_bundle_for_later_is_applied_later_and_by_itself(
    client: Client, watch: Watch, parameters: Parameters
) -> None:
    due = time.time() + 0.3
    client.raw(bundle(encode_message(PROMPT, "later"), encode_message(SCALE, 0.5), at=due))
    client.ping()
    snapshot = watch.until(lambda snapshot: snapshot[PROMPT] == "later")
    assert time.time() >= due
    assert snapshot[SCALE] == 0.5
    assert snapshot.version == 1


def test_a_burst_ends_at_its_last_value(client: Client, parameters: Parameters, server: OscServer) -> None:
    """20,000 messages as fast as they go; the system may drop some, the server must not mind."""
    for number in range(20_000):
        client.send(SCALE, number / 20_000)
    client.insist(encode_message(SCALE, 0.123))
    assert parameters.snapshot()[SCALE] == pytest.approx(0.123)
    counters = server.counters()
    pings = counters.messages - counters.applied - counters.coalesced
    assert counters.malformed == counters.refused == 0
    assert counters.coalesced > 0
    assert 1 <= pings <= 20


def test_while_one_floods_another_is_served(connect: Connect, parameters: Parameters) -> None:
    flooder, performer = connect(), connect()
    stop = threading.Event()

    def flood() -> None:
        while not stop.is_set():
            flooder.send(SEED, 1)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        for number in range(20):
            performer.insist(encode_message(PROMPT, f"number {number}"))
            assert parameters.snapshot()[PROMPT] == f"number {number}"
    finally:
        stop.set()
        thread.join()


def test_a_subscriber_that_is_gone_harms_no_one(connect: Connect, parameters: Parameters) -> None:
    gone, here = connect(), connect()
    for each in (gone, here):
        each.send("/streamvace/subscribe")
        each.ping()
    gone.close()
    for number in range(50):
        parameters.set(SEED, (number,), "web")
        here.until(SEED, number)


def test_the_port_is_the_real_one_and_local_unless_told_otherwise(server: OscServer) -> None:
    assert server.host == "127.0.0.1"
    assert server.port > 0


def test_a_port_in_use_is_one_line_with_the_mend(server: OscServer, parameters: Parameters) -> None:
    with pytest.raises(UserError) as caught:
        OscServer(parameters, port=server.port)
    assert f"OSC port {server.port} on 127.0.0.1 is in use" in str(caught.value)
    assert "--osc-port" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("refused", "fix"), [(socket.SOCK_DGRAM, "--osc-port 8724"), (socket.SOCK_STREAM, "--osc-tcp-port 8724")]
)
def test_a_port_that_windows_reserves_names_another_one(
    parameters: Parameters, monkeypatch: pytest.MonkeyPatch, refused: socket.SocketKind, fix: str
) -> None:
    """As Windows answers in a range that Hyper-V reserves."""

    class Reserving(socket.socket):
        def bind(self, address: tuple[str, int]) -> None:
            if self.type == refused and address[1] == 7700:
                raise PermissionError(errno.EACCES, "forbidden by its access permissions")
            super().bind((address[0], 0))

    monkeypatch.setattr(socket, "socket", Reserving)
    with pytest.raises(UserError, match=f"port 7700 on 127.0.0.1 is reserved by the system .*{fix}"):
        OscServer(parameters, port=7700, tcp_port=7700)


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 70000), ("127.0.0.1", -1), ("no.such.host.invalid", 0), ("192.0.2.1", 0)]
)
def test_what_cannot_be_opened_is_one_line_with_both_values(parameters: Parameters, host: str, port: int) -> None:
    with pytest.raises(UserError) as caught:
        OscServer(parameters, host, port)
    assert (str(port) in str(caught.value)) or (host in str(caught.value))
    assert "\n" not in str(caught.value)


def test_closing_frees_the_port_ends_the_thread_and_may_be_repeated(parameters: Parameters) -> None:
    threads = threading.active_count()
    server = OscServer(parameters, port=0)
    server.close()
    server.close()
    assert threading.active_count() == threads
    again = OscServer(parameters, port=server.port)
    again.close()
    parameters.set(SCALE, (0.5,), "web")
    assert parameters.listener_errors == 0


def test_an_error_of_ours_is_counted_and_the_server_goes_on(
    parameters: Parameters, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with OscServer(parameters, port=0) as server:
        client = Client(server)
        real = parameters.apply_bundle

        def broken(changes: object) -> object:
            monkeypatch.setattr(parameters, "apply_bundle", real)
            raise RuntimeError("a bug")

        monkeypatch.setattr(parameters, "apply_bundle", broken)
        client.send(SCALE, 0.5)
        client.insist(encode_message(SCALE, 0.6))
        client.close()
        assert server.counters().faults == 1
    assert parameters.snapshot()[SCALE] == pytest.approx(0.6)
    assert "caught an error and continues" in caplog.text


def test_it_speaks_ipv6_where_there_is_any(parameters: Parameters) -> None:
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6: nothing to install")
    with OscServer(parameters, "::1", 0) as server, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
        client.settimeout(20)
        client.sendto(encode_message("/streamvace/ping", 1), ("::1", server.port))
        assert client.recv(100) == encode_message("/streamvace/pong", 1)


class Nobody(AllowList):
    """Stands for a list without this machine, which no real list can be."""

    def allows(self, host: str) -> bool:
        return False


def test_hosts_that_are_not_allowed_are_not_heard_and_cannot_connect(parameters: Parameters) -> None:
    said: list[str] = []
    reporter = Reporter(said.append)
    with OscServer(parameters, port=0, reports=reporter, allow=Nobody()) as server:
        assert server.tcp_port is not None
        with socket.create_connection(("127.0.0.1", server.tcp_port), timeout=20) as connection:
            assert connection.recv(1) == b""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(encode_message(SEED, 7), ("127.0.0.1", server.port))
            deadline = time.monotonic() + 20
            while server.counters().not_allowed < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
        assert server.counters().not_allowed == 2
        assert server.counters().messages == 0
    assert parameters.snapshot()[SEED] == 42
    reporter.flush()
    assert said == ["OSC: 127.0.0.1 is not in --allow; its messages are dropped (2 times)"]
