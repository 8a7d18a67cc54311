"""The processes beside the show: what Ctrl-C in the show's terminal does to them, and whose their pipes are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from streamvace.system.child import start_child
from tests.patience import PATIENCE_S


@pytest.mark.skipif(sys.platform == "win32", reason="sessions of POSIX")
def test_ctrl_c_in_the_terminal_does_not_reach_a_child_and_the_end_of_its_input_does() -> None:
    child = start_child("json.tool", "--compact")
    assert os.getsid(child.pid) == child.pid, "it belongs to no terminal"
    output, _ = child.communicate(b'{"a": 1}', timeout=20)
    assert (output.strip(), child.returncode) == (b'{"a":1}', 0)


TALKS = """
import os, sys
from streamvace.system.child import own_pipes
asked, out = own_pipes()
print("a library talks", flush=True)
os.write(1, b"and its C++ does")
print(sys.stdin.read(), end="", flush=True)
os.write(out, os.read(asked, 10))
"""


def test_a_library_neither_reads_the_questions_nor_writes_between_the_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "talks.py").write_text(TALKS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    answers, _ = start_child("talks", quiet=True).communicate(b"question", timeout=PATIENCE_S)
    assert answers == b"question"
