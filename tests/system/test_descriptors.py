"""The limit on descriptors: raised as far as the system allows, never lowered."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
from streamvace.system.descriptors import raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
raise_descriptor_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize(("soft", "hard", "raised"), [(64, 500, 500), (500, 500, 500)])
def test_the_soft_limit_becomes_the_hard_one(soft: int, hard: int, raised: int) -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM, str(soft), str(hard)], capture_output=True, check=True)
    assert ran.stdout.split() == [str(raised).encode(), str(hard).encode()]
