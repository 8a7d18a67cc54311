"""Sound in: the sound process, started again when it ends, and what it heard last.

Threads: `sound` reads the pipe and waits for it; any thread calls the rest, which does not wait.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from streamvace.sound import frames
from streamvace.sound.analysis import LEVELS, Heard
from streamvace.sound.capture_process import LIST
from streamvace.system.child import start_child
from streamvace.system.clock import now_ns
from streamvace.system.device_process import DeviceProcess
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command

INPUT: Final = "/streamvace/sound/input"
STALE_S: Final = 0.3
"""What was heard longer ago counts as silence."""
HIT_S: Final = 0.12
"""Time constant with which a hit falls: it is seen at several ticks."""
BANDS: Final = (*LEVELS, "hits")
"""What a modulator can follow."""
_LIST_S: Final = 10.0

Start = Callable[[str], "subprocess.Popen[bytes]"]


def start_capture(wanted: str) -> subprocess.Popen[bytes]:
    """The process for this device."""
    return start_child("streamvace.sound.capture_process", wanted, quiet=True)


def check_package() -> None:
    """Raises UserError if miniaudio is not installed."""
    if find_spec("miniaudio") is None:
        fix = install_command("sound")
        raise UserError(f"sound needs the package miniaudio: {fix}", fix)


def devices() -> tuple[str, ...]:
    """The names of the sound inputs, asked of a process of its own. Raises UserError, one line."""
    check_package()
    child = start_child("streamvace.sound.capture_process", LIST, quiet=True)
    try:
        said, _ = child.communicate(timeout=_LIST_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise UserError(f"the sound system did not answer within {_LIST_S:.0f} s") from None
    if child.returncode != 0:
        raise UserError("the sound system cannot be asked for its devices; is one installed?")
    return tuple(said.decode("utf-8", "replace").splitlines())


@dataclass(frozen=True, slots=True)
class _Newest:
    """What was heard last, and the last hit. at_ns, hit_ns: when."""

    heard: Heard
    at_ns: int
    hit: float = 0.0
    hit_ns: int = 0


class SoundIn:
    """The device that is wanted."""

    def __init__(
        self,
        report: Callable[[str], None],
        start: Start = start_capture,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """report: gets one line for what is wrong, once while it stays the same."""
        self._report = report
        self._clock = clock
        self._process = DeviceProcess("sound", start, frames.read, self._handle, self._over)
        self._device = ""
        self._newest: _Newest | None = None
        self._hits = self._faults = 0
        self._said = ""

    def follow(self, wanted: str) -> None:
        """Open this device: `default`, a part of a name, or nothing."""
        if self._process.follow(wanted):
            self._said = ""

    def levels(self) -> Mapping[str, float]:
        """What is heard now, 0..1 by the names of BANDS; nothing without sound."""
        newest, now = self._newest, self._clock()
        if newest is None or now - newest.at_ns > STALE_S * 1e9:
            return {}
        left = newest.hit * math.exp(-max(0, now - newest.hit_ns) / (HIT_S * 1e9))
        return {**newest.heard.levels, "hits": left}

    def figures(self) -> dict[str, float | int | str]:
        """For the status."""
        levels, newest = self.levels(), self._newest
        return {
            "sound_device": self._device,
            "sound_level": round(newest.heard.loudness, 4) if levels and newest is not None else 0.0,
            "sound_hits": self._hits,
            "sound_faults": self._faults,
        }

    def close(self) -> None:
        """End the process and the thread. Idempotent."""
        self._process.close()

    def _over(self, code: int | None) -> None:
        self._device, self._newest = "", None
        if code is not None:
            self._faults += 1
            if not self._said:  # the process has not said why
                self._say(f"the sound process ended (code {code}); it is started again")

    def _handle(self, frame: frames.Frame) -> None:
        if frame.kind == frames.OPENED:
            self._device = frame.data.decode("utf-8", "replace")
            self._process.opened()
            self._said = ""
        elif frame.kind == frames.LINE:
            self._say(frame.data.decode("utf-8", "replace"))
        elif (heard := frames.heard(frame.data)) is not None:
            before = self._newest
            hit, hit_ns = (before.hit, before.hit_ns) if before is not None else (0.0, 0)
            if heard.hit:
                hit, hit_ns = heard.hit, frame.at_ns
                self._hits += 1
            self._newest = _Newest(heard, frame.at_ns, hit, hit_ns)

    def _say(self, line: str) -> None:
        if line != self._said:
            self._said = line
            self._report(line)
