"""Our networks match the recorded reference, call by call and in closed loop."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from streamvace.model.transformer import CausalWan
from streamvace.parity.cli import replay_file, run_parity
from streamvace.parity.networks import GoldenWan
from streamvace.parity.report import LOOP_TOLERANCE, Report, Sidecar, Tensors
from streamvace.parity.stream import replay_stream
from streamvace.system.errors import UserError

COMPACT = Path(__file__).parent.parent / "goldens"
FULL = Path(os.environ.get("STREAMVACE_GOLDENS", Path(__file__).parents[3] / "shared" / "goldens"))
NOT_TRUTH = {"longlive_vace": "zero-padded keys", "longlive_vace_ctxframes": "cuts"}
TRUTH = sorted(path.stem for path in FULL.glob("*.json") if path.stem not in NOT_TRUTH) if FULL.is_dir() else []


@pytest.mark.parametrize("name", sorted(path.stem for path in COMPACT.glob("*.json")))
def test_the_compact_goldens_match(name: str) -> None:
    report = replay_file(COMPACT / f"{name}.json")
    assert report is not None
    assert report.passed, report.worst


@pytest.mark.parametrize(
    "name", ["krea_realtime_video", "longlive_vace_nopadkeys", "taehv_narrow", "vace_encoding", "wan_batch_vace"]
)
def test_a_replay_in_16_bits_differs_by_rounding_alone(name: str) -> None:
    report = replay_file(COMPACT / f"{name}.json", dtype=torch.bfloat16)
    assert report is not None
    assert report.near, report.relative
    assert not report.passed, "it did run in 16 bits"


def test_the_sampler_is_replayed_in_the_precision_in_which_it_runs() -> None:
    report = replay_file(COMPACT / "scheduler.json", dtype=torch.bfloat16)
    assert report is not None
    assert report.passed, report.worst


def test_what_is_wrong_is_no_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GoldenWan, "embed", lambda self, x: CausalWan.embed(self, 1.1 * x))
    report = replay_file(COMPACT / "wan_batch_vace.json", dtype=torch.bfloat16)
    assert report is not None
    assert not report.near


@pytest.mark.skipif(not FULL.is_dir(), reason=f"the full goldens are not at {FULL} (STREAMVACE_GOLDENS names a folder)")
@pytest.mark.parametrize("name", TRUTH)
def test_the_full_goldens_match(name: str) -> None:
    report = replay_file(FULL / f"{name}.json")
    assert report is not None
    assert not report.defect
    assert report.passed, report.worst


@pytest.mark.slow
@pytest.mark.skipif(not FULL.is_dir(), reason=f"the full goldens are not at {FULL} (STREAMVACE_GOLDENS names a folder)")
@pytest.mark.parametrize("name", TRUTH)
def test_the_full_goldens_match_in_16_bits_but_for_rounding(name: str) -> None:
    report = replay_file(FULL / f"{name}.json", dtype=torch.bfloat16)
    assert report is not None
    assert not report.defect
    assert report.near, report.relative


@pytest.mark.skipif(not FULL.is_dir(), reason=f"the full goldens are not at {FULL} (STREAMVACE_GOLDENS names a folder)")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    ("name", "defect"), [("longlive_vace", "zero-padded keys"), ("longlive_vace_ctxframes", "cuts")]
)
def test_recordings_of_the_reference_s_defects_are_named_and_not_compared(
    name: str, defect: str, dtype: torch.dtype
) -> None:
    report = replay_file(FULL / f"{name}.json", dtype=dtype)
    assert report is not None
    assert defect in report.defect


@torch.inference_mode()
def replayed(meta: Sidecar, tensors: Tensors) -> Report:
    return replay_stream("recording", meta, tensors)


def with_a_cut(chunks: int) -> tuple[Sidecar, Tensors]:
    """A recording of two streams: the first chunks of one with its prompt switch, a hard cut, and the whole stream."""
    meta = json.loads((COMPACT / "longlive.json").read_text(encoding="utf-8"))
    tensors = load_file(COMPACT / "longlive.safetensors")
    before = [call for call in meta["calls"] if call["chunk"] < chunks]
    joined = {key: value for key, value in tensors.items() if not key.startswith("call")}
    for index in range(len(before)):
        joined[f"call{index:03d}.x0"] = tensors[f"call{index:03d}.x0"]
    for index in range(len(meta["calls"])):
        joined[f"call{len(before) + index:03d}.x0"] = tensors[f"call{index:03d}.x0"]
    meta["calls"] = before + [call | {"chunk": call["chunk"] + chunks} for call in meta["calls"]]
    meta["chunks"] = meta["chunks"][:chunks] + meta["chunks"]
    return meta, joined


def test_a_hard_cut_inside_a_recording_clears_the_history() -> None:
    meta, tensors = with_a_cut(5)
    report = replayed(meta, tensors)
    assert report.passed, report.worst
    assert report.compared > len(meta["calls"])


def test_a_history_kept_across_the_cut_is_detected() -> None:
    meta, tensors = with_a_cut(5)
    for call in meta["calls"][1:]:
        call["events_before"] = []
    worst, _ = replayed(meta, tensors).worst["closed loop x0"]
    assert worst > 1


@pytest.mark.parametrize("change", ["seed", "step", "strength", "prompt"])
def test_a_loop_with_other_inputs_differs(change: str) -> None:
    meta = json.loads((COMPACT / "longlive_vace_nopadkeys.json").read_text(encoding="utf-8"))
    tensors = load_file(COMPACT / "longlive_vace_nopadkeys.safetensors")
    if change == "seed":
        meta["chunks"][3]["rng_seed"] += 1
    elif change == "step":
        meta["denoising_steps"] = [1000, 501]
    elif change == "prompt":
        tensors["context0"] = tensors["context0"] * 1.01
    for call in meta["calls"]:
        call["vace_context_scale"] *= 1.01 if change == "strength" else 1
    worst, _ = replayed(meta, tensors).worst["closed loop x0"]
    assert worst > 100 * LOOP_TOLERANCE


def test_a_wrong_tensor_makes_the_command_fail(tmp_path: Path) -> None:
    tensors = load_file(COMPACT / "longlive.safetensors")
    tensors["call010.x0"] = tensors["call010.x0"] + 1e-3
    save_file(tensors, tmp_path / "longlive.safetensors")
    shutil.copy(COMPACT / "longlive.json", tmp_path)
    assert run_parity(tmp_path) == 1


def test_a_folder_without_goldens_is_an_error_and_an_unknown_format_is_skipped(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no goldens"):
        run_parity(tmp_path)
    save_file({"a": load_file(COMPACT / "scheduler.safetensors")["x0"]}, tmp_path / "other.safetensors")
    (tmp_path / "other.json").write_text(json.dumps({"who": "knows"}))
    assert replay_file(tmp_path / "other.json") is None
