"""A show with everything on at once: the part `everything` of show.py.

Pictures in between by motion, every effect with a screen, four modulators, a MIDI device with a clock that plays four
knobs and is told their values, sound from the null device, a page that draws output and control, another surface that
moves a fader, and changes that wait for the bar. The MIDI device is one of the page: the library for devices of the
machine itself runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import math
import tempfile
from itertools import count
from pathlib import Path

import aiohttp
from page_cost import SETTLE_S, Page, move
from running_show import Figures, RunningShow

OPTIONS = (
    *("--output-motion", "flow", "--output-brightness", "1.1", "--output-saturation", "0.9", "--output-hue", "15"),
    *("--output-zoom", "1.1", "--output-trail", "0.2", "--output-control", "0.2"),
    *("--output-screen", "halftone", "--output-screen-mix", "0.5"),
    *("--mod", "1 source=beat shape=decay target=output/brightness high=0.2"),
    *("--mod", "2 source=sound band=low target=output/zoom high=0.1"),
    *("--mod", "3 source=value target=output/hue high=0.2"),
    *("--mod", "4 source=lfo rate=0.2 target=noise_scale low=-0.1 high=0.1"),
    *("--sound-input", "null", "--quantise", "bar"),
)

KNOBS = {1: "mod/3/value", 2: "output/saturation", 3: "output/screen_mix", 4: "context_scale"}
"""Controller -> the parameter that it plays."""
KNOBS_HZ = 50.0
BEATS_A_MINUTE = 124.0
CLOCK, START = 0xF8, 0xFA
WARM_S = 10.0
"""The first chunks are dearer, and the searches for motion find out what they cost."""


async def _play(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Knobs that turn all the time, and a MIDI clock."""
    await socket.send_json({"midi_devices": {"0": "Knobs"}})
    await socket.send_json({"midi": [[0, 0, START]]})
    loop = asyncio.get_running_loop()
    began, ticks = loop.time(), 0
    for turn in count():
        now = loop.time() - began
        due = int(now * BEATS_A_MINUTE / 60 * 24)
        late_ms = [1e3 * (now - (ticks + n) * 60 / BEATS_A_MINUTE / 24) for n in range(due - ticks)]
        said = [[0, max(0.0, late), CLOCK] for late in late_ms]
        said += [[0, 0, 0xB0, knob, round(64 + 63 * math.sin(turn / 20 + knob))] for knob in KNOBS]
        await socket.send_json({"midi": said})
        ticks = due
        await asyncio.sleep(1 / KNOBS_HZ)


def everything(seconds: float, options: list[str]) -> tuple[Figures, Figures, dict[str, object]]:
    """The figures before and after `seconds` of it, and those of the whole show, with what the page has seen."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [{"control": f"cc {knob}", "to": to, "takeover": "none", "feedback": True} for knob, to in KNOBS.items()]
        Path(folder, "midi.json").write_text(json.dumps({"version": 1, "maps": rows}), "utf-8")
        with RunningShow("--cues", str(Path(folder, "cues.json")), *OPTIONS, *options) as show:
            before, after, seen = asyncio.run(_everything(show, seconds))
            return before, after, {**show.end(), **seen}


async def _everything(show: RunningShow, seconds: float) -> tuple[Figures, Figures, dict[str, object]]:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{show.page}page") as socket:
        reader = Page(socket)
        tasks = [asyncio.ensure_future(each) for each in (reader.listen(), _play(socket), move(show))]
        await socket.send_json({"watch": ["output", "control"]})
        await asyncio.sleep(WARM_S + SETTLE_S)
        before, cpu_s = await asyncio.to_thread(show.figures), sum(show.stage.cpu_times()[:2])
        pictures = dict(reader.seen.pictures)
        await asyncio.sleep(seconds)
        after, cpu_s = await asyncio.to_thread(show.figures), sum(show.stage.cpu_times()[:2]) - cpu_s
        drawn = {view: (number - pictures.get(view, 0)) / seconds for view, number in reader.seen.pictures.items()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return before, after, {"stage_percent": 100 * cpu_s / seconds, "pictures_per_s": drawn}
