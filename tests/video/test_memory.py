from __future__ import annotations

import threading

import numpy as np

from streamvace.records.frame import Frame, Sink, Source
from streamvace.video.memory import MemorySink, NullSink, NullSource


def picture(value: int = 0) -> np.ndarray:
    return np.full((2, 3, 4), value, np.uint8)


def test_a_memory_sink_keeps_the_last_frames_in_order() -> None:
    sink = MemorySink(keep=2)
    for sequence in range(5):
        sink.publish(Frame(picture(), 0, "test", sequence))
    assert [frame.sequence for frame in sink.frames] == [3, 4]
    assert sink.published == 5


def test_a_memory_sink_lets_a_test_wait_for_frames() -> None:
    sink = MemorySink()
    thread = threading.Thread(target=lambda: [sink.publish(Frame(picture(), 0, "test", n)) for n in range(3)])
    thread.start()
    assert sink.wait_for(3, timeout=10)
    thread.join()
    assert not sink.wait_for(4, timeout=0)


def test_the_null_sink_counts_and_the_null_source_gives_nothing() -> None:
    sink: Sink = NullSink()
    sink.publish(Frame(picture(), 0, "test", 0))
    sink.close()
    assert isinstance(sink, NullSink)
    assert sink.published == 1
    source: Source = NullSource()
    assert source.poll() is None
    source.close()
