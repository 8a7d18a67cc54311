"""MIDI as a surface: the map plays, is read again, is learned, and what is wrong is one line."""

from __future__ import annotations

import json
import os
import queue
import threading
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from osc_schema import Value
from streamvace.control.parameters import Snapshot
from streamvace.midi.desk import LOOK_S, MOST_ASKED, MOST_WAITING, PAUSE_S, SETTLED_S, Desk, Ways
from streamvace.midi.learn import HINT, PATIENCE_S, Wish
from streamvace.midi.learn import SETTLED_S as STILL_S
from streamvace.midi.map_file import MapFile
from streamvace.midi.messages import Parser
from tests.midi.rows import SCHEMA
from tests.patience import PATIENCE_S as WAIT_S

LEVEL, ON = "/streamvace/level", "/streamvace/on"


class Show:
    """A desk on a clock that stands until it is moved, turned by hand."""

    def __init__(self, folder: Path, *entries: dict[str, Any], **more: Any) -> None:
        self.path = folder / "midi.json"
        self.now = 100.0
        self.values: dict[str, Value] = {row.address: row.default for row in SCHEMA.values() if row.default is not None}
        self.posted: list[tuple[Any, ...]] = []
        self.sent: list[tuple[int, bytes]] = []
        self.lines: list[str] = []
        self.news: list[str] = []
        self.waiting: dict[str, Value] = {}
        self.saved = 0
        if entries:
            self.save(*entries, **more)
        ways = Ways(
            post=lambda address, arguments: self.posted.append((address.removeprefix("/streamvace/"), *arguments)),
            send=lambda port, data: self.sent.append((port, data)),
            held=lambda: Snapshot(0, MappingProxyType(self.values), {}, {}, 0),
            cues=lambda: ("one",),
            report=self.lines.append,
            say=self.news.append,
            waiting=lambda: self.waiting,
        )
        self.desk = Desk(MapFile(self.path, SCHEMA), SCHEMA, ways, lambda: round(self.now * 1e9))
        self.desk.turn()

    def save(self, *entries: dict[str, Any], **more: Any) -> None:
        self.write(json.dumps({"version": 1, **more, "maps": list(entries)}))

    def write(self, text: str) -> None:
        self.saved += 1
        self.path.write_text(text, "utf-8")
        os.utime(self.path, ns=(self.saved, self.saved))

    def play(self, *data: int, port: int = 0) -> list[tuple[Any, ...]]:
        for message in Parser().feed(bytes(data)):
            self.desk.message(port, self.now, message)
        return self.turn()

    def turn(self, after: float = 0.0) -> list[tuple[Any, ...]]:
        self.now += after
        self.desk.turn()
        posted, self.posted = self.posted, []
        return posted

    @property
    def rows(self) -> list[dict[str, Any]]:
        return list(json.loads(self.path.read_text("utf-8"))["maps"])


FADER = {"control": "cc 7", "to": "level", "takeover": "none"}


def test_the_map_beside_the_cues_plays(tmp_path: Path) -> None:
    show = Show(tmp_path, FADER)
    show.desk.opened(0, "Keys 20:0")
    assert show.play(0xB0, 7, 127) == [("level", 2.0)]
    assert show.play(0xB0, 7, 127, port=5) == [], "a device that is not open"
    figures = show.desk.figures()
    assert (figures["midi_maps"], figures["midi_last"]) == (1, "Keys, channel 1, cc 7: 127")
    assert show.news == ["midi.json: 1 control"]


def test_a_second_press_before_the_beat_takes_the_first_one_back(tmp_path: Path) -> None:
    show = Show(tmp_path, {"control": "note 36", "to": "on"})
    show.desk.opened(0, "Keys")
    assert show.play(0x90, 36, 100) == [("on", True)]
    show.waiting = {ON: True}
    assert show.play(0x90, 36, 100) == [("on", False)]
    show.waiting = {ON: False}
    assert show.play(0x90, 36, 100) == [("on", True)]


def test_a_map_that_is_saved_is_used_within_a_second_and_devices_stay_open(tmp_path: Path) -> None:
    show = Show(tmp_path, FADER)
    show.desk.opened(0, "Keys")
    show.turn()
    show.save({**FADER, "max": 1.0})
    assert show.turn(LOOK_S) == []
    assert show.play(0xB0, 7, 127) == [("level", 1.0)]


def test_a_broken_map_is_one_line_and_the_last_good_one_plays_on(tmp_path: Path) -> None:
    show = Show(tmp_path, FADER)
    show.desk.opened(0, "Keys")
    show.save({"control": "cc 7", "to": "lovel"})
    show.turn(LOOK_S)
    show.turn(LOOK_S)
    assert show.lines == ["midi.json, map 1 (cc 7): there is no parameter 'lovel'; the map is unchanged"]
    assert show.play(0xB0, 7, 127) == [("level", 2.0)]


def test_a_device_of_the_map_that_is_not_there_is_one_line_and_the_rest_plays(tmp_path: Path) -> None:
    show = Show(tmp_path, FADER, {"device": "Twister", "control": "cc 1", "to": "count"})
    show.desk.opened(0, "Keys 20:0")
    show.turn(SETTLED_S)
    show.turn(SETTLED_S)
    assert show.lines == ["midi.json: no device 'Twister' is open; open are: Keys"]
    assert show.play(0xB0, 7, 127) == [("level", 2.0)]


def test_controls_that_are_shared_are_shown(tmp_path: Path) -> None:
    show = Show(tmp_path, FADER, {"control": "cc 7", "to": "count"})
    assert show.news == ["midi.json: 2 controls; cc 7 moves level and count"]
    assert show.desk.figures()["midi_conflicts"] == 2
    maps: Any = show.desk.state()["maps"]
    assert maps[LEVEL] == [{"control": "cc 7", "there": False, "feedback": False, "shared": ["/streamvace/count"]}]


def test_a_change_by_others_must_be_picked_up_and_a_change_of_ones_own_need_not(tmp_path: Path) -> None:
    show = Show(tmp_path, {"control": "cc 7", "to": "level"})
    show.desk.opened(0, "Keys")
    show.play(0xB0, 7, 0, 7, 64)
    show.desk.moved(LEVEL, mine=True)
    show.turn(1.0)
    assert show.play(0xB0, 7, 127) == [("level", 2.0)]
    show.values[LEVEL] = 0.1
    show.desk.moved(LEVEL, mine=False)
    show.turn(1.0)
    assert show.play(0xB0, 7, 100) == []


def test_devices_are_told_values_when_they_open_and_when_they_change(tmp_path: Path) -> None:
    show = Show(tmp_path, {**FADER, "feedback": True})
    show.desk.opened(2, "Motor")
    show.turn()
    assert show.sent == [(2, bytes([0xB0, 7, 32]))]
    show.values[LEVEL] = 2.0
    show.desk.moved(LEVEL, mine=False)
    show.turn(1.0)
    assert show.sent[1:] == [(2, bytes([0xB0, 7, 127]))]


def test_a_device_that_sends_back_what_it_is_told_presses_nothing(tmp_path: Path) -> None:
    show = Show(tmp_path, {"control": "note 1", "to": "on", "feedback": True})
    show.values[ON] = True
    show.desk.opened(0, "Loop")
    show.turn()
    assert show.sent == [(0, bytes([0x90, 1, 127]))]
    assert show.play(0x90, 1, 127) == []
    show.turn(1.0)
    assert show.play(0x90, 1, 127) == [("on", False)]


def test_a_control_is_learned_written_and_used_and_moves_nothing_meanwhile(tmp_path: Path) -> None:
    show = Show(tmp_path, FADER, {"control": "cc 9", "to": "on"}, devices={"Keys": {"takeover": "none"}})
    show.desk.opened(0, "Keys 20:0")
    show.desk._begin(Wish(SCHEMA[ON]))
    assert (show.desk.figures()["midi_learn"], show.desk.figures()["midi_learned"]) == ("on", HINT)
    assert show.desk.state()["learn"] == ON
    assert show.play(0xB0, 7, 60, 7, 61, 7, 62) == []
    show.turn(1.5 * STILL_S)
    assert show.rows == [FADER, {"device": "Keys", "channel": 1, "control": "cc 7", "to": "on"}]
    assert show.desk.figures()["midi_learn"] == ""
    assert show.news[-1] == "Keys, channel 1, cc 7 moves on; 2 controls; cc 7 moves level and on"
    assert show.play(0xB0, 7, 127) == [("level", 2.0), ("on", True)]


def test_learning_does_not_write_over_a_file_that_is_broken(tmp_path: Path) -> None:
    show = Show(tmp_path, FADER)
    show.desk.opened(0, "Keys")
    show.desk._begin(Wish(SCHEMA[ON]))
    show.write("{")
    show.play(0x90, 1, 9)
    show.turn(1.5 * STILL_S)
    assert show.path.read_text() == "{"
    assert "isn't valid JSON" in str(show.desk.figures()["midi_learned"])
    assert show.play(0xB0, 7, 127) == [("level", 2.0)]


def test_a_program_change_is_learned_for_cues_only(tmp_path: Path) -> None:
    show = Show(tmp_path)
    show.desk.opened(0, "Keys")
    show.desk._begin(Wish(SCHEMA[LEVEL]))
    show.play(0xC0, 3)
    show.turn(1.5 * STILL_S)
    assert "program changes recall cues" in show.lines[0]
    assert not show.path.exists()
    show.desk._begin(Wish(SCHEMA["/streamvace/cue/recall"]))
    show.play(0xC0, 3)
    show.turn(1.5 * STILL_S)
    assert show.play(0xC0, 0) == [("cue/recall", "one")]


def test_learning_is_cancelled_by_hand_and_by_itself(tmp_path: Path) -> None:
    show = Show(tmp_path)
    for end in (show.desk.cancel, lambda: show.turn(PATIENCE_S + 1)):
        show.desk._begin(Wish(SCHEMA[ON]))
        end()
        show.turn()
        assert (show.desk.figures()["midi_learn"], show.desk.figures()["midi_learned"]) == ("", "nothing was learned")


def test_a_flood_is_counted_and_the_newest_position_stays(tmp_path: Path) -> None:
    show = Show(tmp_path, FADER)
    show.desk.opened(0, "Keys")
    values = [number % 100 for number in range(MOST_WAITING + 50)]
    assert show.play(0xB0, *(byte for value in values for byte in (7, value))) == [("level", 2 * values[-1] / 127)]
    assert show.desk.figures()["midi_dropped"] == 50


def test_the_thread_learns_forgets_and_ends(tmp_path: Path) -> None:
    told = threading.Event()
    show = Show(tmp_path, FADER)
    ways = Ways(
        lambda *sent: None,
        lambda *sent: None,
        lambda: Snapshot(0, {}, {}, {}, 0),
        tuple,
        lambda line: None,
        lambda line: told.set() if "nothing moves level" in line else None,
    )
    desk = Desk(MapFile(show.path, SCHEMA), SCHEMA, ways)
    desk.forget(SCHEMA[LEVEL])
    assert told.wait(WAIT_S)
    assert show.rows == []
    desk.close()
    desk.close()


def test_an_error_that_comes_again_and_again_leaves_the_processor_to_the_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("streamvace.midi.desk.sleep", slept.append)
    desk, done = Show(tmp_path, FADER).desk, threading.Event()
    broken = iter([RuntimeError("out of order")] * 3)

    def fails() -> None:
        for error in broken:
            raise error
        done.set()

    monkeypatch.setattr(desk, "turn", fails)
    desk.start()
    for _ in range(4):
        desk.forget(SCHEMA[LEVEL])
    assert done.wait(WAIT_S)
    desk.close()
    assert slept == [PAUSE_S] * 3


def test_a_flood_of_requests_is_cut_and_counted(tmp_path: Path) -> None:
    show = Show(tmp_path)
    for _ in range(MOST_ASKED + 5):
        show.desk.cancel()
    assert show.desk.figures()["midi_dropped"] == 5
    show.turn()
    show.desk.cancel()
    assert show.desk.figures()["midi_dropped"] == 5


def test_an_error_that_nobody_knows_ends_no_thread(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    posted: queue.Queue[str] = queue.Queue()

    def post(address: str, arguments: tuple[object, ...]) -> None:
        posted.put(address)
        raise ValueError("a fault")

    show = Show(tmp_path, FADER)
    held = Snapshot(0, MappingProxyType(show.values), {}, {}, 0)
    quiet = lambda line: None  # noqa: E731
    ways = Ways(post, lambda port, data: None, lambda: held, tuple, quiet, quiet)
    desk = Desk(MapFile(show.path, SCHEMA), SCHEMA, ways)
    desk.opened(0, "Keys")
    desk.start()
    for value in (1, 2):
        desk.message(0, 1.0, (0xB0, 7, value))
        assert posted.get(timeout=WAIT_S) == LEVEL
    desk.close()
    assert "the MIDI map caught an error and continues" in caplog.text


def test_the_thread_waits_for_no_longer_than_something_is_due(tmp_path: Path) -> None:
    show = Show(tmp_path, {"control": "cc14 7", "to": "level", "takeover": "none"})
    show.desk.opened(0, "Keys")
    show.turn()
    assert show.desk._wait_s() == pytest.approx(LOOK_S)
    show.play(0xB0, 7, 127)
    assert show.desk._wait_s() < 0.01
    assert show.turn(0.02) == [("level", 2.0)]
