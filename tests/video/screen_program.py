"""Run by test_screen.py with a virtual screen: puts a window there, takes its picture, and tells as JSON."""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from streamvace.doctor.sources import run_sources
from streamvace.records.frame import Frame, Source
from streamvace.system.errors import UserError
from streamvace.video.endpoints import open_source
from streamvace.video.screen import open_grabber
from streamvace.video.window.sink import WindowSink
from tests.video.helpers import corner_card

SIZE = (96, 64)


def newest(source: Source, matching: np.ndarray | None = None) -> Frame:
    """A frame; with `matching`, the first one that looks like it (a window takes its time to appear)."""
    end = time.monotonic() + 20
    while True:
        frame = source.poll()
        if frame is not None and (matching is None or np.array_equal(frame.pixels[..., :3], matching[..., :3])):
            return frame
        assert time.monotonic() < end, "no such picture"
        time.sleep(0.01)


def refusal(address: str) -> str:
    try:
        open_source(address, SIZE).close()
    except UserError as error:
        return str(error)
    return ""


def main() -> None:
    card = corner_card(*SIZE)
    window = WindowSink(SIZE, window_size=SIZE)
    window._window.set_location(30, 20)
    window.publish(Frame(card, 0, "test", 0))
    for _ in range(5):
        window.pump()
    report: dict[str, object] = {}
    source = open_source(f"screen:1?x=30&y=20&width={SIZE[0]}&height={SIZE[1]}&fps=60", SIZE)
    frame = newest(source, card)
    report["source"], report["opaque"] = frame.source, bool((frame.pixels[..., 3] == 255).all())
    again = newest(source)
    report["goes_on"] = again.sequence > frame.sequence and again.captured_ns > frame.captured_ns
    source.close()
    with open_grabber() as grabber:
        width, height = grabber.monitors[1]["width"], grabber.monitors[1]["height"]
    report["screen"] = [width, height]
    whole = open_source("screen:", (width, height))
    pixels = newest(whole).pixels
    report["whole"] = list(pixels.shape)
    report["in_the_whole"] = bool(np.array_equal(pixels[20:84, 30:126, :3], card[..., :3]))
    whole.close()
    report["refusals"] = [refusal("screen:2"), refusal(f"screen:1?x={width - 40}&width=100"), refusal("screen:left")]
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # the pictures are blocks, not in cp1252
    print(json.dumps(report), flush=True)
    run_sources(0.0, thumbnails=True, as_json=False)
    window.close()


main()
