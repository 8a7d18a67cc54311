"""Our networks equal the recorded reference, call by call and with the loop closed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from streamvace.parity.cli import replay_file, run_parity
from streamvace.system.errors import UserError

COMPACT = Path(__file__).parent.parent / "goldens"
FULL = Path(os.environ.get("STREAMVACE_GOLDENS", Path(__file__).parents[3] / "shared" / "goldens"))
NOT_TRUTH = {"longlive_vace": "zero-padded keys", "longlive_vace_ctxframes": "cuts"}
TRUTH = sorted(path.stem for path in FULL.glob("*.json") if path.stem not in NOT_TRUTH) if FULL.is_dir() else []


@pytest.mark.parametrize("name", sorted(path.stem for path in COMPACT.glob("*.json")))
def test_the_compact_goldens_are_equalled(name: str) -> None:
    report = replay_file(COMPACT / f"{name}.json")
    assert report is not None
    assert report.passed, report.worst


@pytest.mark.skipif(not FULL.is_dir(), reason=f"the full goldens are not at {FULL} (STREAMVACE_GOLDENS names a folder)")
@pytest.mark.parametrize("name", TRUTH)
def test_the_full_goldens_are_equalled(name: str) -> None:
    report = replay_file(FULL / f"{name}.json")
    assert report is not None
    assert not report.defect
    assert report.passed, report.worst


@pytest.mark.skipif(not FULL.is_dir(), reason=f"the full goldens are not at {FULL} (STREAMVACE_GOLDENS names a folder)")
@pytest.mark.parametrize(
    ("name", "defect"), [("longlive_vace", "zero-padded keys"), ("longlive_vace_ctxframes", "cuts")]
)
def test_recordings_of_the_reference_s_defects_are_named_not_matched(name: str, defect: str) -> None:
    report = replay_file(FULL / f"{name}.json")
    assert report is not None
    assert defect in report.defect


def test_a_wrong_tensor_makes_the_command_fail(tmp_path: Path) -> None:
    tensors = load_file(COMPACT / "longlive.safetensors")
    tensors["call010.x0"] = tensors["call010.x0"] + 1e-3
    save_file(tensors, tmp_path / "longlive.safetensors")
    shutil.copy(COMPACT / "longlive.json", tmp_path)
    assert run_parity(tmp_path) == 1


def test_a_missing_folder_and_a_foreign_format_are_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no goldens"):
        run_parity(tmp_path)
    save_file({"a": load_file(COMPACT / "scheduler.safetensors")["x0"]}, tmp_path / "other.safetensors")
    (tmp_path / "other.json").write_text(json.dumps({"who": "knows"}))
    assert replay_file(tmp_path / "other.json") is None
