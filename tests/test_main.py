"""`python -m streamvace` before its command line is loaded."""

from __future__ import annotations

import runpy
import sys

import pytest


class Interrupting:
    """An import hook: Ctrl-C while the module of this name is imported."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == self.name:
            raise KeyboardInterrupt


def test_ctrl_c_while_the_program_is_loaded_ends_it_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "streamvace.cli", raising=False)
    monkeypatch.delitem(sys.modules, "streamvace.__main__", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupting("streamvace.cli"), *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("streamvace", run_name="__main__")
    assert ended.value.code == 130
