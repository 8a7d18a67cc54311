"""Maps the worker's times to the stage's clock.

`time.perf_counter_ns` counts from the machine's start and is one clock for all processes: CLOCK_MONOTONIC on Linux,
mach_absolute_time on macOS, QueryPerformanceCounter on Windows. Python does not guarantee that, and a Linux time
namespace breaks it. So every worker sends its time when it is ready, and a different clock is mapped.
"""

from __future__ import annotations

from dataclasses import replace

from streamvace.records.chunk import Chunk


def clock_offset(started_ns: int, heard_ns: int, worker_ns: int) -> int:
    """Nanoseconds to add to the worker's times: 0 if its reading lies between its start and the arrival of the reading.

    Otherwise its clock is a different one, and the reading is taken as simultaneous with its arrival; the error is the
    time through the pipe.
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
