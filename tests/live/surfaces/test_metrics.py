"""`/metrics`: Prometheus can read it, and every figure of the show is on it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from streamvace.live.surfaces.metrics import metrics
from streamvace.live.surfaces.status_feed import osc_figures
from streamvace.osc.counters import Counters
from streamvace.telemetry.telemetry import Stats, Telemetry


def page(extra: Stats) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Sample name and labels -> value."""
    telemetry = Telemetry()
    telemetry.ticked(0, 3)
    telemetry.add(lambda: extra)
    text = metrics(telemetry.stats)().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_counters_gauges_times_and_the_state_have_their_prometheus_names() -> None:
    samples = page({"state": "live", "error": 'a "line"\n', "play_rate": 23.5, "memory_mb": 100.0})
    assert samples["streamvace_ticks_total", ()] == 1
    assert samples["streamvace_missed_total", ()] == 3
    assert samples["streamvace_play_rate", ()] == 23.5
    assert samples["streamvace_chunk_p50_seconds", ()] == 0
    assert samples["streamvace_state", (("state", "live"),)] == 1
    assert samples["streamvace_state", (("state", "stalled"),)] == 0
    for start in ("control", "parameter"):
        for quantile in ("0.5", "0.95", "0.99"):
            assert ("streamvace_picture_latency_seconds", (("from", start), ("quantile", quantile))) in samples


def test_the_osc_counters_are_there() -> None:
    samples = page(osc_figures(Counters(datagrams=7, refused=2, coalesced=3, requests_dropped=1)))
    found = [samples[f"streamvace_osc_{name}_total", ()] for name in ("datagrams", "refused", "coalesced")]
    assert found == [7, 2, 3]
    assert samples["streamvace_osc_requests_dropped_total", ()] == 1


def test_every_figure_that_is_a_number_is_on_the_page() -> None:
    figures = Telemetry().stats()
    text = metrics(lambda: dict(figures))().decode()
    missing = [
        name
        for name, value in figures.items()
        if not isinstance(value, str)
        and not name.startswith(("latency", "parameter"))
        and name.removesuffix("_ms") not in text
    ]
    assert missing == []
