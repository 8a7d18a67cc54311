"""`render`: every frame once and in order, the same film every time, nothing half-written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from streamvace.live.offline.render import RenderOptions, render_clip
from streamvace.live.worker.messages import WorkerSetup
from streamvace.records.chunk import Chunk, ChunkInput
from streamvace.system.errors import UserError
from streamvace.video.film.source import read_frames
from streamvace.video.film.writer import VideoWriter
from tests.control.coerced import coerced
from tests.live.fakes import FakeGenerator
from tests.video.film.files import cut_off, film, frame_of
from tests.video.helpers import write_clip

SIZE = (64, 64)
SEEN: list[ChunkInput] = []


class Recording(FakeGenerator):
    """Returns the control as its picture, and keeps its inputs."""

    def step(self, inputs: ChunkInput) -> Chunk:
        SEEN.append(inputs)
        chunk = super().step(inputs)
        if inputs.control is None:
            return chunk
        return Chunk(inputs.control, chunk.index, 0, 0, 0, {"total": 0.0}, ("unknown word: blorb",))


def make_recording(setup: WorkerSetup) -> Recording:
    SEEN.clear()
    return Recording(setup.size, seconds=0)


def make_inverting(setup: WorkerSetup) -> FakeGenerator:
    class Inverting(FakeGenerator):
        def step(self, inputs: ChunkInput) -> Chunk:
            chunk = super().step(inputs)
            assert inputs.control is not None
            return Chunk(255 - inputs.control, chunk.index, 0, 0, 0, {"total": 0.0})

    return Inverting(setup.size, seconds=0)


def make_breaking(setup: WorkerSetup) -> FakeGenerator:
    class Breaking(FakeGenerator):
        def step(self, inputs: ChunkInput) -> Chunk:
            if self.index == 1:
                raise FloatingPointError("the result is not finite")
            return super().step(inputs)

    return Breaking(setup.size, seconds=0)


def clip(path: Path, frames: int, rate: float = 12) -> Path:
    """Frame `i` is grey of 8 * i: far enough apart to survive a codec."""
    with VideoWriter(path, SIZE, rate) as writer:
        for i in range(frames):
            writer.write(np.full((SIZE[1], SIZE[0], 3), 8 * i % 256, dtype=np.uint8))
    return path


def greys(path: Path) -> list[int]:
    return [round(int(frame[32, 32, 0]) / 8) for frame in read_frames(path, SIZE)]


def options(tmp_path: Path, factory: str = "make_recording", **more: object) -> RenderOptions:
    given: dict[str, Any] = {"input": tmp_path / "in.mp4", "output": tmp_path / "out.mp4", "size": SIZE, **more}
    given["parameters"] = coerced(given.get("parameters", {}))
    return RenderOptions(factory=f"tests.live.offline.test_render:{factory}", **given)


def test_every_frame_is_used_once_in_order_nine_first_then_twelve(tmp_path: Path) -> None:
    clip(tmp_path / "in.mp4", 25)
    assert render_clip(options(tmp_path)) == 0
    assert [len(inputs.control) for inputs in SEEN if inputs.control is not None] == [9, 12, 12]
    assert greys(tmp_path / "out.mp4") == list(range(25))


def test_a_clip_that_is_cut_off_is_rendered_as_far_as_it_goes_and_the_exit_code_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = cut_off(tmp_path / "in.mp4", 0.5)
    assert render_clip(options(tmp_path)) == 1
    there = len(greys(tmp_path / "out.mp4"))
    assert 0 < there < 40
    assert f"{path} is cut off: {there} of 50 frames can be read" in capsys.readouterr().err
    assert render_clip(options(tmp_path, frames=10, overwrite=True)) == 0
    assert capsys.readouterr().err.count("cut off") == 0


def test_a_mask_that_is_cut_off_is_held_and_the_exit_code_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip(tmp_path / "in.mp4", 50, 25)
    assert render_clip(options(tmp_path, mask=cut_off(tmp_path / "mask.mp4", 0.5))) == 1
    assert len(greys(tmp_path / "out.mp4")) == 50
    assert "mask.mp4 is cut off" in capsys.readouterr().err


def test_what_is_done_to_a_clip_is_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = [frame_of(np.zeros((48, 72, 3), np.uint8)) for _ in range(2)]
    film(tmp_path / "in.mp4", frames, sample_aspect_ratio=Fraction(2))
    assert render_clip(options(tmp_path)) == 0
    assert "note: in.mp4 is scaled from pixels of 2:1 to square ones" in capsys.readouterr().err


def test_the_same_command_gives_the_same_file(tmp_path: Path) -> None:
    clip(tmp_path / "in.mp4", 20)
    render_clip(options(tmp_path))
    first = (tmp_path / "out.mp4").read_bytes()
    render_clip(options(tmp_path, overwrite=True))
    assert (tmp_path / "out.mp4").read_bytes() == first


def test_it_ends_after_the_requested_number_of_frames(tmp_path: Path) -> None:
    clip(tmp_path / "in.mp4", 25)
    render_clip(options(tmp_path, frames=10))
    assert greys(tmp_path / "out.mp4") == list(range(10))


def test_parameters_reach_the_generator(tmp_path: Path) -> None:
    clip(tmp_path / "in.mp4", 9)
    values = {"/streamvace/prompt": "a blue cube", "/streamvace/seed": 5, "/streamvace/context_scale": 0.5}
    values |= {"/streamvace/lora_strength": 0.3, "/streamvace/lora_region": "mask"}
    render_clip(options(tmp_path, parameters=values))
    assert (SEEN[0].prompt, SEEN[0].seed, SEEN[0].context_scale) == ("a blue cube", 5, 0.5)
    assert (SEEN[0].lora_strength, SEEN[0].lora_region) == (0.3, "mask")
    render_clip(options(tmp_path, parameters={"/streamvace/control": False}, overwrite=True))
    assert SEEN[0].control is None


def test_the_output_has_its_effects_offline_too(tmp_path: Path) -> None:
    clip(tmp_path / "in.mp4", 15)
    render_clip(options(tmp_path, parameters={"/streamvace/output/brightness": 2.0}))
    assert greys(tmp_path / "out.mp4") == list(range(0, 30, 2))
    mixed = {"/streamvace/output/control": 1.0}
    render_clip(options(tmp_path, factory="make_inverting", parameters=mixed, overwrite=True))
    assert greys(tmp_path / "out.mp4") == list(range(15)), "each with its own frame"


def test_modulators_run_on_the_films_own_time(tmp_path: Path) -> None:
    """At 12 frames a second and 60 beats a minute a beat has 12 pictures."""
    clip(tmp_path / "in.mp4", 21)
    given = {
        "/streamvace/tempo/bpm": 60.0,
        "/streamvace/mod/1/on": True,
        "/streamvace/mod/1/source": "beat",
        "/streamvace/mod/1/shape": "square",
        "/streamvace/mod/1/target": "output/brightness",
        "/streamvace/mod/1/low": -0.5,
        "/streamvace/mod/1/high": 0.0,
        "/streamvace/mod/2/on": True,
        "/streamvace/mod/2/shape": "saw_up",
        "/streamvace/mod/2/target": "context_scale",
        "/streamvace/mod/2/low": -0.5,
        "/streamvace/mod/2/high": 0.5,
    }
    render_clip(options(tmp_path, parameters=given))
    bright = [number for number, grey in enumerate(greys(tmp_path / "out.mp4")) if grey]
    assert bright == [1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17]
    middles = [4.5 / 12, (9 + 6) / 12]
    assert [seen.context_scale for seen in SEEN] == pytest.approx([2 * (0.5 * middle) for middle in middles])


def test_a_modulator_that_cannot_move_its_target_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    clip(tmp_path / "in.mp4", 9)
    given = {"/streamvace/mod/1/on": True, "/streamvace/mod/1/target": "mod/1/rate"}
    with pytest.raises(UserError, match="a modulator moves no modulator"):
        render_clip(options(tmp_path, parameters=given))
    assert not (tmp_path / "out.mp4").exists()


def test_a_still_mask_is_held_and_white_is_generated(tmp_path: Path) -> None:
    import cv2

    clip(tmp_path / "in.mp4", 21)
    half = np.zeros((SIZE[1], SIZE[0]), dtype=np.uint8)
    half[:, 32:] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), half)
    render_clip(options(tmp_path, mask=tmp_path / "mask.png"))
    for inputs in SEEN:
        assert inputs.mask is not None
        assert inputs.control is not None
        assert inputs.mask.shape == inputs.control.shape[:3]
        assert (inputs.mask == half).all()


def test_references_from_the_media_folder_shape_every_chunk_and_a_missing_one_is_refused(tmp_path: Path) -> None:
    import cv2

    clip(tmp_path / "in.mp4", 20)
    (tmp_path / "media").mkdir()
    cv2.imwrite(str(tmp_path / "media" / "red.png"), np.full((64, 64, 3), (0, 0, 255), dtype=np.uint8))
    values = {"/streamvace/references": ("red.png",), "/streamvace/reference_mode": "paper"}
    render_clip(options(tmp_path, parameters=values, media=tmp_path / "media"))
    assert len(SEEN) == 2
    for inputs in SEEN:
        assert inputs.references is not None
        assert inputs.references[0, 0, 0].tolist() == [255, 0, 0]
        assert inputs.reference_mode == "paper"
    values["/streamvace/references"] = ("blue.png",)
    with pytest.raises(UserError, match=r"blue\.png.*media"):
        render_clip(options(tmp_path, parameters=values, media=tmp_path / "media", overwrite=True))


def test_files_play_the_other_roles_offline_too(tmp_path: Path) -> None:
    clip(tmp_path / "in.mp4", 21)
    (tmp_path / "media").mkdir()
    clip(tmp_path / "media" / "second.mp4", 5)
    values = {"/streamvace/input/second": "second.mp4", "/streamvace/second_control/weight": 0.5}
    render_clip(options(tmp_path, parameters=values, media=tmp_path / "media"))
    seen = [inputs.second_control for inputs in SEEN]
    assert all(second is not None for second in seen)
    greys_seen = np.concatenate([second for second in seen if second is not None])[:, 32, 32, 0]
    assert [round(int(value) / 8) for value in greys_seen] == [0, 1, 2, 3, *[4] * 17]
    values["/streamvace/input/second"] = "nothing.mp4"
    with pytest.raises(UserError, match=r"nothing\.mp4"):
        render_clip(options(tmp_path, parameters=values, media=tmp_path / "media", overwrite=True))


def test_the_second_control_of_a_clip_has_its_own_kind(tmp_path: Path) -> None:
    clip(tmp_path / "in.mp4", 21)
    values = {"/streamvace/second_control/weight": 0.5, "/streamvace/second_control/kind": "edges"}
    render_clip(options(tmp_path, parameters=values))
    for inputs in SEEN:
        assert inputs.second_control is not None
        assert not inputs.second_control.any(), "a grey picture has no edges"
        assert inputs.control is not None
    render_clip(options(tmp_path, parameters={"/streamvace/second_control/weight": 0.5}, overwrite=True))
    assert SEEN[0].second_control is None, "the same picture twice is one control"


def test_composite_keeps_the_clip_outside_the_mask_offline_too(tmp_path: Path) -> None:
    import cv2

    clip(tmp_path / "in.mp4", 9)
    half = np.zeros((SIZE[1], SIZE[0]), dtype=np.uint8)
    half[:, 32:] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), half)
    values = {"/streamvace/composite": True, "/streamvace/prompt": "note"}
    render_clip(options(tmp_path, factory="make_inverting", mask=tmp_path / "mask.png", parameters=values))
    kept, made = ([frame[32, x, 0] for frame in read_frames(tmp_path / "out.mp4", SIZE)] for x in (8, 60))
    assert [round(int(value) / 8) for value in kept] == list(range(9))
    assert [round((255 - int(value)) / 8) for value in made] == list(range(9))


def test_an_existing_film_is_never_replaced_unless_asked(tmp_path: Path) -> None:
    clip(tmp_path / "in.mp4", 9)
    (tmp_path / "out.mp4").write_bytes(b"precious")
    with pytest.raises(UserError, match="--overwrite"):
        render_clip(options(tmp_path))
    assert (tmp_path / "out.mp4").read_bytes() == b"precious"


@pytest.mark.parametrize("what", ["in.mp4", "mask.mp4"])
def test_a_missing_file_is_refused_before_anything_is_loaded_or_written(tmp_path: Path, what: str) -> None:
    SEEN.clear()
    if what != "in.mp4":
        clip(tmp_path / "in.mp4", 9)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError, match=what.replace(".", r"\.")):
        render_clip(options(tmp_path, mask=tmp_path / "mask.mp4"))
    assert sorted(tmp_path.iterdir()) == before


def test_a_fault_half_way_leaves_no_file(tmp_path: Path) -> None:
    clip(tmp_path / "in.mp4", 25)
    with pytest.raises(FloatingPointError):
        render_clip(options(tmp_path, factory="make_breaking"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["in.mp4"]


def test_a_remark_of_the_model_is_printed_once_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip(tmp_path / "in.mp4", 25)
    render_clip(options(tmp_path))
    assert capsys.readouterr().err.count("note: unknown word: blorb") == 1


def test_upscale_writes_a_larger_film_of_the_same_pictures(tmp_path: Path) -> None:
    clip(tmp_path / "in.mp4", 9)
    assert render_clip(options(tmp_path, upscale=2)) == 0
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert (film.streams.video[0].width, film.streams.video[0].height) == (128, 128)
    assert greys(tmp_path / "out.mp4") == list(range(9))


def test_a_control_kind_is_made_of_every_frame(tmp_path: Path) -> None:
    clip(tmp_path / "in.mp4", 9)
    render_clip(options(tmp_path, parameters={"/streamvace/control_kind": "edges"}))
    (inputs,) = SEEN
    assert inputs.control is not None
    assert not inputs.control.any(), "grey all over has no edges"
    assert inputs.mask is None


def test_a_live_mask_and_its_shape_work_offline_too(tmp_path: Path) -> None:
    clip(tmp_path / "in.mp4", 20)
    values = {"/streamvace/mask_source": "luma", "/streamvace/mask/luma_low": 0.3, "/streamvace/mask/softness": 0.0}
    render_clip(options(tmp_path, parameters=values))
    masks = [inputs.mask for inputs in SEEN]
    assert all(mask is not None for mask in masks)
    levels = [int(frame[32, 32]) for mask in masks if mask is not None for frame in mask]
    assert levels[:9] == [0] * 9, "8 * 9 is darker than a third"
    assert levels[11:20] == [255] * 9


def test_a_kind_that_cannot_be_made_ends_the_command_before_anything_is_made_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMVACE_MODELS", str(tmp_path))
    clip(tmp_path / "in.mp4", 9)
    with pytest.raises(UserError, match="models pull vision"):
        render_clip(options(tmp_path, parameters={"/streamvace/control_kind": "pose"}))
    with pytest.raises(UserError, match="/streamvace/mask/model"):
        render_clip(options(tmp_path, parameters={"/streamvace/mask/second": "detector"}))
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"], "nothing was written"


def test_a_clip_is_rendered_in_a_format_with_alpha(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 9, size=SIZE)
    film = f"{tmp_path}/out.mov?format=png"
    assert render_clip(RenderOptions(clip, Path(film), factory="tests.live.fakes:make", size=SIZE)) == 0
    frames = list(read_frames(tmp_path / "out.mov", SIZE))
    assert len(frames) == 9
    assert [entry.name for entry in sorted(tmp_path.iterdir())] == ["clip.mp4", "out.mov"]


@pytest.mark.parametrize(
    ("follow", "lengths", "cuts"),
    [
        ("off", [9, 12, 12], ["", "", ""]),
        ("hard", [9, 12, 9, 12], ["", "", "hard", ""]),
        ("soft", [9, 12, 12, 12], ["", "", "soft", ""]),
    ],
)
def test_a_cut_in_a_clip_begins_a_new_history_at_its_frame(
    tmp_path: Path, follow: str, lengths: list[int], cuts: list[str]
) -> None:
    """The clip is cut after 14 frames; the rest of that chunk is left out, and every frame is rendered once."""
    pictures = [np.kron(np.random.default_rng(n).integers(0, 2, (4, 4, 1)), np.ones((16, 16, 3))) for n in (1, 2)]
    with VideoWriter(tmp_path / "in.mp4", SIZE, 24) as writer:
        for index in range(30):
            writer.write((255 * pictures[index >= 14]).astype(np.uint8))
    options = RenderOptions(
        tmp_path / "in.mp4",
        tmp_path / "out.mp4",
        size=SIZE,
        parameters=coerced({"/streamvace/follow_cuts": follow}),
        factory=f"{__name__}:make_recording",
    )
    assert render_clip(options) == 0
    assert [each.cut for each in SEEN] == cuts
    assert [len(each.control) for each in SEEN if each.control is not None] == lengths
    made = list(read_frames(tmp_path / "out.mp4", SIZE))
    assert len(made) == 30
    assert [int(np.abs(frame[..., :3] - 255.0 * pictures[1]).mean() < 30) for frame in made] == [0] * 14 + [1] * 16
