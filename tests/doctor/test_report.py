"""The report for a question: what helps to answer it, and nothing about people, hosts and files."""

from __future__ import annotations

import getpass
import platform
import socket
import subprocess
from pathlib import Path

import pytest

from streamvace.doctor import checks as doctor
from streamvace.doctor import report
from streamvace.doctor.checks import Check, run_doctor
from streamvace.doctor.report import anonymous, nvidia_driver, private_names, report_lines
from streamvace.system.errors import UserError
from tests.doctor.test_checks import GOOD

NAMES = ("jane doe", "studio-pc")


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ("Error loading C:\\Users\\Jane Doe\\streamvace\\lib\\c10.dll", "Error loading PATH"),
        ('cannot open "D:/clients/acme/clip.mov" (damaged)', 'cannot open "PATH" (damaged)'),
        ("no library at /home/jane/.venv/lib/libndi.so, found 2", "no library at PATH, found 2"),
        ("\\\\studio-pc\\films\\a.mov: no access", "PATH"),
        ("~/media/a.png is missing", "PATH"),
        ("sender STUDIO-PC (Jane Doe)", "sender NAME (NAME)"),
        ("a display was found; OpenGL by NVIDIA GeForce RTX 4090/PCIe/SSE2", None),
        ("2.13.0+cu130 (CUDA 13.0)", None),
        ("UDP port 7700 is in use, perhaps by another streamvace", None),
        ("sage: 1.2 ms; flash2 is not installed", None),
    ],
)
def test_paths_and_names_are_left_out_and_nothing_else(found: str, left: str | None) -> None:
    assert anonymous(found, NAMES) == (found if left is None else left)


def test_this_users_and_this_hosts_names_are_private(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "studio-pc.example.org")
    monkeypatch.setattr(getpass, "getuser", lambda: "jane")
    monkeypatch.setattr(report, "home_folder", lambda: Path("/home/jane.doe"))
    assert set(private_names()) == {"studio-pc.example.org", "studio-pc", "jane", "jane.doe"}

    def nobody() -> str:
        raise KeyError("uid not found: 1234")

    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.setattr(report, "home_folder", lambda: None)
    monkeypatch.setattr(socket, "gethostname", lambda: "pc")
    assert private_names() == [], "two letters are in many words"


def test_versions_devices_drivers_and_findings_are_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "nvidia_driver", lambda: "580.88, RTX 5090")
    found = [Check("Attention", "ok", "sage: 1.2 ms"), Check("NDI", "missing", "no /opt/ndi/libndi.so", "install it")]
    text = "\n".join(report_lines(found, NAMES))
    for part in (platform.python_version(), platform.platform(), "580.88, RTX 5090", "cores", "GiB of memory"):
        assert part in text
    assert "ok       Attention       sage: 1.2 ms" in text
    assert "missing  NDI             no PATH" in text
    assert "install it" not in text, "a fix names this machine's Python"
    assert "numpy 1" in text or "numpy 2" in text or "not installed: no list" in text


def test_doctor_writes_the_file_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "gather", lambda *_: GOOD)
    with pytest.raises(UserError, match="there is no folder"):
        run_doctor(json=True, file=tmp_path / "nowhere" / "report.txt")
    assert run_doctor(json=True, file=tmp_path / "report.txt") == 0
    text = (tmp_path / "report.txt").read_text("utf-8")
    assert "RTX 5090, 30.0 of 32.0 GiB free" in text
    assert str(Path.home()) not in text
    assert "report.txt" in capsys.readouterr().err


def test_the_driver_is_asked_and_a_broken_tool_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report.shutil, "which", lambda name: None)
    assert nvidia_driver() == ""
    monkeypatch.setattr(report.shutil, "which", lambda name: f"/bin/{name}")

    def answers(*_: object, **__: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess([], 0, b"580.88, RTX 5090\n580.88, RTX 4090\n", b"")

    def hangs(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", 20)

    monkeypatch.setattr(subprocess, "run", answers)
    assert nvidia_driver() == "580.88, RTX 5090; 580.88, RTX 4090"
    monkeypatch.setattr(subprocess, "run", hangs)
    assert nvidia_driver() == "nvidia-smi does not answer (TimeoutExpired)"
