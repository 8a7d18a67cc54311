"""The training program runs from nothing to a package at toy size, and the same seed renders the same samples."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from streamvace.embedded import cli
from streamvace.embedded.cli import app
from streamvace.embedded.train import data, decoder, stages
from streamvace.embedded.train.config import DEFAULT, load_config
from streamvace.embedded.train.data import World, make_batch, rendered_ahead, still_end
from streamvace.embedded.train.decoder import CROP, crops
from streamvace.embedded.train.network import Network
from streamvace.embedded.train.package import WEIGHTS, load_package, trained_network
from streamvace.model.noise import STEP
from streamvace.system.errors import UserError
from streamvace.video.film.writer import VideoWriter
from streamvace.world.text import tokens_of


def test_a_batch_is_a_function_of_its_seed() -> None:
    one, same, other = (make_batch(seed, 2, World(4)) for seed in ((1, 2), (1, 2), (1, 3)))
    assert np.array_equal(one.video, same.video)
    assert np.array_equal(one.mask, same.mask)
    assert np.array_equal(one.tokens, same.tokens)
    assert not np.array_equal(one.video, other.video)


def test_what_is_rendered_ahead_comes_in_its_order_each_under_its_own_number() -> None:
    made = rendered_ahead(tuple, (7,), 3)
    assert [next(made) for _ in range(6)] == [(7, number) for number in range(3, 9)]
    made.close()


def test_a_mirrored_scene_has_the_caption_of_a_mirrored_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    planes = np.zeros((7, 8, 8), np.uint8)
    planes[:, :, :4] = 255  # all on the left
    monkeypatch.setattr(data, "FILTERED_SHARE", 0.0)
    monkeypatch.setattr(data, "render", lambda scene, seconds, size: planes)
    monkeypatch.setattr(data, "compose", lambda maps, look, place: np.repeat(maps[4][..., None], 3, 2))
    monkeypatch.setattr(data, "_control", lambda maps, video, rng: (video, video[..., 0]))
    monkeypatch.setattr(data, "caption", lambda scene, look, seconds, flipped, rng: "right" if flipped else "left")
    said = set()
    for seed in range(30):
        sample = data.make_sample(np.random.default_rng(seed), 4, 0.0, None)
        side = "left" if sample.video[0, 0, 0, 0] else "right"
        assert sample.words in ("", side)
        said.add(sample.words)
    assert said == {"", "left", "right"}, "now and then nothing is said"


def test_a_clip_to_extend_gives_one_latent_frame_at_an_end_and_grey_elsewhere() -> None:
    video = np.random.default_rng(0).integers(0, 255, (24, 8, 8, 3), np.uint8)
    ends = set()
    for seed in range(20):
        control, mask = still_end(video, np.random.default_rng(seed))
        given = np.flatnonzero((mask == 0).all((1, 2)))
        ends.add(tuple(given.tolist()))
        assert np.array_equal(control[given], video[given])
        rest = np.delete(np.arange(24), given)
        assert (mask[rest] == 255).all()
        assert (control[rest] == 128).all()
    assert ends == {(0, 1, 2, 3), (20, 21, 22, 23)}


def test_the_decoder_learns_from_pictures_not_from_controls() -> None:
    clips = crops((1, 2), 12, 4, None)
    assert clips.video.shape == (12, 4, CROP, CROP, 3)
    assert np.array_equal(clips.video, crops((1, 2), 12, 4, None).video)
    colour = [float(np.ptp(clip.astype(int), axis=-1).mean()) for clip in clips.video]
    assert sum(each > 4 for each in colour) > len(clips.video) / 2
    assert (clips.tokens > 0).any(1).all(), "every crop has its caption"
    assert (clips.places % STEP == 0).all()


def settings(folder: Path, batch: int, steps: int) -> list[str]:
    """The options for training at toy size in this folder."""
    toy = json.loads(DEFAULT.read_text(encoding="utf-8")) | {"processes": 1, "codec_clips": 2}
    for stage in toy["stages"].values():
        stage |= {"batch": batch, "warmup": 1, "steps": steps}
    file = folder / "toy.json"
    file.write_text(json.dumps(toy), encoding="utf-8")
    return ["--config", str(file)]


def train(*words: str) -> None:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output


def card_of(package: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((package / "card.json").read_text(encoding="utf-8"))
    return card


def check_packages(folder: Path, toy: list[str], clips: list[str]) -> None:
    """From nothing to a package; then on from the package, in a folder of its own."""
    train("all", *toy, "--folder", str(folder / "run"), "--out", str(folder / "out"), *clips)
    card = card_of(folder / "out")
    assert card["stages"].keys() == {"images", "demo", "decoder"}
    assert "depth codec silhouette" in card["figures"]
    net, codec = load_package(folder / "out")
    assert all(torch.isfinite(p).all() for p in (*net.parameters(), *codec.parameters()))

    again = [*toy, "--folder", str(folder / "again")]
    train("demo", *again, "--start-from", str(folder / "out"))
    train("package", *again, "--out", str(folder / "next"), *clips)
    later = card_of(folder / "next")
    assert later["before"] == [card["stages"]], "the card remembers what came before"
    assert later["stages"].keys() == {"demo"}
    theirs = load_package(folder / "next")[1].state_dict()
    assert all(torch.equal(value, theirs[key]) for key, value in codec.state_dict().items())


def check_stages(run: Path, toy: list[str]) -> None:
    """The paper's way from the same images: each stage leaves alone what it must not touch."""
    for stage in ("base", "context", "causal"):
        train(stage, *toy, "--folder", str(run))
    saved = {
        name: torch.load(run / f"{name}.pt", weights_only=True) for name in ("images", "base", "context", "causal")
    }
    for name, before, part in (
        ("base", "images", ("transformer.", "text_encoder.")),
        ("context", "base", ("context.",)),
        ("causal", "base", ("transformer.",)),
    ):
        now, then = saved[name]["module"], saved[before]["average"]
        changed = {key for key in now if not torch.equal(now[key], then[key])}
        assert changed
        assert all(key.startswith(part) for key in changed), name


@pytest.fixture
def _in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training renders in this process, draws no sheets and does not evaluate: that is nearly all of its time."""

    def rendered(make: Callable[..., Any], seed: tuple[int, ...], first: int, *arguments: Any) -> Iterator[Any]:
        return (make((*seed, number), *arguments) for number in count(first))

    for module in (stages, decoder):
        monkeypatch.setattr(module, "rendered_ahead", rendered)
    monkeypatch.setattr(stages, "contact_sheet", lambda *_: None)
    monkeypatch.setattr(cli, "_figures", lambda *_: {"depth codec silhouette": 1.0})


def test_a_package_keeps_a_share_of_the_weights_that_training_started_from(tmp_path: Path) -> None:
    torch.manual_seed(0)
    learned, earlier = Network().state_dict(), load_package()[0].state_dict()
    torch.save({"average": learned, "step": 5, "elapsed": 60.0}, tmp_path / "demo.pt")
    config = replace(load_config(), folder=tmp_path, start_from=WEIGHTS, keep=0.25)
    made = trained_network(config)[0].state_dict()
    for key, value in made.items():
        torch.testing.assert_close(value, 0.75 * learned[key] + 0.25 * earlier[key])
    with pytest.raises(UserError, match=r"keep 0\.25 needs a package folder in start_from, got None"):
        trained_network(replace(config, start_from=None))


@pytest.mark.usefixtures("_in_a_moment")
def test_training_goes_from_nothing_to_a_package_and_stages_keep_what_is_frozen(tmp_path: Path) -> None:
    toy = settings(tmp_path, batch=1, steps=1)
    check_packages(tmp_path, toy, [])
    check_stages(tmp_path / "run", toy)


@pytest.mark.slow
def test_train_all_renders_draws_and_evaluates_on_its_way_to_a_package(tmp_path: Path) -> None:
    toy = settings(tmp_path, batch=2, steps=2)
    check_packages(tmp_path, toy, ["--clips", "1"])
    check_stages(tmp_path / "run", toy)
    assert list((tmp_path / "run").glob("demo-*.png"))


def test_a_stage_without_its_predecessor_says_which_to_train(tmp_path: Path) -> None:
    settings = json.loads(DEFAULT.read_text(encoding="utf-8")) | {"processes": 1, "codec_clips": 2}
    file = tmp_path / "toy.json"
    file.write_text(json.dumps(settings), encoding="utf-8")
    places = ["--config", str(file), "--folder", str(tmp_path)]
    result = CliRunner().invoke(app, ["demo", *places])
    assert isinstance(result.exception, UserError)
    assert "codec" in str(result.exception)
    assert CliRunner().invoke(app, ["codec", *places]).exit_code == 0
    result = CliRunner().invoke(app, ["demo", *places])
    assert isinstance(result.exception, UserError)
    assert "images.pt" in str(result.exception)


def test_a_folder_of_clips_is_a_world_with_its_own_captions_and_controls(tmp_path: Path) -> None:
    for name, value in (("a.mp4", 200), ("a.depth.mp4", 40)):
        with VideoWriter(tmp_path / name, (160, 144), 12) as film:
            for _ in range(5):
                film.write(np.full((144, 160, 3), value, np.uint8))
    (tmp_path / "a.txt").write_text("red ball", encoding="utf-8")
    world = World(8, tmp_path, "streamvace.embedded.train.folder_world:sample")
    batch = make_batch((1,), 24, world)
    assert batch.video.shape == (24, 8, 128, 128, 3)
    assert np.abs(batch.video.astype(int) - 200).max() < 8
    levels = {round(float(control.mean()) / 40) for control in batch.control}
    assert {1, 5} <= levels  # its depth and its brightness
    assert (batch.tokens[:, :2] == tokens_of("red ball")).all(1).sum() > 12


def test_a_world_without_clips_says_so(tmp_path: Path) -> None:
    for folder, words in ((None, "--photographs"), (tmp_path, "no .mp4")):
        with pytest.raises(UserError, match=words):
            make_batch((1,), 1, World(8, folder, "streamvace.embedded.train.folder_world:sample"))
