"""MIDI in a show: from the bytes of a device to a parameter, back to the device, and to the command line."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest

from streamvace import cli
from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.midi_clock import MidiClock
from streamvace.control.parameters import Parameters
from streamvace.control.refusals import Refusals
from streamvace.live import midi_cli
from streamvace.live.midi_setup import Midi
from streamvace.live.stage import Stage
from streamvace.midi.midi_in import INPUT
from streamvace.osc.server import OscServer
from streamvace.telemetry.reporter import Reporter
from tests.live.show import wait_until

SCALE = "/streamvace/context_scale"

LIBRARY = """
import os, threading, time
HERE = os.path.dirname(__file__)
class MidiIn:
    callback = None
    def ignore_types(self, *ignored): pass
    def close_port(self): pass
    def open_port(self, number):
        threading.Thread(target=self.play, daemon=True).start()
    def play(self):
        read = 0
        while True:
            time.sleep(0.01)
            if os.path.exists(HERE + "/in"):
                lines = open(HERE + "/in").read().split("\\n")[:-1]
                for line in lines[read:]:
                    self.callback([int(byte) for byte in line.split()], 0.0)
                read = len(lines)
class MidiOut:
    def open_port(self, number): pass
    def close_port(self): pass
    def send_raw(self, *data):
        assert len(data) == 3
        with open(HERE + "/out", "a") as out:
            out.write(repr(list(data)) + "\\n")
def get_in_ports(): return ["Motor 20:0"]
get_out_ports = get_in_ports
"""
"""A stand-in for rtmidi2 with one device: it sends the lines of the file `in`, and what it is sent is in `out`."""


class Rig:
    """The parts of a show that MIDI needs, and one device."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: queue.Queue[str] = queue.Queue()
        self.parameters = Parameters({INPUT: "all"})
        reporter = Reporter(self.lines.put)
        self.closing = ExitStack()
        unused = cast(Any, None)
        refusals = Refusals(self.parameters, reporter)
        stage = Stage(unused, (1, 1), unused, self.parameters, unused, reporter, refusals, self.closing)
        self.clock = MidiClock()
        cues = CueList()
        self.midi = Midi(stage, self.clock, folder / "cues.json", lambda: cues.names)
        commands = Commands(self.parameters, cues, more=self.midi.commands)
        self.osc = OscServer(self.parameters, port=0, commands=commands, refusals=refusals)
        self.closing.callback(self.osc.close)
        self.midi.play(self.osc.local_clients, self.osc.waiting)
        # The main loop of a show does this.
        self.ended = threading.Event()
        self._status = threading.Thread(target=self._publish)
        self._status.start()

    def _publish(self) -> None:
        while not self.ended.wait(0.02):
            for name, value in self.midi.figures().items():
                self.osc.publish(f"/streamvace/status/{name}", value)

    def play(self, *messages: tuple[int, ...]) -> None:
        with (self.folder / "in").open("a") as file:
            file.write("".join(" ".join(map(str, message)) + "\n" for message in messages))

    @property
    def told(self) -> list[list[int]]:
        out = self.folder / "out"
        return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []

    def close(self) -> None:
        self.ended.set()
        self._status.join()
        self.closing.close()


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    (tmp_path / "rtmidi2.py").write_text(LIBRARY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    rows = [{"control": "cc 7", "to": "context_scale", "feedback": True}]
    (tmp_path / "midi.json").write_text(json.dumps({"version": 1, "maps": rows}))
    rig = Rig(tmp_path)
    yield rig
    rig.close()


def test_a_device_sets_a_parameter_and_is_told_what_others_set(rig: Rig) -> None:
    wait_until(lambda: rig.told == [[0xB0, 7, 64]], "the value at the start")
    rig.parameters.set(SCALE, (2.0,), "a page")
    wait_until(lambda: rig.told == [[0xB0, 7, 64], [0xB0, 7, 127]], "the fader follows the page")
    rig.play((0xB0, 7, 0), (0xF8,))
    wait_until(lambda: rig.parameters.snapshot()[SCALE] == 0.0, "the fader moves the parameter")
    rig.parameters.set("/streamvace/undo", (), "a page")
    assert rig.parameters.snapshot()[SCALE] in (1.0, 2.0), "moves are undone"
    assert rig.clock.expected
    rig.parameters.set(INPUT, ("",), "a page")
    assert rig.clock.closed


def test_the_command_line_learns_and_forgets(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    port = str(rig.osc.port)

    def press() -> None:
        wait_until(lambda: rig.midi.figures()["midi_learn"] == "freeze", "the show learns")
        rig.play((0x90, 60, 100), (0x80, 60, 0))

    hand = threading.Thread(target=press)
    hand.start()
    assert cli.main(["midi", "learn", "freeze", "--osc-port", port]) == 0
    hand.join()
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("move the control")
    assert said[1] == "Motor, channel 1, note 60 moves freeze; 2 controls"
    assert cli.main(["midi", "map", "--cues", str(rig.folder / "cues.json")]) == 0
    assert "Motor, channel 1, note 60 -> freeze   (toggle)" in capsys.readouterr().out
    assert cli.main(["midi", "forget", "freeze", "--osc-port", port]) == 0
    wait_until(lambda: rig.midi.figures()["midi_maps"] == 1, "the row is gone")
    assert cli.main(["midi", "learn", "nothing", "--osc-port", port]) == 2
    assert "there is no parameter 'nothing'" in capsys.readouterr().err


def test_a_show_that_is_not_there_and_a_map_that_is_not_there_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(midi_cli, "ANSWERS_S", 0.05)
    assert cli.main(["midi", "learn", "freeze", "--osc-port", "1"]) == 2
    assert "no show answers at OSC port 1" in capsys.readouterr().err
    assert cli.main(["midi", "map", "--media", str(tmp_path)]) == 0
    assert "there is no map yet" in capsys.readouterr().out
    (tmp_path / "midi.json").write_text(
        '{"version": 1, "maps": [{"control": "cc 1", "to": "seed"}, {"control": "cc 1", "to": "freeze"}]}'
    )
    assert cli.main(["midi", "map", "--media", str(tmp_path)]) == 0
    assert "cc 1 -> seed   (also moves freeze)" in capsys.readouterr().out
    (tmp_path / "midi.json").write_text("{")
    assert cli.main(["midi", "map", "--media", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("address", "value", "typed"),
    [("seed", "7", 7), ("freeze", "true", True), ("cue/recall", "7", "7"), ("seed", "x", "x")],
)
def test_a_value_is_sent_as_its_parameter_takes_it(address: str, value: str, typed: object) -> None:
    assert midi_cli._typed(address, value) == typed
