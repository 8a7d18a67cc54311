"""On Windows a show ends with its host, and goes on beside one that it may not watch. The rest is in test_ends.py."""

from __future__ import annotations

import sys
import threading

import psutil
import pytest

from streamvace.live.end_with import end_with
from tests.live.show import wait_until


class Process:
    """psutil's Process of a host."""

    fault: Exception | None = None

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def wait(self) -> None:
        if self.fault is not None:
            raise self.fault


def watched(monkeypatch: pytest.MonkeyPatch, fault: Exception | None) -> threading.Event:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(psutil, "Process", type("Host", (Process,), {"fault": fault}))
    stop = threading.Event()
    end_with(4711, stop)
    wait_until(lambda: not any(thread.name == "host watch" for thread in threading.enumerate()), "the host was seen")
    return stop


@pytest.mark.parametrize("fault", [None, psutil.NoSuchProcess(4711)])
def test_a_host_that_ends_or_is_gone_ends_the_show(monkeypatch: pytest.MonkeyPatch, fault: Exception | None) -> None:
    assert watched(monkeypatch, fault).is_set()


def test_a_host_that_runs_as_administrator_is_named_and_the_show_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not watched(monkeypatch, psutil.AccessDenied(4711)).is_set()
    assert "--end-with 4711: that process runs as administrator" in "".join(capsys.readouterr())
