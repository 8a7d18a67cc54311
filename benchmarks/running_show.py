"""A `streamvace run` in its own processes, observed through `/metrics`, OSC and psutil."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from prometheus_client.parser import text_string_to_metric_families

from streamvace.osc.codec import encode_message

START_SECONDS = 300.0
END_SECONDS = 60.0

Figures = dict[str, float]


class RunningShow:
    """A show without outputs except the web server, which has no viewers. Leaving the `with` block ends it.

    ready_s, first_picture_s: seconds from the command to a loaded model and to the first generated picture.
    """

    def __init__(self, *options: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="streamvace-show-")
        self._stats = Path(self._folder.name) / "stats.json"
        command = [sys.executable, "-m", "streamvace", "run", "--output", "null"]
        command += ["--osc-port", "0", "--osc-tcp-port", "-1", "--oscquery-port", "-1", "--web-port", "0"]
        command += ["--end-with", str(os.getpid()), "--stats", str(self._stats), *options]
        self.began = time.perf_counter()
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace")
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.stage = psutil.Process(self._process.pid)

    def __enter__(self) -> RunningShow:
        try:
            wait_for(lambda: self._said("Press Ctrl-C") or self._process.poll() is not None, START_SECONDS, "the start")
            self.ready_s = time.perf_counter() - self.began
            self.page = self._found(r"watch\s+(http://\S+)")
            self.osc_port = int(self._found(r"OSC in\s+port (\d+)"))
            wait_for(lambda: self.figures()["fresh_total"] > 0, START_SECONDS, "the first picture")
            self.first_picture_s = time.perf_counter() - self.began
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kill()
        self._folder.cleanup()

    @property
    def worker(self) -> psutil.Process:
        """The current worker; waits while it is being restarted."""
        wait_for(lambda: self.figures()["worker_pid"] > 0, START_SECONDS, "a worker")
        return psutil.Process(int(self.figures()["worker_pid"]))

    def figures(self) -> Figures:
        """The current Prometheus metrics: names without `streamvace_`, labels in braces."""
        with urllib.request.urlopen(f"{self.page}metrics", timeout=30) as answer:
            text = answer.read().decode("utf-8")
        return {
            sample.name.removeprefix("streamvace_")
            + "".join(f"{{{value}}}" for _, value in sorted(sample.labels.items())): (sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def osc(self, address: str, *arguments: object) -> None:
        """Send one message, as a controller does."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(encode_message(address, *arguments), ("127.0.0.1", self.osc_port))

    def ping_ms(self) -> float:
        """The round trip of one ping, in ms."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as both:
            both.settimeout(10)
            before = time.perf_counter()
            both.sendto(encode_message("/streamvace/ping", 1), ("127.0.0.1", self.osc_port))
            both.recv(1024)
            return (time.perf_counter() - before) * 1e3

    def end(self) -> dict[str, Any]:
        """End the show over OSC. Returns its statistics. Raises RuntimeError if it fails."""
        self.osc("/streamvace/quit")
        if self._process.wait(END_SECONDS) != 0:
            raise RuntimeError("the show failed:\n" + "\n".join(self.lines))
        figures: dict[str, Any] = json.loads(self._stats.read_text("utf-8"))
        return figures

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line.rstrip())

    def _said(self, pattern: str) -> re.Match[str] | None:
        return next((found for line in list(self.lines) if (found := re.search(pattern, line))), None)

    def _found(self, pattern: str) -> str:
        found = self._said(pattern)
        if found is None:
            raise RuntimeError("the show did not start:\n" + "\n".join(self.lines))
        return found[1]

    def _kill(self) -> None:
        if self._process.poll() is None:
            for child in self.stage.children(recursive=True):
                child.kill()
            self._process.kill()
        self._process.wait()
        self._reader.join(5)


def wait_for(reached: Callable[[], object], seconds: float, what: str, every: float = 0.05) -> float:
    """Wait until `reached` is true. Returns the time this took, in s. Raises TimeoutError."""
    began = time.perf_counter()
    while not reached():
        if time.perf_counter() - began > seconds:
            raise TimeoutError(f"{what} did not come within {seconds:g} s")
        time.sleep(every)
    return time.perf_counter() - began
