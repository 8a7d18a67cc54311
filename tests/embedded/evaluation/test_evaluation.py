"""The judges of the embedded model tell right from wrong, and those that cannot are left out."""

import json
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest
from typer.testing import CliRunner

from streamvace.embedded.evaluation import fidelity as table
from streamvace.embedded.evaluation import painters
from streamvace.embedded.evaluation.cli import app
from streamvace.embedded.evaluation.confidence import figure, tells_apart
from streamvace.embedded.evaluation.drift import PERIOD, compare, drift, measures, steady
from streamvace.embedded.evaluation.fidelity import CONDITIONS, TASKS, Task, fidelity, held_out
from streamvace.embedded.evaluation.judges import JUDGES, Judge, ssim
from streamvace.embedded.evaluation.painters import Variant
from streamvace.embedded.evaluation.references import ends_of_the_scale, likeness, make_clip, reference_cells
from streamvace.embedded.train.package import load_package
from streamvace.records.chunk import Chunk, ChunkInput
from streamvace.records.model_options import ModelOptions
from streamvace.stream.generator import Generator
from streamvace.stream.loading import load_generator
from streamvace.system.errors import UserError
from streamvace.world.text import tokens_of


@pytest.mark.parametrize("name", [name for name in TASKS if name != "camera"])
def test_every_judge_tells_the_true_frames_from_a_plainly_wrong_case(name: str) -> None:
    task = TASKS[name]
    trials, batches = held_out(task, 8, 24)
    truth = np.concatenate([b.video for b in batches])[:, 3:]
    for judge in task.judges:
        row = JUDGES[judge]
        right = figure(row.score(truth, truth, trials))
        assert tells_apart(right, figure(row.score(*row.wrong(truth, truth, trials))), row.more), judge


def test_true_frames_show_the_colours_of_their_prompt_in_any_light() -> None:
    """Including neon colours, whose glow over a bright background can make orange look yellow."""
    for name in ("depth", "two objects"):
        trials, batches = held_out(TASKS[name], 32, 24)
        truth = np.concatenate([b.video for b in batches])[:, 3:]
        assert np.nanmin(JUDGES["colour"].score(truth, truth, trials)) == 1


def test_a_judge_that_cannot_tell_right_from_wrong_is_left_out_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    constant = Judge(lambda made, truth, trials: np.ones(len(made)), JUDGES["colour"].wrong)
    monkeypatch.setitem(JUDGES, "constant", constant)
    monkeypatch.setitem(TASKS, "depth", Task("depth", 1, ("constant", "silhouette"), ("on",)))
    net, codec = load_package()
    said: list[str] = []
    cells = list(fidelity([Variant("streamed", net, codec, True)], codec, 4, 1, ("depth",), progress=said.append))
    assert {cell.judge for cell in cells if cell.variant == "streamed"} == {"silhouette"}
    assert any("constant cannot tell" in line for line in said)


def test_the_table_prints_as_json_with_ceilings_and_floors() -> None:
    result = CliRunner().invoke(app, ["--json", "--clips", "2", "--seeds", "1", "--task", "extend"])
    assert result.exit_code == 0, result.output
    cells = json.loads(result.stdout)["cells"]
    assert {cell["variant"] for cell in cells} == {"truth", "codec", "wrong", "batch", "streamed"}
    assert all(cell["figure"]["low"] <= cell["figure"]["mean"] <= cell["figure"]["high"] for cell in cells)


@dataclass
class Painted:
    """A live generator of gray pictures that records its inputs."""

    size: tuple[int, int] = (256, 256)
    chunks: int = 0
    given: list[ChunkInput] = field(default_factory=list)

    def reset(self) -> None:
        self.chunks = 0

    def frames_wanted(self) -> int:
        return 12 if self.chunks else 9

    def step(self, given: ChunkInput) -> Chunk:
        count = self.frames_wanted()
        self.chunks += 1
        self.given.append(given)
        return Chunk(np.full((count, 256, 256, 3), 90, np.uint8), self.chunks, 0, 0, 0, {"total": 0.0})


def test_streamed_columns_come_from_the_live_generator_with_the_given_options(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    painted, asked = Painted(), list[ModelOptions]()

    def load(name: str, size: object, options: ModelOptions, networks: object) -> Painted:
        assert (name, networks) == ("embedded", None)
        asked.append(options)
        return painted

    monkeypatch.setattr(painters, "load_generator", load)
    live = ["--precision", "bf16", "--threads", "1", "--compile", "blocks", "--denoise-steps", "2", "--history-hints"]
    chosen = ["--task", "depth", "--condition", "scale 0.5", "--condition", "another clip", "--clips", "3"]
    result = CliRunner().invoke(app, [*chosen, "--seeds", "1", *live], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    (options,) = asked
    assert (options.precision, options.threads, options.compile) == ("bf16", 1, "blocks")
    # Three clips of two chunks, under two conditions.
    half, another = painted.given[:6], painted.given[6:]
    assert len(another) == 6
    assert {given.denoise_steps for given in painted.given} == {2}
    assert all(given.history_hints for given in painted.given)
    assert {given.context_scale for given in half} == {0.5}
    assert len({given.seed for given in half}) == 3
    trials, (batch,) = held_out(TASKS["depth"], 3, 24)
    for row, (ours, theirs) in enumerate(zip(half[::2], another[::2], strict=True)):
        assert str(ours.prompt).split() == str(theirs.prompt).split()
        assert tokens_of(str(ours.prompt)) == tokens_of(trials[row].words)
        assert ours.control is not None
        assert theirs.control is not None
        assert np.array_equal(ours.control[:, ::2, 1::2], batch.control[row, 3:12])
        assert np.array_equal(theirs.control[:, ::2, ::2], batch.control[row - 1, 3:12])


@pytest.mark.parametrize("option", ["--task", "--condition"])
def test_an_unknown_part_of_the_table_is_refused_with_the_known_ones(option: str) -> None:
    result = CliRunner().invoke(app, [option, "nothing"])
    assert isinstance(result.exception, UserError)
    assert "nothing" in str(result.exception)
    assert {"--task": "edges", "--condition": "scale 0.5"}[option] in str(result.exception)


def test_without_control_or_with_another_clip_s_the_silhouette_is_lost() -> None:
    net, codec = load_package()
    cells = fidelity([Variant("streamed", net, codec, True)], codec, 4, 1, ("depth",), ("on", "off", "another clip"))
    scores = {
        cell.condition: cell.figure for cell in cells if cell.variant == "streamed" and cell.judge == "silhouette"
    }
    assert scores["on"].low > scores["off"].high
    assert scores["on"].low > scores["another clip"].high


def test_no_two_conditions_are_the_same() -> None:
    assert len(set(CONDITIONS.values())) == len(CONDITIONS)
    assert {name for task in TASKS.values() for name in task.conditions} <= set(CONDITIONS)
    assert table.BATCH > 0


def test_an_interval_contains_its_mean_and_narrows_with_more_clips() -> None:
    rng = np.random.default_rng(1)
    few, many = figure(rng.normal(size=10)), figure(rng.normal(size=1000))
    assert few.low < few.mean < few.high
    assert many.high - many.low < few.high - few.low
    assert figure(np.array([[1.0, np.nan], [3.0, 5.0]])).mean == 2.0


def test_ssim_is_one_for_equal_pictures_and_falls_with_noise() -> None:
    rng = np.random.default_rng(2)
    picture = np.repeat(np.arange(64, dtype=np.uint8)[:, None] * 4, 64, 1)
    noisy = np.clip(picture + rng.normal(0, 25, picture.shape), 0, 255).astype(np.uint8)
    where = np.ones(picture.shape, np.bool_)
    assert ssim(picture, picture, where) == pytest.approx(1.0)
    assert ssim(picture, noisy, where) < 0.7


def test_a_stream_that_washes_out_scores_less_contrast_and_sharpness() -> None:
    rng = np.random.default_rng(3)
    chunks = []
    for step in range(60):
        spread = 60 * (1 - step / 100)
        chunks.append(measures((128 + rng.normal(0, spread, (4, 32, 32, 3))).clip(0, 255).astype(np.uint8)))
    found = compare(chunks)
    assert found.mean == pytest.approx(1, abs=0.05)
    assert found.contrast < 0.75
    assert found.sharpness < 0.75


@dataclass
class Fading:
    """A generator whose picture loses a hundredth of its contrast per chunk, until a first frame restores it."""

    size: tuple[int, int] = (64, 64)
    chunks: int = 0
    contrast: float = 60.0
    given: list[ChunkInput] = field(default_factory=list)

    def reset(self) -> None:
        self.chunks, self.contrast = 0, 60.0

    def frames_wanted(self) -> int:
        return 12 if self.chunks else 9

    def step(self, given: ChunkInput) -> Chunk:
        rng = np.random.default_rng(self.chunks)
        self.contrast = 60.0 if given.first_frame is not None else 0.985 * self.contrast
        noise = rng.normal(128, self.contrast, (self.frames_wanted(), 64, 64, 3))
        self.chunks += 1
        self.given.append(given)
        return Chunk(noise.clip(0, 255).astype(np.uint8), self.chunks, 0, 0, 0, {"total": 0.0})


def test_drift_plays_whole_swings_and_re_anchoring_restores_a_fading_stream() -> None:
    fading = Fading()
    alone = drift(cast(Generator, fading), 3 * PERIOD - 50, "red ball", 1, re_anchor=False)
    assert sum(len(given.control) for given in fading.given if given.control is not None) == 3 * PERIOD - 3
    assert alone.contrast < 0.6
    assert alone.anchored == 0
    held = drift(cast(Generator, fading), 3 * PERIOD, "red ball", 1, re_anchor=True)
    assert held.anchored > 0
    assert held.contrast > alone.contrast + 0.1


@dataclass
class Echo:
    """A generator that returns its control."""

    size: tuple[int, int] = (64, 64)
    chunks: int = 0

    def reset(self) -> None:
        self.chunks = 0

    def frames_wanted(self) -> int:
        return 12 if self.chunks else 9

    def step(self, given: ChunkInput) -> Chunk:
        assert given.control is not None
        self.chunks += 1
        return Chunk(given.control, self.chunks, 0, 0, 0, {"total": 0.0})


@pytest.mark.parametrize("frames", [PERIOD, 2 * PERIOD + 1])
def test_a_stream_that_shows_its_control_has_not_drifted(frames: int) -> None:
    found = drift(cast(Generator, Echo()), frames, "red ball", 1, re_anchor=False)
    assert (found.mean, found.contrast, found.sharpness) == pytest.approx((1, 1, 1), abs=0.01)
    ceiling = {cell.judge: cell.figure.mean for cell in steady(Echo().size, frames)}
    assert ceiling == pytest.approx({"mean": found.mean, "contrast": found.contrast, "sharpness": found.sharpness})


def test_likeness_is_one_for_the_same_colours_and_zero_for_others() -> None:
    red, blue = (np.full((4, 8, 8, 3), colour, np.uint8) for colour in ((250, 0, 0), (0, 0, 250)))
    assert likeness(red, red[0]) == 1
    assert likeness(red, blue[0]) == 0


def test_a_reference_in_memory_mode_shows_and_every_mode_has_its_row() -> None:
    generator = load_generator("embedded")
    clips = [make_clip(number, 9, generator.size) for number in range(2)]
    truth, wrong = (cell.figure.mean for cell in ends_of_the_scale(clips))
    assert truth > wrong + 0.5
    cells: dict[tuple[str, str], Any] = {
        (cell.condition, cell.judge): cell.figure.mean
        for cell in reference_cells("streamed", generator, clips, streamed=True, progress=lambda _: None)
    }
    assert {condition for condition, _ in cells} == {
        "none",
        "colours in the prompt",
        *(f"{whose}, {mode}" for whose in ("own picture", "another's") for mode in ("paper", "joint", "memory")),
    }
    assert cells["own picture, memory", "likeness"] > cells["none", "likeness"]
    batch = reference_cells("batch", generator, clips[:1], streamed=False, progress=lambda _: None)
    assert {cell.condition for cell in batch} == {"own picture, joint", "another's, joint"}
