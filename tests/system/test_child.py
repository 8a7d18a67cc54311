"""The processes beside the show: what Ctrl-C in the show's terminal does to them."""

from __future__ import annotations

import os
import sys

import pytest

from streamvace.system.child import start_child


@pytest.mark.skipif(sys.platform == "win32", reason="sessions of POSIX")
def test_ctrl_c_in_the_terminal_does_not_reach_a_child_and_the_end_of_its_input_does() -> None:
    child = start_child("json.tool", "--compact")
    assert os.getsid(child.pid) == child.pid, "it belongs to no terminal"
    output, _ = child.communicate(b'{"a": 1}', timeout=20)
    assert (output.strip(), child.returncode) == (b'{"a":1}', 0)
