"""A measurement runs part by part, goes on where it stopped, and says what it could not do."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from streamvace.bench import fidelity, networks, parts, runner
from streamvace.bench.networks import random_lora, random_networks
from streamvace.bench.parts import PARTS, Part, part_named, run_part
from streamvace.bench.report import markdown
from streamvace.bench.runner import measure, run_apart
from streamvace.bench.setup import Figures, Setup, SkippedPart, main_setup
from streamvace.bench.timing import chunk_figures, measure_pipeline, run_chunks, settle
from streamvace.model.specs import pipeline
from streamvace.records.chunk import Chunk, ChunkInput, Pixels
from streamvace.records.model_options import LoraChoice, ModelOptions
from streamvace.stream.generator import Generator
from streamvace.stream.lane import Lane, SameLane
from streamvace.stream.loading import load_generator
from streamvace.system.errors import UserError
from streamvace.world.pattern_stream import PatternStream
from tests.networks import SMALL

SETUP = Setup("cpu", "embedded", (32, 32), 1)
HARDWARE = "CPU | a processor"


def fine(part: Part, setup: Setup) -> Figures:
    raise AssertionError("parts run in other processes")


def part(name: str, title: str = "A part") -> Part:
    return Part(name, title, fine)


def test_a_measurement_goes_on_where_it_stopped_and_tries_again_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    answers = {"good": {"status": "done", "figures": {"fps": 3.0}}, "bad": {"status": "failed", "reason": "no luck"}}

    def instead(one: Part, setup: Setup, folder: Path) -> dict[str, object]:
        ran.append(one.name)
        if one.name == "interrupted":
            raise KeyboardInterrupt
        return dict(answers[one.name])

    monkeypatch.setattr(runner, "run_apart", instead)
    said: list[str] = []
    todo = [part("good"), part("bad"), part("interrupted", "Cut off")]
    with pytest.raises(KeyboardInterrupt):
        measure(todo, SETUP, tmp_path, HARDWARE, said.append)
    report = (tmp_path / "report.md").read_text("utf-8")
    assert "| fps | 3 |" in report
    assert "Failed: no luck." in report
    assert "## Cut off\n\nNot run yet." in report
    measure(todo[:2], SETUP, tmp_path, HARDWARE, said.append)
    assert ran == ["good", "bad", "interrupted", "bad"]
    assert "A part: done before" in said


@pytest.mark.parametrize(("setup", "hardware"), [(replace(SETUP, chunks=9), HARDWARE), (SETUP, "another card")])
def test_figures_of_two_machines_or_setups_do_not_mix(
    setup: Setup, hardware: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "run_apart", lambda *_: {"status": "skipped", "reason": "no card"})
    measure([part("one")], SETUP, tmp_path, HARDWARE, lambda _: None)
    with pytest.raises(UserError, match="choose another folder"):
        measure([part("one")], setup, tmp_path, hardware, lambda _: None)


def test_a_part_that_hangs_is_ended_and_one_that_dies_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command gets a program that ignores it, in place of Python."""
    asleep = tmp_path / "asleep.py"
    asleep.write_text("import time\ntime.sleep(600)\n", "utf-8")
    dead = tmp_path / "dead.py"
    dead.write_text("raise SystemExit(7)\n", "utf-8")
    for program, limit, status, words in ((asleep, 1.0, "timed out", "after 1 s"), (dead, 60.0, "failed", "code 7")):
        monkeypatch.setattr(runner, "CHILD", (sys.executable, str(program)))
        answer = run_apart(replace(part("any"), limit_s=limit), SETUP, tmp_path)
        assert answer["status"] == status
        assert words in answer["reason"]


def test_versions_are_measured_in_a_process_of_their_own(tmp_path: Path) -> None:
    answer = run_apart(part_named("versions"), SETUP, tmp_path)
    assert answer["status"] == "done", answer
    assert answer["figures"]["torch"] == torch.__version__


def test_parts_that_need_a_card_say_so_and_measure_nothing() -> None:
    for each in (one for one in PARTS if one.card):
        with pytest.raises(SkippedPart, match="needs a CUDA card, the device is cpu"):
            run_part(each.name, SETUP)


def test_what_a_processor_can_run_gives_figures_of_the_shapes_that_the_report_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On one generator: the parts that load their own are the same code."""
    made = measure_pipeline("embedded", (32, 32), ModelOptions("cpu"), 1)
    monkeypatch.setattr(parts, "measure_pipeline", lambda *_: made)
    monkeypatch.setattr(parts, "MODES", (parts.MODES[1], parts.MODES[-1]))
    chunk = run_part("chunk", SETUP)
    assert (chunk["weights"], chunk["frames"], chunk["chunks"]) == ("shipped", 12, 1)
    assert {"encode", "context", "denoise", "decode"} <= set(chunk["stages_ms"])
    assert chunk["median_ms"] >= max(chunk["stages_ms"].values())
    modes = run_part("modes", SETUP)
    assert [row["configuration"] for row in modes["rows"]] == [mode.name for mode in parts.MODES]
    reuse = run_part("hint reuse", SETUP)
    assert [row["hints every N steps"] for row in reuse["rows"]] == [1, 2, 4]
    profile = run_part("profile", SETUP)
    assert profile["rows"][0]["ms"] >= profile["rows"][-1]["ms"] > 0
    attention = run_part("attention", SETUP)
    assert {row["verdict"] for row in attention["rows"]} >= {"agrees", "needs a CUDA card"}
    answers = {
        "chunk": chunk, "modes": modes, "hint reuse": reuse, "profile": profile, "attention": attention,
    }  # fmt: skip
    done = {name: {"status": "done", "figures": json.loads(json.dumps(each))} for name, each in answers.items()}
    report = markdown({"hardware": HARDWARE, "setup": {"pipeline": "embedded", "size": [32, 32], "chunks": 1},
                       "parts": done}, PARTS)  # fmt: skip
    assert "| inpainting + LoRA |" in report
    assert "## Published by others" in report
    tables = [line for line in report.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


def test_recorded_tensors_are_replayed_in_fp32_and_in_bf16_on_the_device(tmp_path: Path) -> None:
    for name in ("longlive_nosink", "vace_encoding"):
        for ending in ("json", "safetensors"):
            source = Path(__file__).parents[1] / "goldens" / f"{name}.{ending}"
            (tmp_path / source.name).write_bytes(source.read_bytes())
    rows = run_part("parity", replace(SETUP, goldens=str(tmp_path)))["rows"]
    exact, rounded = ([row for row in rows if row["precision"] == name] for name in ("float32", "bfloat16"))
    assert {row["verdict"] for row in exact} == {"equal"}
    assert [row["verdict"] for row in rounded] == ["equal but for rounding"] * 2
    assert exact[0]["difference"] < 1e-4
    assert 0.1 < float(rounded[0]["difference"].partition("%")[0]) < 3


def test_fidelity_is_better_for_the_right_control_than_for_a_mirrored_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fidelity, "CHUNKS", 1)
    monkeypatch.setattr(fidelity, "models_folder", lambda: Path("nowhere"))
    generator = load_generator("embedded", (64, 64), ModelOptions("cpu"))
    given: list[ChunkInput] = []
    step = generator.step

    def noted(chunk: ChunkInput) -> Chunk:
        given.append(chunk)
        return step(chunk)

    monkeypatch.setattr(generator, "step", noted)
    depth, kept = fidelity.fidelity_rows(generator, "shipped", "cpu")
    assert depth["verdict"].startswith("needs Depth Anything V2 at nowhere")
    assert kept["value"] > kept["mirrored control"]
    (mask,) = [each.mask for each in given]
    assert mask is not None
    assert not mask[:, 0].any(), "the border is kept"
    assert mask[:, 32, 32].all(), "the middle is generated"
    with pytest.raises(SkippedPart, match="random weights make no pictures"):
        fidelity.fidelity_rows(generator, "random", "cpu")


def test_depth_is_judged_by_a_network_and_only_up_to_scale_and_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    class Exact:
        """Sees the control in the picture, with another scale and offset."""

        backend = "a network"

        def __init__(self, folder: Path, device: str) -> None: ...

        def reset(self) -> None: ...

        def update(self, frame: Pixels, seconds: float, settings: object) -> Pixels:
            return np.asarray(40 + frame * 0.5, np.uint8)

    pattern = PatternStream("depth", (64, 64))
    shown = np.stack([pattern.frame(k / 4) for k in range(2)])
    monkeypatch.setattr(fidelity, "NetworkDepth", Exact)
    monkeypatch.setattr(fidelity, "models_folder", lambda: Path(__file__).parent)
    monkeypatch.setattr(fidelity, "DEPTH_FOLDER", ".")
    monkeypatch.setattr(fidelity, "streamed", lambda *_: [(shown, shown)])
    row = fidelity._depth_row(load_generator("embedded", (64, 64), ModelOptions("cpu")), "cpu")
    assert row["value"] < 0.01 < 0.05 < row["mirrored control"]


def test_chunks_are_timed_with_the_pictures_beside_the_networks_and_in_one_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lanes: list[Lane | None] = []

    class Noted(Generator):
        def __init__(self, *given: Any, lane: Lane | None, **named: Any) -> None:
            lanes.append(lane)
            super().__init__(*given, lane=lane, **named)

    monkeypatch.setattr(parts, "Generator", Noted)
    rows = parts.streams(part_named("streams"), SETUP)["rows"]
    assert [row["order"] for row in rows] == ["two streams", "one stream"]
    assert lanes[0] is None
    assert isinstance(lanes[1], SameLane)
    assert all(row["throughput_ms"] >= 0.9 * row["median_ms"] > 0 for row in rows)


def test_random_networks_have_the_real_names_and_make_finite_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = replace(pipeline("longlive"), size=SMALL)
    made = random_networks(spec, ModelOptions("cpu"))
    assert not any(each.is_meta for each in made.wan.parameters())
    assert made.wan.blocks[0].norm3.weight.eq(1).all()
    assert 0.01 < float(made.wan.blocks[0].ffn[0].weight.float().std()) < 0.03
    monkeypatch.setattr("streamvace.stream.loading.pipeline", lambda name: spec)
    lora = LoraChoice(random_lora(spec, tmp_path / "lora.safetensors"), mode="side")
    generator = load_generator("longlive", (32, 32), ModelOptions("cpu", loras=(lora,)), made)
    settle(generator)
    figures = chunk_figures(run_chunks(generator, 2, ("control", "mask"), {"lora_region": "mask"}))
    assert (figures["frames"], figures["chunks"]) == (12, 2)
    with pytest.raises(UserError, match="no random weights for codec 'lighttae'; there are: taehv, wan-vae"):
        random_networks(spec, ModelOptions("cpu", codec="lighttae"))


def test_weights_that_are_not_installed_are_random_and_the_figures_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, codec: str | None) -> None:
        raise UserError("longlive needs 5 models")

    spec = replace(pipeline("longlive"), size=SMALL)
    monkeypatch.setattr(networks, "installed", missing)
    monkeypatch.setattr(networks, "pipeline", lambda name: spec)
    monkeypatch.setattr("streamvace.stream.loading.pipeline", lambda name: spec)
    assert networks.make_generator("longlive", (32, 32), ModelOptions("cpu"))[1] == "random"


def test_the_most_valuable_parts_come_first_and_every_name_is_used_once() -> None:
    names = [each.name for each in PARTS]
    assert names[:5] == ["versions", "parity", "synchronisations", "attention", "chunk"]
    assert len(set(names)) == len(names)
    assert main_setup("cuda:0", 3, None).size == (640, 368)
    assert main_setup("cpu", 3, None).pipeline == "embedded"
