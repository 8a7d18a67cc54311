"""The cost of video inputs and outputs: `python benchmarks/video_io.py [--seconds 6] [--write]`.

Prints a Markdown table with its hardware line; `--write` puts it into docs/video-io.md. NDI is measured between two
processes of this machine with our own sink and source: from `publish` in one process to the resized and converted frame
in the other. The window is measured on the screen, or on a virtual one (xvfb-run).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from common import arguments, cpu_line
from numpy.typing import NDArray

from streamvace.records.frame import Frame
from streamvace.system.clock import ShowClock, now_ns
from streamvace.video.core.alpha import to_premultiplied, to_straight
from streamvace.video.film.format import FORMATS
from streamvace.video.film.source import read_frames
from streamvace.video.film.writer import VideoWriter

Row = tuple[str, str, str, str, str]
"""path, size, throughput, latency, alpha"""

HEADINGS = ("path", "size", "throughput", "latency, p50 / p95", "alpha, largest error")
DOC = Path(__file__).parents[1] / "docs" / "video-io.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
NDI_CASES = ((640, 368, 1), (1920, 1080, 1), (640, 368, 3))
"""Width, height, number of parallel streams; each at NDI_RATE."""
NDI_RATE = 60
PICTURES = 8
"""Number of different pictures shown in turn: a still picture would be too easy for every encoder."""


def moving(width: int, height: int) -> list[NDArray[np.uint8]]:
    """Smooth moving colours with an alpha that rises from left to right: uint8 `[H, W, 4]` each."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    pictures = []
    for index in range(PICTURES):
        turn = 2 * np.pi * index / PICTURES
        picture = np.empty((height, width, 4), np.uint8)
        picture[..., 0] = 127 + 100 * np.sin(columns / width * 6 + turn)
        picture[..., 1] = 127 + 100 * np.cos(rows / height * 4 - turn)
        picture[..., 2] = 127 + 60 * np.sin((rows + columns) / (width + height) * 9 + turn)
        picture[..., 3] = np.linspace(0, 255, width)[None, :]
        pictures.append(picture)
    return pictures


def paced(rate: float, seconds: float) -> Iterator[int]:
    """Count up at this rate per second on the show's clock."""
    clock, start, stop = ShowClock(), now_ns(), threading.Event()
    for index in range(round(rate * seconds)):
        clock.wait_until(start + round(index * 1e9 / rate), stop)
        yield index


def send_ndi(names: list[str], width: int, height: int, seconds: float) -> None:
    """The sender process: publish for this many seconds, which include the time to connect."""
    from streamvace.video.ndi.sink import NdiSink

    sinks, pictures = [NdiSink(name, NDI_RATE) for name in names], moving(width, height)
    for index in paced(NDI_RATE, seconds):
        for sink in sinks:
            sink.publish(Frame(pictures[index % PICTURES], now_ns(), "bench", index))
    sent = [{"sent": sink.sent, "dropped": sink.dropped} for sink in sinks]
    for sink in sinks:
        sink.close()
    print(json.dumps(sent), flush=True)


def measure_ndi(width: int, height: int, streams: int, seconds: float) -> Row:
    """Our sink in another process, our source in this one."""
    from streamvace.video.ndi.source import NdiInput, NdiSource

    expected = [picture[..., 3].astype(int) for picture in moving(width, height)]

    class Timed(NdiSource):
        def __init__(self, name: str) -> None:
            self.arrived: list[int] = []
            self.late_ns: list[int] = []
            self.worst_alpha = 0
            super().__init__(name, NdiInput(ips="127.0.0.1"), (width, height))

        def _take(self, video: Any, captured_ns: int) -> None:
            super()._take(video, captured_ns)
            done = now_ns()
            facts = ElementTree.fromstring(self.metadata).attrib
            self.arrived.append(done)
            self.late_ns.append(done - int(facts["captured_ns"]))
            if len(self.arrived) % 30 == 1:  # comparing takes time
                frame = self._slot.take()
                if frame is not None:
                    alpha = frame.pixels[..., 3] - expected[int(facts["frame"]) % PICTURES]
                    self.worst_alpha = max(self.worst_alpha, int(np.abs(alpha).max()))

    names = [f"sv bench {os.getpid()} {index}" for index in range(streams)]
    command = [sys.executable, __file__, "--ndi-sender", "|".join(names), str(width), str(height), str(seconds + 4)]
    sender = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    sources = [Timed(name) for name in names]
    out, _ = sender.communicate(timeout=seconds + 60)
    for source in sources:
        source.close()
    what = "NDI, two processes" + (f", {streams} streams" if streams > 1 else "")
    if not all(len(source.arrived) > 1 for source in sources):
        print("NDI: a sender was not found; another program on this machine may use port 5960", file=sys.stderr)
        return what, f"{width}x{height}", "not measured", "", ""
    rates = [(len(s.arrived) - 1) / (s.arrived[-1] - s.arrived[0]) * 1e9 for s in sources]
    late = np.concatenate([source.late_ns[NDI_RATE:] or source.late_ns for source in sources]) / 1e6
    dropped = sum(each["dropped"] for each in json.loads(out))
    shown = " / ".join(f"{rate:.1f}" for rate in rates)
    skipped = sum(source.skipped for source in sources)
    return (
        what,
        f"{width}x{height}",
        f"{NDI_RATE} sent, {shown} received a second; {dropped} dropped, {skipped} skipped",
        f"{np.percentile(late, 50):.1f} / {np.percentile(late, 95):.1f} ms",
        f"{max(source.worst_alpha for source in sources)} of 255",
    )


def timed(work: Callable[[int], object], seconds: float) -> tuple[float, float, float]:
    """Call `work` for this many seconds. Returns (calls per second, p50 ms, p95 ms)."""
    spent: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        begun = time.perf_counter()
        work(len(spent))
        spent.append(time.perf_counter() - begun)
    return len(spent) / sum(spent), *(float(np.percentile(spent, p)) * 1e3 for p in (50, 95))


def measure_films(folder: Path, seconds: float) -> Iterator[Row]:
    """Every format, written and read back."""
    width, height = 832, 480
    pictures = moving(width, height)
    size = f"{width}x{height}"
    for name, row in FORMATS.items():
        path = folder / f"{name}{row.suffixes[-1]}"
        with VideoWriter(path, (width, height), 24, row) as writer:
            rate, middle, high = timed(lambda index, w=writer: w.write(pictures[index % PICTURES]), seconds)
            count = writer.frames
        yield f"film written, {name}", size, f"{rate:.0f} frames/s", f"{middle:.1f} / {high:.1f} ms", ""
        begun = time.perf_counter()
        worst = 0
        for index, frame in enumerate(read_frames(path, (width, height))):
            if row.alpha and index < PICTURES:
                difference = frame[..., 3].astype(int) - pictures[index][..., 3]
                worst = max(worst, int(np.abs(difference).max()))
        rate = count / (time.perf_counter() - begun)
        yield f"film read, {name}", size, f"{rate:.0f} frames/s", "", f"{worst} of 255" if row.alpha else "no alpha"


def measure_alpha(seconds: float) -> Iterator[Row]:
    """Straight to premultiplied and back, 1080p."""
    picture = moving(1920, 1080)[0]
    for name, work in (("straight to premultiplied", to_premultiplied), ("premultiplied to straight", to_straight)):
        rate, middle, high = timed(lambda index, work=work: work(picture), seconds)
        yield (name, "1920x1080", f"{rate:.0f} frames/s", f"{middle:.1f} / {high:.1f} ms", "rounded to nearest")


def draw_window(width: int, height: int, seconds: float) -> None:
    """The window process: publish and draw, then grab the screen, as fast as possible."""
    from streamvace.video.window.sink import WindowSink

    pictures = moving(width, height)
    sink = WindowSink((width, height), window_size=(width, height))
    sink._window.set_vsync(False)

    def draw(index: int) -> None:
        sink.publish(Frame(pictures[index % PICTURES], 0, "bench", index))
        sink.pump()

    figures = {"window": timed(draw, seconds)}
    try:
        from streamvace.video.screen import open_grabber

        with open_grabber() as grabber:
            part = {"left": 0, "top": 0, "width": width, "height": height}
            figures["screen"] = timed(lambda index: np.asarray(grabber.grab(part)), seconds)
    except Exception as error:  # noqa: BLE001 - without mss this row is missing; reported
        print(f"screen: {error}", file=sys.stderr)
    sink.close()
    print(json.dumps(figures), flush=True)


def measure_window(seconds: float) -> Iterator[Row]:
    """On the screen, or on a virtual one, which is drawn by the CPU."""
    width, height = 832, 480
    command = [sys.executable, __file__, "--window", str(width), str(height), str(seconds)]
    virtual = sys.platform not in ("win32", "darwin") and not os.environ.get("DISPLAY")
    if virtual:
        if shutil.which("xvfb-run") is None:
            return
        command = ["xvfb-run", "-a", "-s", "-screen 0 1280x720x24", *command]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=seconds * 4 + 60, check=True)
    where = ", virtual screen drawn by the CPU" if virtual else ""
    for name, (rate, middle, high) in json.loads(run.stdout.splitlines()[-1]).items():
        what = {"window": "window, upload and draw", "screen": "screen grabbed"}[name]
        yield (what + where, f"{width}x{height}", f"{rate:.0f} frames/s", f"{middle:.1f} / {high:.1f} ms", "not shown")


def measure(seconds: float) -> Iterator[Row]:
    """Every row that this machine can measure."""
    try:
        import NDIlib  # noqa: F401 - only whether it is installed
    except ImportError:
        print('no NDI rows: pip install "streamvace[ndi]"', file=sys.stderr)
    else:
        for width, height, streams in NDI_CASES:
            yield measure_ndi(width, height, streams, seconds)
    with tempfile.TemporaryDirectory() as folder:
        yield from measure_films(Path(folder), seconds / 3)
    yield from measure_window(seconds / 2)
    yield from measure_alpha(seconds / 3)


def table(rows: list[Row]) -> str:
    """A Markdown table under its hardware line."""
    lines = [f"Measured on {cpu_line()}.", "", "| " + " | ".join(HEADINGS) + " |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def write(text: str) -> None:
    """Replace the table between its two marks in the documentation."""
    page = DOC.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOC.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Print the table, or be one of its helper processes."""
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="duration of each NDI row; the others take less")
    parser.add_argument("--write", action="store_true", help="write the table into docs/video-io.md")
    parser.add_argument(
        "--ndi-sender", nargs=4, metavar=("NAMES", "WIDTH", "HEIGHT", "SECONDS"), help=argparse.SUPPRESS
    )
    parser.add_argument("--window", nargs=3, metavar=("WIDTH", "HEIGHT", "SECONDS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ndi_sender:
        names, width, height, seconds = given.ndi_sender
        send_ndi(names.split("|"), int(width), int(height), float(seconds))
        return
    if given.window:
        width, height, seconds = given.window
        draw_window(int(width), int(height), float(seconds))
        return
    rows = []
    for row in measure(given.seconds):
        print(" | ".join(row), file=sys.stderr, flush=True)
        rows.append(row)
    text = table(rows)
    print(text)
    if given.write:
        write(text)


if __name__ == "__main__":
    main()
