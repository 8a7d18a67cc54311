"""The model's process steps back, on Windows by a call that says when it fails."""

from __future__ import annotations

import os
import sys

import psutil
import pytest

from streamvace.system.priority import NICENESS, step_back


def test_on_windows_the_process_gets_the_class_below_normal(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(psutil.Process, "nice", lambda self, value: asked.append(value))
    step_back()
    assert asked == [0x4000]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has classes of priority instead")
def test_elsewhere_it_is_nicer_than_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(os, "nice", asked.append)
    step_back()
    assert asked == [NICENESS]
