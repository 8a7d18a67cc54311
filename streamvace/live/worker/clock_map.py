"""The worker's times on the stage's clock.

`time.perf_counter_ns` counts from the machine's start and is one clock for all its processes: CLOCK_MONOTONIC on
Linux, mach_absolute_time on macOS, QueryPerformanceCounter on Windows. Python promises none of that, and a Linux time
namespace breaks it, so every worker says its time when it is ready, and a clock that is another one is mapped.
"""

from __future__ import annotations

from dataclasses import replace

from streamvace.records.chunk import Chunk


def clock_offset(started_ns: int, heard_ns: int, worker_ns: int) -> int:
    """What to add to the worker's times: 0 where its reading lies between its start and the moment it was heard.

    Otherwise its clock is another, and the reading was as good as now: wrong by the way through the pipe at most.
    """
    return 0 if started_ns <= worker_ns <= heard_ns else heard_ns - worker_ns


def in_stage_time(chunk: Chunk, offset_ns: int) -> Chunk:
    """The chunk with the worker's part of its trace on the stage's clock."""
    trace = chunk.trace
    if not offset_ns:
        return chunk
    moved = replace(
        trace,
        started_ns=trace.started_ns + offset_ns,
        ended_ns=trace.ended_ns + offset_ns,
        decoded_ns=trace.decoded_ns + offset_ns,
    )
    return replace(chunk, trace=moved)
