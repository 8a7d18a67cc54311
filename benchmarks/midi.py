"""What the MIDI map costs, and how long a control takes to its parameter.

    python benchmarks/midi.py

A desk and an OSC port as in a show, without devices: messages are handed over as the devices' thread does it. Prints
the time from a message to the parameter, the share of a core at a flood, and the idle cost of the map's thread.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.parameters import Parameters, Snapshot
from streamvace.midi.desk import Desk, Ways
from streamvace.midi.map_file import MapFile
from streamvace.osc.peer import MIDI, writer_name
from streamvace.osc.server import OscServer

SCALE = "/streamvace/context_scale"
MESSAGES = 400
FLOOD_S, FLOOD_RATE = 3.0, 3000
IDLE_S = 10.0


def percentile(values: list[float], share: float) -> float:
    """Of the values in order, the one at this share."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def map_seconds() -> float:
    """Seconds of a core that the map's thread has taken. Not on Windows."""
    (thread,) = (each for each in threading.enumerate() if each.name == "midi map")
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident or 0))


def main() -> None:
    """Measure and print."""
    parameters = Parameters()
    osc = OscServer(parameters, port=0, commands=Commands(parameters, CueList()))
    peer = osc.local_clients.open(lambda address, arguments: None, kind=MIDI)
    path = Path(tempfile.mkdtemp()) / "midi.json"
    rows = [
        {"control": f"cc {number}", "to": "context_scale" if number == 7 else "noise_scale", "takeover": "none"}
        for number in range(64)
    ]
    path.write_text(json.dumps({"version": 1, "maps": rows}))
    ways = Ways(
        post=lambda address, arguments: osc.local_clients.post(peer, address, *arguments),
        send=lambda port, data: None,
        held=parameters.snapshot,
        cues=tuple,
        report=print,
        say=print,
    )
    desk = Desk(MapFile(path, parameters.schema), parameters.schema, ways)
    changed = threading.Event()

    def follow(snapshot: Snapshot, writers: Mapping[str, str]) -> None:
        changed.set()
        for address, writer in writers.items():
            desk.moved(address, mine=writer == writer_name(peer))

    parameters.listen(follow)
    desk.start()
    desk.opened(0, "Keys")
    time.sleep(1.5)

    took_ms = []
    for number in range(MESSAGES):
        changed.clear()
        began = time.perf_counter()
        desk.message(0, time.monotonic(), (0xB0, 7, number % 127))
        changed.wait(2.0)
        took_ms.append((time.perf_counter() - began) * 1e3)
        time.sleep(0.005)
    print(f"message to parameter: p50 {percentile(took_ms, 0.5):.2f} ms, p95 {percentile(took_ms, 0.95):.2f} ms")

    began, cpu, sent = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < FLOOD_S:
        for _ in range(FLOOD_RATE // 100):
            desk.message(0, time.monotonic(), (0xB0, 7 + sent % 2, sent % 127))
            sent += 1
        time.sleep(0.01)
    share = (time.process_time() - cpu) / (time.perf_counter() - began)
    dropped = desk.figures()["midi_dropped"]
    print(f"flood of {sent / FLOOD_S:.0f} messages/s: {share:.1%} of a core, {dropped} dropped")

    time.sleep(1.0)
    cpu = map_seconds()
    time.sleep(IDLE_S)
    print(f"idle thread of the map: {(map_seconds() - cpu) * 1e3 / IDLE_S:.2f} ms of a core a second")
    desk.close()
    osc.close()


if __name__ == "__main__":
    main()
