"""A `streamvace run` in a process of its own, driven as a script would: options, OSC, signals, the stats file."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamvace.osc.codec import encode_message
from tests.live.show import PATIENCE_S, wait_until

ROOT = Path(__file__).resolve().parents[2]


Start = Callable[..., "Running"]


class Running:
    """A show with the fake generator and no window. `lines`: what it said so far."""

    def __init__(self, folder: Path, *options: str, factory: str = "make") -> None:
        self.stats_file = folder / "stats.json"
        command = [sys.executable, "-m", "streamvace", "run", "--factory", f"tests.live.fakes:{factory}"]
        command += ["--osc-port", "0", "--size", "64x64", "--stats", str(self.stats_file)]
        command += ["--end-with", str(os.getpid()), *options]  # a killed pytest leaves no show behind
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "DISPLAY": "", "PYTHONUNBUFFERED": "1"}
        self.process = self.spawn(command, folder, environment)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def spawn(self, command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
        # A session of its own: Ctrl-C for it is not Ctrl-C for the tests, and whatever it leaves can be found.
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip())

    def said(self, pattern: str) -> re.Match[str] | None:
        return next((found for line in list(self.lines) if (found := re.search(pattern, line))), None)

    def wait_ready(self) -> None:
        wait_until(lambda: self.said("Press Ctrl-C") is not None or self.ended, f"ready; said {self.lines}")
        assert not self.ended, self.lines

    @property
    def page(self) -> str:
        """The address of its page."""
        found = self.said(r"watch\s+(http://\S+)")
        assert found is not None, self.lines
        return found[1]

    def figures(self) -> dict[str, Any]:
        """What its page shows now."""
        with urllib.request.urlopen(self.page + "stats.json", timeout=PATIENCE_S) as answer:
            read: dict[str, Any] = json.load(answer)
            return read

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def osc(self, address: str, *arguments: object, port: int | None = None) -> None:
        """port: where it was told to listen, for a show that has not said so yet."""
        found = self.said(r"OSC in\s+port (\d+)")
        assert found is not None or port is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(encode_message(address, *arguments), ("127.0.0.1", int(found[1]) if found else port))

    def finish(self, patience_s: float = PATIENCE_S) -> int:
        """Wait for its end; the exit code."""
        try:
            code = self.process.wait(patience_s)
        finally:
            self.process.kill()
        self._reader.join(PATIENCE_S)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return code

    def stats(self) -> dict[str, Any]:
        figures: dict[str, Any] = json.loads(self.stats_file.read_text())
        return figures

    def left_behind(self) -> list[str]:
        """Processes of its session that still live, and with them its memory. Linux only, elsewhere empty."""
        left = []
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, _, rest = entry.read_text().partition(" (")
                name, _, fields = rest.rpartition(") ")
            except OSError:
                continue
            state, _, _, session = fields.split()[:4]
            if int(session) == self.process.pid and state != "Z":
                left.append(f"{pid} {name}")
        return left
