"""The extension frame by frame, with the real OSC server: values travel both ways, and no frame blocks."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import osc_schema
from streamvace.control.parameters import Parameters
from streamvace.osc.server import OscServer
from tests.real_parts import require_package
from tests.touchdesigner.fake_pars import ParMode
from tests.touchdesigner.fake_td import FakeTouchDesigner
from tests.touchdesigner.studio import Studio

SCALE, SEED, PROMPT = "/streamvace/context_scale", "/streamvace/seed", "/streamvace/prompt"


@pytest.fixture
def studio(td: FakeTouchDesigner) -> Iterator[Studio]:
    made = Studio(td)
    yield made
    made.close()


@pytest.fixture
def joined(studio: Studio, server: OscServer) -> Studio:
    """A component that has joined the running server and received all values."""
    studio.set(Oscport=server.port)
    studio.until(lambda: studio.par("State") == "joined", "joined")
    studio.until(lambda: SCALE in [address for address, _ in studio.heard], "synced")
    studio.frames(0.1)
    studio.sent.clear()
    studio.heard.clear()
    return studio


def values_sent(studio: Studio) -> list[tuple[str, tuple[object, ...]]]:
    """Without pings, subscriptions and requests."""
    return [
        (address, arguments)
        for address, arguments in studio.sent
        if arguments != ("?",) and address.rpartition("/")[2] not in ("ping", "subscribe", "sync", "list")
    ]


def test_a_running_process_is_joined_and_its_values_are_shown(studio: Studio, server: OscServer) -> None:
    parameters = server._parameters
    parameters.set(SCALE, (0.25,), "desk")
    parameters.set(PROMPT, ("a blue ring",), "desk")
    server.publish("/streamvace/status/fps", 23.5)
    studio.set(Oscport=server.port, Prompt="what the project had")
    studio.until(lambda: studio.par("Prompt") == "a blue ring", "the prompt")
    studio.until(lambda: studio.par("Statusfps") == 23.5, "the status")
    assert studio.par("Contextscale") == 0.25
    assert studio.par("Connected")
    assert studio.par("State") == "joined"
    assert values_sent(studio) == [], "joining a running show changes nothing in it"


def test_a_change_in_touchdesigner_is_sent_once(joined: Studio, parameters: Parameters) -> None:
    joined.frame(lambda: joined.set(Contextscale=0.5))
    joined.until(lambda: parameters.snapshot().number(SCALE) == 0.5, "the new value")
    joined.frames(1.0)
    assert values_sent(joined) == [(SCALE, (0.5,))]


def test_a_change_in_the_process_is_shown_and_not_sent_back(joined: Studio, parameters: Parameters) -> None:
    parameters.set(SCALE, (0.3,), "desk")
    parameters.set("/streamvace/hold_mode", ("pingpong",), "desk")
    parameters.set("/streamvace/control", (False,), "desk")
    joined.until(lambda: joined.par("Contextscale") == 0.3, "the new value")
    joined.until(lambda: joined.par("Holdmode") == "pingpong" and not joined.par("Control"), "the others")
    joined.frames(0.7)
    assert values_sent(joined) == []


def test_every_type_of_parameter_is_sent(joined: Studio, parameters: Parameters) -> None:
    joined.frame(
        lambda: joined.set(Seed=99, Videotovideo=True, Holdmode="pingpong", Prompt="glossy | red", Noisescale=0.125)
    )
    joined.until(lambda: parameters.snapshot().integer(SEED) == 99, "the seed")
    held = parameters.snapshot().values
    assert held[PROMPT] == "glossy | red"
    assert held["/streamvace/video_to_video"] is True
    assert held["/streamvace/hold_mode"] == "pingpong"
    assert held["/streamvace/noise_scale"] == 0.125


def test_a_chop_at_its_sample_rate_sends_one_message_per_frame(joined: Studio, parameters: Parameters) -> None:
    level = [0.0]
    joined.component.par.Contextscale._export_from(lambda: level[0])
    for step in range(30):

        def wave(step: int = step) -> None:
            for sample in range(8):
                level[0] = (step * 8 + sample + 1) / 256

        joined.frame(wave)
        joined.frame()
        sent = values_sent(joined)
        assert len(sent) <= 1, sent
        joined.sent.clear()
    joined.until(lambda: parameters.snapshot().number(SCALE) == 240 / 256, "the last value")


def test_a_parameter_driven_by_a_chop_or_an_expression_is_never_written(joined: Studio, parameters: Parameters) -> None:
    joined.component.par.Contextscale._export_from(lambda: 0.5)
    joined.component.par.Seed.expr = "40 + 2"
    joined.until(lambda: parameters.snapshot().integer(SEED) == 42, "the expression's value")
    parameters.set(SCALE, (1.5,), "desk")
    parameters.set(SEED, (7,), "desk")
    joined.until(lambda: (SEED, (7,)) in joined.heard, "heard")
    pars = joined.component.par  # writing one would end its expression or export without a word
    assert (joined.par("Contextscale"), pars.Contextscale.mode) == (0.5, ParMode.EXPORT)
    assert (joined.par("Seed"), pars.Seed.mode) == (42, ParMode.EXPRESSION)


def test_a_pulse_is_sent_once_per_press(joined: Studio, parameters: Parameters) -> None:
    for count in (1, 2):
        joined.press("Reset")
        joined.until(lambda count=count: parameters.snapshot().generation == count, f"{count} hard cuts")  # type: ignore[misc]
    joined.frames(1.2)
    assert parameters.snapshot().generation == 2


def test_a_value_that_the_process_clamps_is_shown_clamped(
    joined: Studio, parameters: Parameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined.component.par.Seed._constant = -5  # like a script that bypasses the parameter's limits
    joined.until(lambda: joined.par("Seed") == 0, "the clamped value")
    assert any("seed" in row[2] for row in joined.log() if row[1] == "status"), joined.log()


def test_the_status_page_is_updated_and_never_sent(joined: Studio, server: OscServer) -> None:
    server.publish("/streamvace/status/fps", 29.97)
    server.publish("/streamvace/status/state", "running")
    server.publish("/streamvace/status/outputs", ("ndi:PC (streamvace)", "web"))
    joined.until(lambda: joined.par("Statusstate") == "running", "the state")
    joined.until(lambda: joined.par("Resultname") == "PC (streamvace)", "the sender's real name")
    assert joined.par("Statusfps") == 29.97
    joined.frames(0.7)
    assert values_sent(joined) == []


def test_the_result_name_is_that_of_the_selected_transport(joined: Studio, server: OscServer) -> None:
    joined.set(Transport="spout")
    server.publish("/streamvace/status/outputs", ("ndi:PC (streamvace)", "spout:streamvace_1"))
    joined.until(lambda: joined.par("Resultname") == "streamvace_1", "the Spout sender")


def test_a_process_that_stops_answering_is_lost_and_joined_again(
    studio: Studio, server: OscServer, parameters: Parameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.set(Oscport=server.port, Autorestart=False)
    studio.frame()
    studio.until(lambda: studio.par("State") == "joined", "joined")
    port = server.port
    server.close()
    studio.until(lambda: studio.par("State") == "lost", "lost")
    assert not studio.par("Connected")
    parameters.set(SCALE, (0.125,), "desk")
    with OscServer(parameters, port=port):
        studio.until(lambda: studio.par("State") == "joined", "joined again")
        studio.until(lambda: studio.par("Contextscale") == 0.125, "synced again")


def test_the_status_of_a_lost_process_is_cleared(studio: Studio, server: OscServer) -> None:
    server.publish("/streamvace/status/fps", 23.5)
    studio.set(Oscport=server.port, Autorestart=False)
    studio.until(lambda: studio.par("Statusfps") == 23.5, "the figure")
    server.close()
    studio.until(lambda: studio.par("State") == "lost", "lost")
    assert (studio.par("Statusfps"), studio.par("Statusstate")) == (0.0, "")


def test_a_repeated_error_is_logged_once(joined: Studio, server: OscServer) -> None:
    server.publish("/streamvace/status/error", "the disk is full")
    joined.until(lambda: joined.said("the disk is full"), "the error")
    for _ in range(3):
        before = len(joined.heard)
        joined.component.Send("/streamvace/sync")
        joined.until(lambda before=before: len(joined.heard) > before + 10, "everything again")  # type: ignore[misc]
    joined.frames(0.2)
    assert [row[2] for row in joined.log()].count("the disk is full") == 1


def test_a_complaint_about_osc_is_shown_and_logged(joined: Studio, server: OscServer) -> None:
    server.publish("/streamvace/status/complaint", "OSC refused: seed: takes one int (from 10.0.0.5:9000)")
    server.publish("/streamvace/status/complaints", 3)
    joined.until(lambda: joined.par("Statuscomplaints") == 3, "the number")
    joined.until(lambda: joined.said("10.0.0.5:9000"), "the complaint")
    assert [row[1] for row in joined.log() if "10.0.0.5:9000" in row[2]] == ["osc"]


def test_in_mode_remote_stop_disconnects_without_ending_the_process(studio: Studio, server: OscServer) -> None:
    studio.frame(lambda: studio.set(Mode="remote", Address="localhost", Oscport=server.port))
    studio.press("Start")
    studio.until(lambda: studio.par("State") == "joined", "joined")
    assert studio.said("--host 0.0.0.0"), "the command for the other machine"
    studio.press("Stop")
    studio.frame()
    assert studio.par("State") == "stopped"
    studio.frames(0.3)
    assert server._parameters.snapshot().fired["/streamvace/quit"] == 0


def test_mode_remote_never_starts_a_process(studio: Studio) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        studio.frame(lambda: studio.set(Mode="remote", Oscport=nobody.getsockname()[1]))
        studio.press("Start")
        studio.frames(1.5)
        assert studio.par("State") == "looking"
        assert studio.pid == 0


def test_a_reloaded_extension_joins_again(joined: Studio, parameters: Parameters) -> None:
    joined.component.par.reinitextensions.pulse()
    joined.frame()
    joined.until(lambda: joined.par("State") == "joined", "joined again")
    joined.frame(lambda: joined.set(Contextscale=0.75))
    joined.until(lambda: parameters.snapshot().number(SCALE) == 0.75, "the new value")


def test_other_messages_can_be_sent_from_python(joined: Studio, parameters: Parameters) -> None:
    joined.component.Send(SEED, 1234)
    joined.until(lambda: parameters.snapshot().integer(SEED) == 1234, "the seed")


def test_help_opens_the_documentation(studio: Studio, td: FakeTouchDesigner) -> None:
    studio.press("Help")
    assert td.ui._viewed == ["https://github.com/streamvace/streamvace/blob/main/docs/touchdesigner.md"]
    assert (Path(__file__).resolve().parents[2] / "docs" / "touchdesigner.md").exists()


def test_the_log_table_has_a_maximum_length(studio: Studio) -> None:
    from streamvace_td.log_table import LONGEST

    for number in range(3 * LONGEST):
        studio.component._extension._log.add("test", str(number))
        if number % 10 == 0:
            studio.frame()
    studio.frames(0.2)
    assert len(studio.log()) == LONGEST
    assert studio.log()[-1][2] == str(3 * LONGEST - 1)


def test_a_slow_name_look_up_blocks_no_frame(td: FakeTouchDesigner, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []

    def slow(name: str, *rest: object) -> list[tuple[object, ...]]:
        looked_up.append(name)
        time.sleep(2)
        return [(0, 0, 0, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    studio = Studio(td)
    studio.frame(lambda: studio.set(Mode="remote", Address="gpu-box"))
    studio.press("Start")
    begun = time.monotonic()
    frames = 0
    while time.monotonic() - begun < 0.5:
        studio.frame()
        frames += 1
    assert frames > 10, "a blocking look-up would allow only one frame"
    assert looked_up == ["gpu-box"]
    studio.close()


def test_a_flood_is_read_in_limited_portions(joined: Studio, server: OscServer) -> None:
    from streamvace_td.link import MOST_A_FRAME

    link = joined.component._extension._link
    ours = ("127.0.0.1", link._socket.getsockname()[1])
    before = link.counters.received + link.counters.strangers
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        for _ in range(4 * MOST_A_FRAME):
            flood.sendto(b"x" * 64, ours)
    joined.frame()
    assert link.counters.received + link.counters.strangers - before <= MOST_A_FRAME


@pytest.mark.parametrize(
    "row",
    [row for row in osc_schema.load() if row.type not in ("trigger",) and row.access == "write"],
    ids=lambda row: row.name,
)
def test_every_parameter_of_the_address_space_travels_both_ways(
    joined: Studio, parameters: Parameters, row: osc_schema.Parameter
) -> None:
    other = another_value(row)
    if other is None:
        pytest.skip("holds one value only")
    if row.name == "quantise":
        require_package("aalink", "pip install aalink")
    parameters.set(row.address, osc_schema.flat(other), "desk")
    name = joined.component._extension._specs[row.address].name
    before = joined.par(name)
    joined.until(lambda: joined.par(name) != before, "shown")
    shown = joined.par(name)
    parameters.set(row.address, osc_schema.flat(row.default), "desk")  # type: ignore[arg-type]
    joined.until(lambda: joined.par(name) == before, "shown again")
    joined.frame(lambda: joined.set(**{name: shown}))
    held: Callable[[], object] = lambda: osc_schema.flat(parameters.snapshot()[row.address])  # noqa: E731
    joined.until(lambda: held() == pytest.approx(osc_schema.flat(other)), "set from here")


def another_value(row: osc_schema.Parameter) -> osc_schema.Value | None:
    """A value that differs from the default."""
    if row.type == "bool":
        return not row.default
    if row.type == "choice":
        return next(choice for choice in row.choices if choice != row.default)
    if row.type in ("float", "int"):
        low, high = row.minimum or 0, row.maximum or 0
        value = low if row.default != low else high
        return float(value) if row.type == "float" else int(value)
    if row.type == "string":
        return "something else"
    return ("one", "two")[: row.max_items] if row.type == "strings" else (("one", row.minimum or 0.0),)


def test_the_cue_names_are_a_menu(studio: Studio) -> None:
    names = ["dusk", "neon tunnel"]
    with OscServer(Parameters(), port=0) as server:
        server.cues = lambda: tuple(names)  # type: ignore[method-assign]
        studio.set(Oscport=server.port)
        menu = studio.component.par.Cuerecallname
        studio.until(lambda: menu.menuNames == names, "the menu")
        names.append("dawn")
        server.publish("/streamvace/status/cue", "dawn")  # recalled or stored by another client
        studio.until(lambda: menu.menuNames == names, "the new name")
    studio.set(Cuerecallname="a name typed by hand")
    assert studio.par("Cuerecallname") == "a name typed by hand"


def test_a_button_sends_its_second_value_as_a_number_or_a_text_and_leaves_an_empty_one_out(studio: Studio) -> None:
    with OscServer(Parameters(), port=0) as server:
        studio.set(Oscport=server.port)
        studio.until(lambda: studio.par("Connected"), "the connection")
        studio.frame(
            lambda: studio.set(Cuewaitname="dusk", Cuewaitseconds="2.5", Cueatname="dusk", Cueattime="bar 17.1")
        )
        studio.sent.clear()
        for name in ("Cuewait", "Cueat"):
            studio.press(name)
        studio.frame(lambda: studio.set(Cuewaitseconds=" "))
        studio.press("Cuewait")
        studio.frame()
        sent = [message for message in studio.sent if message[0].startswith("/streamvace/cue/") and message[1]]
        assert sent == [
            ("/streamvace/cue/wait", ("dusk", 2.5)),
            ("/streamvace/cue/at", ("dusk", "bar 17.1")),
            ("/streamvace/cue/wait", ("dusk",)),
        ]
