"""While TouchDesigner's timeline is paused, status and knobs stay alive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamvace_td import heartbeat as module
from streamvace_td.builder import build

from streamvace.control.parameters import Parameters
from streamvace.osc.server import OscServer
from tests.touchdesigner.fake_td import FakeTouchDesigner
from tests.touchdesigner.studio import Studio

SCALE, SEED = "/streamvace/context_scale", "/streamvace/seed"


@pytest.fixture
def studio(td: FakeTouchDesigner, server: OscServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A joined component."""
    monkeypatch.setattr(module, "PAUSED_S", 0.0)
    made = Studio(td)
    made.set(Oscport=server.port)
    made.until(lambda: made.par("State") == "joined" and SCALE in [address for address, _ in made.heard], "joined")
    made.frames(0.1)
    yield made
    made.close()


def test_status_and_knobs_stay_alive_in_a_pause(studio: Studio, server: OscServer, parameters: Parameters) -> None:
    studio.paused = True
    server.publish("/streamvace/status/fps", 17.5)
    studio.until(lambda: studio.par("Statusfps") == 17.5, "the status")
    studio.set(Contextscale=0.75)
    studio.until(lambda: parameters.snapshot().number(SCALE) == 0.75, "the knob")
    assert studio.par("Connected")


def test_a_value_that_an_expression_holds_is_not_sent_again_with_every_beat(
    studio: Studio, parameters: Parameters
) -> None:
    studio.component.par.Seed.expr = "42"
    studio.until(lambda: parameters.snapshot().integer(SEED) == 42, "the expression")
    studio.paused = True
    parameters.set(SEED, (7,), "desk")
    studio.until(lambda: (SEED, (7,)) in studio.heard, "heard")
    studio.frames(0.3)
    assert parameters.snapshot().integer(SEED) == 7


def test_a_reloaded_extension_has_one_heartbeat(studio: Studio, td: FakeTouchDesigner) -> None:
    assert len(td._runs) == 1
    studio.component.par.reinitextensions.pulse()
    for _ in range(20):
        td.frame()
    assert len(td._runs) == 1


def test_a_component_that_is_deleted_beats_no_more(td: FakeTouchDesigner) -> None:
    component = build(td.network, td)  # type: ignore[arg-type]
    td.frame()
    component.destroy()
    for _ in range(20):
        td.frame()
    assert td._runs == []
