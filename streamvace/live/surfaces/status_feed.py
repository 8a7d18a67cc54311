"""The figures of telemetry under the names that OSC and the web page use. Main thread and web thread; no state."""

from __future__ import annotations

from collections.abc import Callable

import osc_schema
from osc_schema import Value
from streamvace.control.parameters import Parameters
from streamvace.osc.counters import Counters
from streamvace.telemetry.telemetry import Stats, Telemetry

_STATUS = "/streamvace/status/"

_FIGURES = {
    "latency_p50": "latency_p50_ms",
    "latency_p95": "latency_p95_ms",
    "latency_p99": "latency_p99_ms",
    "parameter_latency_p50": "parameter_p50_ms",
    "parameter_latency_p95": "parameter_p95_ms",
    "parameter_latency_p99": "parameter_p99_ms",
    "memory": "memory_mb",
    "memory_worker": "memory_worker_mb",
    "memory_gpu": "worker_device_mb",
    "prompt": "mix",
    "input": "input_control",
    "control_age": "control_age_ms",
    "complaints": "osc_complaints",
}
"""Status outputs whose figure has another name."""

_WEB = (
    "state",
    "why",
    "fps",
    "fps_wanted",
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


def osc_figures(counters: Counters) -> Stats:
    """The OSC port's counters as figures: `osc_refused` and so on."""
    return {f"osc_{name}": count for name, count in vars(counters).items()}


def history_figures(parameters: Parameters) -> Stats:
    """What undo and redo would set now, in labels."""
    undo, redo = parameters.undoable()
    return {"undo": _labels(parameters, undo), "redo": _labels(parameters, redo)}


def _labels(parameters: Parameters, addresses: tuple[str, ...]) -> str:
    """The first label, and how many more."""
    if not addresses:
        return ""
    more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
    return parameters.schema[addresses[0]].label + more


def publish_status(publish: Callable[[str, Value], None], figures: Stats, **lists: tuple[str, ...]) -> None:
    """Publish every status output of the schema whose figure could be read. lists: those that are lists of texts."""
    known: dict[str, Value] = {**figures, **lists}
    for row in osc_schema.load():
        if row.access == "read" and (figure := figure_of(row.address)) in known:
            publish(row.address, known[figure])


def figure_of(address: str) -> str:
    """The figure that a status output shows."""
    name = address.removeprefix(_STATUS)
    return _FIGURES.get(name, name)


def web_figures(telemetry: Telemetry, parameters: Parameters, osc_port: int) -> dict[str, object]:
    """The figures of the preview page, for a performer; `--stats` writes all of them."""
    figures = telemetry.recent()
    return {
        "latency_ms": figures["latency_p50_ms"],
        "chunk_ms": figures["chunk_p50_ms"],
        "prompt": parameters.snapshot().text("/streamvace/prompt"),
        "osc_port": osc_port,
        **{name: figures[name] for name in _WEB if name in figures},
    }
