"""A process for devices: it runs while it is wanted and comes back when it ends."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from streamvace.system import device_process
from streamvace.system.device_process import DeviceProcess, Read, read_exactly
from tests.live.show import wait_until

TALKS = "import sys; sys.stdout.buffer.write(b'%s'); sys.stdout.flush(); sys.stdin.buffer.read()"
DIES = "import sys; sys.stdout.buffer.write(b'%s'); sys.stdout.flush(); sys.exit(3)"
ECHOES = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read(4)); sys.stdout.flush(); sys.stdin.buffer.read()"


class Rig:
    def __init__(self, program: str) -> None:
        self.taken: list[bytes] = []
        self.over: list[int | None] = []
        self.threads: set[str] = set()
        self.started: list[str] = []
        self._program = program
        self.process = DeviceProcess("devices", self._start, self._read, self._take, self.over.append)

    def _start(self, wanted: str) -> subprocess.Popen[bytes]:
        self.started.append(wanted)
        program = self._program.replace("%s", wanted)
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, bufsize=0)

    @staticmethod
    def _read(read: Read) -> bytes | None:
        return read_exactly(read, 4)

    def _take(self, frame: bytes) -> None:
        self.threads.add(threading.current_thread().name)
        self.taken.append(frame)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_process, "PAUSES_S", (0.0,))


def test_nothing_runs_until_something_is_wanted_and_what_it_writes_is_taken_on_its_thread() -> None:
    rig = Rig(TALKS)
    assert not rig.process.follow("")
    assert rig.started == []
    assert rig.process.follow("abcd")
    assert not rig.process.follow("abcd")
    wait_until(lambda: rig.taken == [b"abcd"], "the frame")
    assert rig.threads == {"devices"}
    rig.process.close()
    rig.process.close()
    assert rig.over == [None], "it was not lost: it was ended"


def test_other_devices_are_another_process_and_none_is_none() -> None:
    rig = Rig(TALKS)
    rig.process.follow("abcd")
    wait_until(lambda: rig.taken == [b"abcd"], "the first")
    rig.process.follow("efgh")
    wait_until(lambda: rig.taken == [b"abcd", b"efgh"], "the second")
    rig.process.follow("")
    wait_until(lambda: len(rig.over) == 2, "the end of both")
    assert rig.over == [None, None]
    assert rig.started == ["abcd", "efgh"]
    rig.process.close()


def test_a_process_that_ends_comes_back_and_its_code_is_told(at_once: None) -> None:
    rig = Rig(DIES)
    rig.process.follow("abcd")
    wait_until(lambda: len(rig.taken) >= 3, "three processes")
    rig.process.close()
    assert set(rig.over[:-1]) == {3}


def test_the_pauses_grow_until_a_device_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float | None] = []
    monkeypatch.setattr(device_process, "PAUSES_S", (0.01, 0.02, 0.03))
    rig = Rig(DIES)
    condition = rig.process._changed
    wait = condition.wait

    def counted(seconds: float | None = None) -> bool:
        waited.append(seconds)
        if len(waited) == 5:
            rig.process.opened()
        return wait(seconds)

    monkeypatch.setattr(condition, "wait", counted)
    rig.process.follow("abcd")
    wait_until(lambda: len(waited) >= 7, "seven pauses")
    rig.process.close()
    assert waited[:7] == [0.01, 0.02, 0.03, 0.03, 0.03, 0.01, 0.02]


def test_what_is_written_reaches_the_process_and_one_that_is_gone_gets_nothing() -> None:
    rig = Rig(ECHOES)
    rig.process.write(b"lost")
    rig.process.follow("x")
    wait_until(lambda: rig.process._child is not None, "the process")
    rig.process.write(b"kept")
    wait_until(lambda: rig.taken == [b"kept"], "the echo")
    rig.process.close()
    rig.process.write(b"lost")


def test_a_stream_that_ends_within_a_frame_is_at_its_end() -> None:
    parts = iter([b"ab", b"c", b""])
    assert read_exactly(lambda size: next(parts), 4) is None
    parts = iter([b"ab", b"cd"])
    assert read_exactly(lambda size: next(parts), 4) == b"abcd"
