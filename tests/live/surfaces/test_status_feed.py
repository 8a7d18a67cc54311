"""The status feed: every status output of the schema is published with its figure."""

from __future__ import annotations

import osc_schema
from osc_schema import Value
from streamvace.live.surfaces.status_feed import publish_status
from streamvace.telemetry.telemetry import Stats


class Echo(Stats):
    """Every figure is its own name."""

    def __missing__(self, name: str) -> str:
        return name


def test_every_status_output_of_the_schema_is_published_with_its_figure() -> None:
    published: dict[str, Value] = {}
    publish_status(published.__setitem__, Echo(), ("window", "ndi:STAGE (streamvace)"))
    outputs = {address.removeprefix("/streamvace/status/"): value for address, value in published.items()}
    assert list(published) == [row.address for row in osc_schema.load() if row.access == "read"]
    assert outputs["outputs"] == ("window", "ndi:STAGE (streamvace)")
    assert (outputs["fps"], outputs["record_dropped"]) == ("fps", "record_dropped")
    renamed = {
        "latency_p95": "latency_p95_ms",
        "parameter_latency_p99": "parameter_p99_ms",
        "memory_gpu": "worker_device_mb",
        "prompt": "mix",
        "control_age": "control_age_ms",
    }
    assert {name: outputs[name] for name in renamed} == renamed
