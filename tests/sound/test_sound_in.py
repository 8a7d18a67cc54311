"""The show's side of sound: a process that may end, and what it heard last."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

import osc_schema
from streamvace.modulators.settings import address
from streamvace.sound import frames
from streamvace.sound.analysis import LEVELS, Heard
from streamvace.sound.sound_in import BANDS, HIT_S, STALE_S, SoundIn
from streamvace.system import device_process
from tests.live.show import wait_until
from tests.patience import PATIENCE_S
from tests.real_parts import require_package

OPENED = frames.pack(frames.OPENED, 1, b"Mixer")


def heard(at_s: float, level: float = 0.5, hit: float = 0.0) -> bytes:
    levels = dict.fromkeys(LEVELS, level)
    return frames.pack(frames.HEARD, round(at_s * 1e9), frames.pack_heard(Heard(levels, hit, 0.25)))


def playing(*written: bytes, then: str = "import sys; sys.stdin.read()") -> subprocess.Popen[bytes]:
    """A process that writes these bytes, and then waits for its end."""
    script = f"import sys; sys.stdout.buffer.write({b''.join(written)!r}); sys.stdout.flush(); {then}"
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-S", "-c", script], stdin=pipe, stdout=pipe, bufsize=0)


class Rig:
    """Sound in on a clock that stands."""

    def __init__(self, *children: Callable[[], subprocess.Popen[bytes]], at_s: float = 10.0) -> None:
        self.seconds = at_s
        self.lines: list[str] = []
        self.started: list[str] = []
        waiting = iter(children)

        def start(wanted: str) -> subprocess.Popen[bytes]:
            self.started.append(wanted)
            return next(waiting)()

        self.sound = SoundIn(self.lines.append, start, lambda: round(self.seconds * 1e9))


def test_the_schema_offers_every_band() -> None:
    assert set(osc_schema.by_address()[address(1, "band")].choices) == set(BANDS)


def test_the_newest_levels_count_and_a_hit_falls_from_its_moment() -> None:
    rig = Rig(lambda: playing(OPENED, heard(9.7, 0.1, hit=0.8), heard(9.9, 0.5)))
    assert rig.sound.levels() == {}
    rig.sound.follow("mix")
    wait_until(lambda: rig.sound.levels().get("low") == 0.5, "the newest levels")
    assert rig.started == ["mix"]
    assert set(rig.sound.levels()) == set(BANDS)
    assert rig.sound.levels()["hits"] == pytest.approx(0.8 * math.exp(-0.3 / HIT_S), rel=1e-3)
    figures = {"sound_device": "Mixer", "sound_level": 0.25, "sound_hits": 1, "sound_faults": 0}
    assert rig.sound.figures() == figures
    rig.seconds = 9.9 + STALE_S + 0.01
    assert rig.sound.levels() == {}, "what is old is silence"
    assert rig.sound.figures()["sound_level"] == 0.0
    rig.sound.close()
    rig.sound.close()


def test_a_process_that_dies_is_said_once_counted_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_process, "PAUSES_S", (0.0,))
    rig = Rig(
        lambda: playing(OPENED, then="sys.exit(6)"),
        lambda: playing(OPENED, b"no frame at all"),
        lambda: playing(OPENED, heard(10.0)),
    )
    rig.sound.follow("default")
    wait_until(lambda: bool(rig.sound.levels()), "sound again")
    assert rig.lines[0] == "the sound process ended (code 6); it is started again"
    assert rig.sound.figures()["sound_faults"] == 2
    rig.sound.close()


def test_a_machine_without_sound_says_why_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_process, "PAUSES_S", (0.0,))
    started = threading.Semaphore(0)

    def child() -> subprocess.Popen[bytes]:
        started.release()
        return playing(frames.pack(frames.LINE, 1, b"sound cannot be opened (no device)"), then="sys.exit(3)")

    rig = Rig(*[child] * 1000)
    rig.sound.follow("default")
    for _ in range(3):
        assert started.acquire(timeout=PATIENCE_S)
    rig.sound.close()
    assert rig.lines == ["sound cannot be opened (no device)"]


def test_another_device_is_another_process_and_none_is_none() -> None:
    rig = Rig(lambda: playing(OPENED, heard(10.0)), lambda: playing(OPENED, heard(10.0, 0.75)))
    rig.sound.follow("")
    assert rig.started == []
    rig.sound.follow("one")
    wait_until(lambda: rig.sound.levels().get("low") == 0.5, "the first")
    rig.sound.follow("two")
    wait_until(lambda: rig.sound.levels().get("low") == 0.75, "the second")
    rig.sound.follow("")
    wait_until(lambda: rig.sound.levels() == {}, "silence")
    assert rig.started == ["one", "two"]
    assert rig.lines == []
    rig.sound.close()


@pytest.mark.parametrize("data", [b"", b"H", b"X" + bytes(10), frames.HEAD.pack(b"H", 60000, 0), OPENED[:-1]])
def test_what_is_no_frame_ends_the_reading(data: bytes) -> None:
    rest = bytearray(data)

    def stream(size: int) -> bytes:
        part = bytes(rest[:size])
        del rest[:size]
        return part

    assert frames.read(stream) is None


def test_a_result_survives_the_pipe() -> None:
    levels = {name: number / 8 for number, name in enumerate(LEVELS)}
    sent = Heard(levels, 0.5, 0.25)
    assert frames.heard(frames.pack_heard(sent)) == sent
    assert frames.heard(b"") is None


def test_the_librarys_own_null_device_gives_silence_in_a_process_of_its_own() -> None:
    require_package("miniaudio", "python plugin/bootstrap.py install sound")
    lines: list[str] = []
    sound = SoundIn(lines.append)
    sound.follow("null")
    wait_until(lambda: set(sound.levels()) == set(BANDS), "the null device")
    assert set(sound.levels().values()) == {0.0}
    assert sound.figures()["sound_device"] == "null"
    sound.follow("a device that nobody has")
    wait_until(lambda: bool(lines), "the refusal")
    assert lines[0].startswith("sound cannot be opened (no sound input has 'a device that nobody has' in its name")
    sound.close()
