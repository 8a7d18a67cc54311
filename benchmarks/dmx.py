"""What a light desk costs: idle, one universe at 44 packets a second, and a flood of 44 universes.

    python benchmarks/dmx.py

A desk's port and an OSC port as in a show; another process sends over the network stack of this machine. Prints the
share of a core of the thread `dmx`, the time from a packet to the parameter, and what was used and dropped.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.parameters import Parameters
from streamvace.dmx.desk_input import Settings
from streamvace.dmx.dmx_in import DmxIn, Ways
from streamvace.dmx.personality import channels
from streamvace.osc.peer import DMX
from streamvace.osc.server import OscServer
from tests.dmx.desk import art_dmx, universe

SCALE = "/streamvace/context_scale"
RATE = 44
SECONDS = 10.0
TIMES = 100
SENDER = """
import socket, sys, time
sys.path.insert(0, sys.argv[1])
from tests.dmx.desk import art_dmx
port, universes, seconds, rate = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
began, sent = time.perf_counter(), 0
while time.perf_counter() - began < seconds:
    levels = bytes([255]) + bytes([sent % 256]) * 511
    for number in range(1, universes + 1):
        out.sendto(art_dmx(levels, number), ("127.0.0.1", port))
    sent += 1
    time.sleep(max(0.0, began + sent / rate - time.perf_counter()))
"""


def thread_seconds() -> float:
    """Seconds of a core that the desk's thread has taken. Not on Windows."""
    (thread,) = (each for each in threading.enumerate() if each.name == "dmx")
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident or 0))


def during(act: Callable[[], None]) -> float:
    """The share of a core that the desk's thread takes while something happens, in percent."""
    before, began = thread_seconds(), time.perf_counter()
    act()
    return (thread_seconds() - before) / (time.perf_counter() - began) * 100


def send(port: int, universes: int) -> None:
    """Another process sends this many universes at the rate of a desk."""
    words = [str(Path(__file__).resolve().parents[1]), str(port), str(universes), str(SECONDS), str(RATE)]
    subprocess.run([sys.executable, "-c", SENDER, *words], check=True)


def main() -> None:
    """Measure and print."""
    parameters = Parameters()
    osc = OscServer(parameters, port=0, commands=Commands(parameters, CueList()))
    peer = osc.local_clients.open(lambda address, arguments: None, kind=DMX)
    ways = Ways(
        post=lambda address, arguments: osc.local_clients.post(peer, address, *arguments),
        cues=lambda: (),
        report=print,
        say=print,
        refuse=lambda settings, error: print(error),
        allows=lambda host: True,
    )
    desk = DmxIn("127.0.0.1", ways, {"artnet": 0, "sacn": 0})
    desk.follow(Settings("artnet", 1))
    while not desk.port:
        time.sleep(0.01)
    print(f"idle: {during(lambda: time.sleep(SECONDS)):.3f} % of a core")
    print(f"1 universe at {RATE} Hz, every channel moves: {during(lambda: send(desk.port, 1)):.2f} % of a core")
    latencies(parameters, desk.port)
    before = desk.figures()
    print(f"44 universes at {RATE} Hz: {during(lambda: send(desk.port, 44)):.2f} % of a core")
    after = desk.figures()
    counts = {name: int(after[name]) - int(before[name]) for name in ("dmx_packets", "dmx_dropped", "dmx_faults")}
    print(counts)
    desk.close()
    osc.close()


def latencies(parameters: Parameters, port: int) -> None:
    """From a packet to the parameter."""
    at = next(channel.at for channel in channels("8_bit") if channel.name == "context_scale")
    changed = threading.Event()
    parameters.listen(lambda snapshot, names: changed.set() if SCALE in names else None)
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for number in range(TIMES):
            changed.clear()
            began = time.perf_counter()
            out.sendto(art_dmx(universe(**{"c1": 255, f"c{at}": 1 + number * 2})), ("127.0.0.1", port))
            changed.wait(5)
            found.append((time.perf_counter() - began) * 1000)
            time.sleep(0.03)
    found.sort()
    print(f"packet to parameter: median {found[TIMES // 2]:.2f} ms, p95 {found[TIMES * 95 // 100]:.2f} ms")


if __name__ == "__main__":
    main()
