"""What telemetry promises: figures by name, bounded memory, and a file that is whole or not there."""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path

import pytest

from streamvace.records.chunk import Trace
from streamvace.system.errors import UserError
from streamvace.telemetry import telemetry as telemetry_module
from streamvace.telemetry.telemetry import Telemetry, write_json
from tests.links import needs_links
from tests.live.show import SECOND


def test_an_idle_show_has_every_figure_at_zero() -> None:
    figures = Telemetry().stats()
    for name in ("ticks", "missed", "chunks", "fps", "interval_p50_ms", "interval_p99_ms"):
        assert figures[name] == 0
    for name in ("chunk_p50_ms", "chunk_p95_ms", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms"):
        assert figures[name] == 0


def test_percentiles_are_those_of_what_was_recorded() -> None:
    telemetry = Telemetry()
    for i in range(101):
        telemetry.ticked(i * SECOND // 50, 0)
        telemetry.chunk(i / 1000, {"total": 0.5})
        telemetry.fresh(i * SECOND, i * SECOND - i * 1_000_000 if i else 0, Trace())
    figures = telemetry.stats()
    assert figures["ticks"] == 101
    assert figures["interval_p50_ms"] == figures["interval_max_ms"] == pytest.approx(20)
    assert figures["chunk_p50_ms"] == pytest.approx(50)
    assert figures["chunk_p95_ms"] == pytest.approx(95)
    assert figures["latency_p50_ms"] == pytest.approx(50.5)  # the frame without control is left out
    assert figures["stage_total_ms"] == 500


def test_the_frame_rate_is_of_the_last_seconds_and_falls_to_zero_when_frames_stop() -> None:
    telemetry = Telemetry()
    for i in range(100):
        now = i * SECOND // 20
        telemetry.ticked(now, 0)
        telemetry.fresh(now, 0, Trace())
    assert telemetry.stats()["fps"] == pytest.approx(20, rel=0.05)
    telemetry.ticked(100 * SECOND, 0)
    assert telemetry.stats()["fps"] == 0


def test_parts_of_the_show_add_their_own_figures() -> None:
    telemetry = Telemetry()
    telemetry.add(lambda: {"state": "running"})
    assert telemetry.stats()["state"] == "running"


def test_a_figure_that_cannot_be_read_keeps_its_last_value_and_is_reported() -> None:
    said: list[str] = []
    telemetry = Telemetry(said.append)
    free = [True]

    def memory() -> dict[str, float]:
        if not free[0]:
            raise OSError(24, "Too many open files", "/proc/1/statm")
        return {"memory_mb": 7.0}

    telemetry.add(memory)
    telemetry.add(lambda: {"inputs": 2})
    assert telemetry.stats()["figure_faults"] == 0
    free[0] = False
    figures = telemetry.stats()
    assert (figures["memory_mb"], figures["inputs"], figures["figure_faults"]) == (7.0, 2, 1)
    assert "Too many open files: '/proc/1/statm'" in said[0]


def test_who_looks_beside_the_status_gets_its_figures_while_they_are_recent() -> None:
    now, reads = [5 * SECOND], count(1)
    telemetry = Telemetry(clock=lambda: now[0])
    telemetry.add(lambda: {"reads": next(reads)})
    assert telemetry.recent()["reads"] == 1, "nobody has read them yet"
    now[0] += telemetry_module.RECENT_NS
    assert telemetry.recent()["reads"] == 1
    now[0] += 1
    assert telemetry.recent()["reads"] == 2
    assert telemetry.stats()["reads"] == 3
    assert telemetry.recent()["reads"] == 3


def test_memory_stays_bounded() -> None:
    telemetry = Telemetry()
    for i in range(40_000):
        telemetry.ticked(i, 0)
        telemetry.fresh(i, 0, Trace())
    assert len(telemetry._intervals_ms) == 16_384
    assert len(telemetry._fresh_ns) == 1024
    assert telemetry.stats()["ticks"] == 40_000


def test_the_stats_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_use(source: Path, path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    target = tmp_path / "figures.json"
    write_json(target, {"ticks": 3})
    assert json.loads(target.read_text()) == {"ticks": 3}
    with pytest.raises(TypeError):
        write_json(target, {"ticks": object()})
    assert json.loads(target.read_text()) == {"ticks": 3}
    monkeypatch.setattr(telemetry_module, "replace_file", in_use)
    with pytest.raises(UserError, match=r"figures\.json is not written \(Permission denied\); close the program"):
        write_json(target, {"ticks": 4})
    assert [entry.name for entry in tmp_path.iterdir()] == ["figures.json"]


@needs_links
def test_a_link_planted_where_the_stats_are_written_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / f".figures.json.{os.getpid()}.part").symlink_to(tmp_path / "planted")
    write_json(tmp_path / "figures.json", {"ticks": 3})
    assert [entry.name for entry in tmp_path.iterdir()] == ["figures.json"]
