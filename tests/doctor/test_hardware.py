"""The line of hardware tells processors of one name apart."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from streamvace.doctor.hardware import processor

EPYC = """processor\t: 0
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC
flags\t\t: fpu avx2 avx512f avx512_bf16 fsrm

processor\t: 1
model name\t: Another
"""


def test_processors_of_one_name_differ_by_generation_and_instructions(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(EPYC)
    assert processor(info) == "AMD EPYC (family 25, model 17, avx512f, avx512_bf16)"


def test_a_processor_without_these_rows_has_the_platform_s_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    info = tmp_path / "cpuinfo"
    assert processor(info) == "aarch64"
    info.write_text("processor\t: 0\nBogoMIPS\t: 50\n")
    assert processor(info) == "aarch64"
    info.write_text("model name\t: Cortex\n")
    assert processor(info) == "Cortex"
