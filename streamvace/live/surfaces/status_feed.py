"""The figures of telemetry under the names that OSC and the web page know. Main thread and web thread; no state."""

from __future__ import annotations

from collections.abc import Callable

from osc_schema import Value
from streamvace.control.parameters import Parameters
from streamvace.osc.counters import Counters
from streamvace.telemetry.telemetry import Stats, Telemetry

_OSC = {
    "fps": "fps",
    "latency_p50": "latency_p50_ms",
    "latency_p95": "latency_p95_ms",
    "latency_p99": "latency_p99_ms",
    "parameter_latency_p50": "parameter_p50_ms",
    "parameter_latency_p95": "parameter_p95_ms",
    "parameter_latency_p99": "parameter_p99_ms",
    "state": "state",
    "chunk": "chunk",
    "error": "error",
    "dropped": "dropped",
    "repeated": "repeated",
    "missed": "missed",
    "memory": "memory_mb",
    "memory_worker": "memory_worker_mb",
    "memory_gpu": "worker_device_mb",
    "recording": "recording",
    "record_dropped": "record_dropped",
    "model": "model",
    "cue": "cue",
    "cue_next": "cue_next",
    "prompt": "mix",
    "beat": "beat",
    "tempo": "tempo",
    "drift": "drift",
    "re_anchors": "re_anchors",
    "control": "control",
    "mask": "mask",
    "control_ms": "control_ms",
    "mask_ms": "mask_ms",
    "control_age": "control_age_ms",
}
"""Name under /streamvace/status/ to name of the figure."""


def osc_figures(counters: Counters) -> Stats:
    """The OSC port's counters among the others, as `osc_refused` and so on."""
    return {f"osc_{name}": count for name, count in vars(counters).items()}


def publish_status(publish: Callable[[str, Value], None], figures: Stats, outputs: tuple[str, ...]) -> None:
    """Put every status output up. outputs: what the open sinks are called."""
    publish("/streamvace/status/outputs", outputs)
    for name, figure in _OSC.items():
        publish(f"/streamvace/status/{name}", figures[figure])


def web_figures(telemetry: Telemetry, parameters: Parameters, osc_port: int) -> dict[str, object]:
    """What the preview page shows: a performer's figures; `--stats` has all of them."""
    figures = telemetry.stats()
    shown = (
        "state",
        "fps",
        "chunks",
        "missed",
        "repeated",
        "dropped",
        "latency_p95_ms",
        "worker_restarts",
        "control",
        "mask",
        "error",
    )
    return {
        "latency_ms": figures["latency_p50_ms"],
        "chunk_ms": figures["chunk_p50_ms"],
        "prompt": parameters.snapshot().text("/streamvace/prompt"),
        "osc_port": osc_port,
        **{name: figures[name] for name in shown},
    }
