"""The status feed: every status output of the schema is published with its figure."""

from __future__ import annotations

import osc_schema
from osc_schema import Value
from streamvace.live.surfaces.status_feed import figure_of, publish_status
from streamvace.telemetry.telemetry import Stats

OUTPUTS = [row.address for row in osc_schema.load() if row.access == "read"]
NAMES: Stats = {figure_of(address): figure_of(address) for address in OUTPUTS}
"""Every figure is its own name."""


def test_every_status_output_of_the_schema_is_published_with_its_figure() -> None:
    published: dict[str, Value] = {}
    publish_status(published.__setitem__, NAMES, outputs=("window", "ndi:STAGE (streamvace)"))
    outputs = {address.removeprefix("/streamvace/status/"): value for address, value in published.items()}
    assert list(published) == OUTPUTS
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


def test_a_figure_that_could_not_be_read_is_left_out_and_the_others_are_published() -> None:
    published: dict[str, Value] = {}
    publish_status(published.__setitem__, {"fps": 24.0}, outputs=("window",))
    assert published == {"/streamvace/status/fps": 24.0, "/streamvace/status/outputs": ("window",)}
