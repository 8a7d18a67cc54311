"""The address that was meant: found for the usual slips, never for other programs' addresses, at a bounded cost."""

from __future__ import annotations

import pytest

import osc_schema
from streamvace.osc.near_misses import MOST_KNOWN, NearMisses
from tests.osc.clock import Clock


@pytest.fixture
def near(clock: Clock) -> NearMisses:
    services = (service.address for service in osc_schema.services())
    return NearMisses((*osc_schema.by_address(), *services, "/streamvace/cue/go", "/streamvace/prompt/to"), clock)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("/Streamvace/prompt", "/streamvace/prompt"),
        ("/STREAMVACE/Context_Scale", "/streamvace/context_scale"),
        ("/prompt", "/streamvace/prompt"),
        ("/Seed", "/streamvace/seed"),
        ("/streamvace/promt", "/streamvace/prompt"),
        ("/streamvace/contxt_scale", "/streamvace/context_scale"),
        ("/streamvace/contextscale", "/streamvace/context_scale"),
        ("/streamvance/prompt", "/streamvace/prompt"),
        ("/stremvace/promtp", "/streamvace/prompt"),
        ("/live/streamvace/prompt", "/streamvace/prompt"),
        ("/streamvace/subscibe", "/streamvace/subscribe"),
        ("/cue/go", "/streamvace/cue/go"),
        ("/streamvace/prompt/too", "/streamvace/prompt/to"),
    ],
)
def test_a_slip_finds_the_address(near: NearMisses, sent: str, meant: str) -> None:
    assert near.meant(sent) == meant


@pytest.mark.parametrize(
    "sent",
    ["/composition/layers/1/video/opacity", "/1/fader1", "/streamvace/glitter", "/promt", "/", "/streamvace/", "/blue"],
)
def test_what_is_like_no_address_finds_none(near: NearMisses, sent: str) -> None:
    assert near.meant(sent) == ""


def test_a_flood_of_addresses_is_compared_a_few_times_a_second(
    near: NearMisses, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    monkeypatch.setattr("streamvace.osc.near_misses.get_close_matches", lambda path, *_: compared.append(path) or [])
    for number in range(5000):
        clock.now += 0.001
        near.meant(f"/streamvace/{number}")
        near.meant(f"/other/{number}")
    assert len(compared) <= 2 + 5 * 4
    assert len(near._known) <= MOST_KNOWN
    near.meant("/streamvace/" + "x" * 200)
    assert len(compared) <= 2 + 5 * 4


def test_a_controller_with_a_wrong_address_is_compared_once(near: NearMisses, clock: Clock) -> None:
    for _ in range(100):
        assert near.meant("/streamvace/promt") == "/streamvace/prompt", "the clock stands still: nothing refills"
