"""A stream made by several processes is the stream of one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch.distributed as dist

from tests.stream.ranks import NAMES

ROUNDING = 1e-5
"""Products of fewer rows may add in another order."""


@pytest.mark.skipif(not dist.is_available() or sys.platform == "win32", reason="starts processes by fork")
def test_two_and_four_processes_make_the_pictures_of_one_in_every_pipeline(tmp_path: Path) -> None:
    """With control, mask, two controls, scale map, source, references in both modes, regional LoRA, a prompt switch."""
    subprocess.run([sys.executable, "-m", "tests.stream.ranks", str(tmp_path)], check=True, timeout=300)
    found = json.loads((tmp_path / "found.json").read_text())
    assert found.keys() == {f"{name} {count}" for name in NAMES for count in (2, 4)}
    for which, (pictures, keys) in found.items():
        assert pictures <= 1, f"{which}: rounding may turn one level into the next"
        assert keys < ROUNDING, which
