"""Which PyTorch build a machine gets."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch_build
from torch_build import CUDA_BUILDS, INDEX, TORCH, Nvidia, choose, parse_cards, parse_smi

SMI = """\
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 581.29                 Driver Version: 581.29         CUDA Version: 13.0     |
|-----------------------------------------+------------------------+----------------------+
"""


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (SMI, (13, 0)),
        ("| NVIDIA-SMI 535.183.01   Driver Version: 535.183.01   CUDA Version: 12.2     |", (12, 2)),
        ("| KMD Version: 591.44    CUDA UMD Version: 13.1     |", (13, 1)),
        ("CUDA Version        : 12.10", (12, 10)),
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", None),
        ("| Driver Version: 470.1  CUDA Version: N/A |", None),
        ("", None),
    ],
)
def test_the_cuda_version_is_read_from_every_table_nvidia_smi_prints(
    text: str, version: tuple[int, int] | None
) -> None:
    assert parse_smi(text) == version


def test_of_several_cards_the_newest_counts() -> None:
    assert parse_cards("6.1\n12.0\r\n8.6\n") == (12, 0)
    assert parse_cards("[N/A]\n") is None


@pytest.mark.parametrize(
    ("nvidia", "tag"),
    [
        (None, "cpu"),
        (Nvidia((13, 2), (12, 0)), "cu130"),  # RTX 5090, new driver
        (Nvidia((13, 0), (8, 9)), "cu130"),  # RTX 4090
        (Nvidia((12, 4), (8, 9)), "cu126"),  # RTX 4090, driver 550
        (Nvidia((13, 0), (6, 1)), "cu126"),  # GTX 1080: CUDA 13 has no code for it
        (Nvidia((13, 0), None), "cu130"),  # nvidia-smi did not report the card
        (Nvidia((12, 8), (12, 0)), "cpu"),  # RTX 5090, driver too old for the only build that supports it
        (Nvidia((11, 4), (8, 6)), "cpu"),
        (Nvidia((13, 0), (3, 5)), "cpu"),
    ],
)
@pytest.mark.parametrize("system", ["win32", "linux"])
def test_driver_and_card_choose_the_build(system: str, nvidia: Nvidia | None, tag: str) -> None:
    build = choose(system, nvidia)
    assert (build.tag, build.index) == (tag, INDEX + tag)
    assert build.pinned == f"torch=={TORCH}+{tag}"


def test_a_mac_gets_the_default_build() -> None:
    build = choose("darwin", None)
    assert (build.index, build.pinned, build.wants_cuda) == (None, f"torch=={TORCH}", False)


def test_if_only_the_driver_is_too_old_the_note_gives_both_versions() -> None:
    note = choose("win32", Nvidia((12, 8), (12, 0))).note
    assert "12.8" in note
    assert "13.0" in note
    assert "update the driver" in note
    assert "\n" not in note
    assert "update" not in choose("linux", Nvidia((13, 0), (3, 5))).note


def test_the_override_wins() -> None:
    assert choose("linux", Nvidia((13, 0), (8, 9)), "cpu").tag == "cpu"
    assert choose("linux", None, "cu126").index == INDEX + "cu126"


def test_builds_are_listed_newest_first() -> None:
    drivers = [build.driver for build in CUDA_BUILDS]
    assert drivers == sorted(drivers, reverse=True)


def test_a_machine_without_nvidia_reports_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_build, "driver_cuda", lambda: None)
    monkeypatch.setattr(torch_build.shutil, "which", lambda *_, **__: None)
    assert torch_build.look() is None


def test_without_the_driver_library_nvidia_smi_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_build, "driver_cuda", lambda: None)
    monkeypatch.setattr(torch_build, "_smi", lambda *options: "8.9\n" if options else SMI)
    monkeypatch.setattr(torch_build.sys, "platform", "linux")
    assert torch_build.look() == Nvidia((13, 0), (8, 9))


def test_a_card_newer_than_the_table_gets_the_newest_build_and_a_line_with_both_capabilities() -> None:
    build = choose("linux", Nvidia((14, 0), (13, 0)))
    assert build.tag == "cu130"
    assert "13.0 is newer than 12.1" in build.note
    assert "STREAMVACE_TORCH" in build.note
    assert choose("linux", Nvidia((13, 0), (12, 1))).note == ""


def test_nvidia_smi_is_run_from_a_folder_with_spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "NVIDIA Corporation" / "NVSMI 2"
    folder.mkdir(parents=True)
    windows = sys.platform == "win32"
    program = folder / ("nvidia-smi.bat" if windows else "nvidia-smi")
    program.write_text("@echo %1 8.9\n" if windows else "#!/bin/sh\necho $1 8.9\n", "ascii")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    assert torch_build._smi("--query").split() == ["--query", "8.9"]
