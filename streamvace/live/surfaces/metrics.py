"""The figures of telemetry in Prometheus' text format, for `/metrics` of the web server.

prometheus_client writes the format (escaping, types, one HELP per family). It is small, pure Python and has no
dependencies, so it is a requirement and not an extra. Figures are collected on request, so nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streamvace.live.surfaces.show_state import Word
from streamvace.telemetry.telemetry import Stats

_COUNTERS = {
    "ticks": "Pictures published.",
    "missed": "Output ticks without a published picture.",
    "fresh": "Ticks that showed a generated frame for the first time.",
    "paced": "Ticks that showed a frame again because content is slower than the output.",
    "repeated": "Ticks that showed a frame again because no fresh one was ready.",
    "slate": "Ticks before the first generated frame.",
    "dropped": "Generated frames dropped because the queue was full or the content faster than the output.",
    "discarded": "Generated frames discarded at a reset.",
    "chunks": "Chunks made.",
    "chunks_refused": "Chunks that were not finite, or went flat without a reason.",
    "worker_restarts": "Restarts of the worker.",
    "worker_failed_steps": "Chunks that failed.",
    "sink_faults": "Faults of outputs.",
    "source_frames": "Control frames captured.",
    "source_faults": "Faults of inputs.",
}
"""Figure -> what it counts. `osc_*` figures are counters too, see osc.counters.Counters."""

_WAYS = {"latency": "control", "parameter": "parameter"}
_PERCENTS = (50, 95, 99)


class _Figures(Collector):
    def __init__(self, read: Callable[[], Stats]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        figures = {name: value for name, value in self._read().items() if not isinstance(value, bool)}
        yield _latencies(figures)
        yield _state(str(figures.pop("state", "")))
        for name, value in figures.items():
            if isinstance(value, str):
                continue
            if name in _COUNTERS or name.startswith("osc_"):
                counter = CounterMetricFamily(f"streamvace_{name}", _COUNTERS.get(name, "See osc.counters.Counters."))
                counter.add_metric([], value)
                yield counter
            elif name.endswith("_ms"):
                yield GaugeMetricFamily(f"streamvace_{name.removesuffix('_ms')}_seconds", name, value=value / 1e3)
            else:
                yield GaugeMetricFamily(f"streamvace_{name}", name, value=value)


def metrics(read: Callable[[], Stats]) -> Callable[[], bytes]:
    """Renders the page from `read()` at each call. Names are `streamvace_` and the figure's; times are in seconds."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(read))
    return lambda: generate_latest(registry)


def _latencies(figures: Stats) -> Metric:
    """Move the latency figures into one family with the labels `from` and `quantile`."""
    family = GaugeMetricFamily(
        "streamvace_picture_latency_seconds", "Time from there to the published picture.", labels=("from", "quantile")
    )
    for name, start in _WAYS.items():
        for percent in _PERCENTS:
            value = figures.pop(f"{name}_p{percent}_ms", None)
            if isinstance(value, float):
                family.add_metric((start, str(percent / 100)), value / 1e3)
    return family


def _state(current: str) -> Metric:
    family = GaugeMetricFamily("streamvace_state", "1 for the current state of the show.", labels=("state",))
    for word in Word:
        family.add_metric((word.value,), float(word.value == current))
    return family
