"""The log of a show: nothing that shaped it is missing, and the show can be rendered again from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.conditioning.controls.networks import Networks
from streamvace.control.parameters import Change, Parameters, Snapshot
from streamvace.control.reference_list import EDITS
from streamvace.live.director.layout import Pictures
from streamvace.live.offline.render import RenderOptions, render_clip
from streamvace.live.offline.replay import Replay
from streamvace.live.offline.signals import OfflineSignals
from streamvace.live.show_log import writer as show_log
from streamvace.live.show_log.reader import read_show
from streamvace.live.show_log.writer import CARRIED, ShowLog, from_json, plain_fields, to_json
from streamvace.live.worker.messages import WorkerSetup
from streamvace.records.chunk import Chunk, ChunkInput, PromptMix
from streamvace.records.model_options import ModelOptions
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.video.film.decode import file_info
from streamvace.video.film.source import read_frames
from tests.live.fakes import FakeGenerator
from tests.live.running import Running
from tests.live.show import SIZE, wait_until

HEAD = {"pipeline": "embedded", "size": SIZE, "content_rate": 24.0, "inputs": ("pattern",)}


def head(**changes: object) -> bytes:
    """The first line of a log."""
    values = {"format": "streamvace show 1", "parameters": {}, **HEAD, "size": (64, 64), **changes}
    return json.dumps(values).encode() + b"\n"


def row(**changes: object) -> bytes:
    """A line of a chunk."""
    values = {"index": 0, "frames": 12, "set": [], "shape": {}, "pictures": [], **changes}
    return json.dumps(values).encode() + b"\n"


DEEP = b'[["/streamvace/seed", ' + b"[" * 700 + b"]" * 700 + b', "osc"]]'


def chunk(inputs: ChunkInput, index: int) -> Chunk:
    return Chunk(np.zeros((12, 8, 8, 3), np.uint8), index, 0, 0, inputs.snapshot_version, {}, seed=inputs.seed)


class Rig:
    """A log that follows parameters."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.parameters = Parameters({"/streamvace/seed": 3})
        self.path = folder / "show.jsonl"
        self.log = ShowLog(self.path, HEAD, self.parameters.snapshot())
        self.parameters.listen(self.log.changed)

    def made(self, index: int, **shape: object) -> None:
        version = self.parameters.snapshot().version
        inputs = replace(ChunkInput("a", snapshot_version=version), **shape)  # type: ignore[arg-type]
        self.log.made(inputs, chunk(inputs, index))


def test_every_change_is_logged_with_its_writer_at_the_first_chunk_that_shows_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.made(0)
    rig.parameters.set("/streamvace/seed", (7,), "panel")
    early = ChunkInput("a", snapshot_version=0)  # built before the change, finished after it
    rig.log.made(early, chunk(early, 1))
    asked = [rig.parameters.check("/streamvace/prompt", ("red",)), rig.parameters.check("/streamvace/reset", ())]
    rig.parameters.apply_bundle([Change(coerced, "osc") for coerced in asked])
    rig.made(2, seed=7, prompt="red")
    rig.made(3, seed=7, prompt="red")
    rig.log.close()
    head, *lines = [json.loads(line) for line in rig.path.read_text("utf-8").splitlines()]
    assert head["parameters"]["/streamvace/seed"] == 3
    assert head["size"] == list(SIZE)
    assert [line["chunk"] for line in lines] == [0, 1, 2, 3]
    assert [line["set"] for line in lines] == [
        [],
        [],
        [["/streamvace/seed", 7, "panel"], ["/streamvace/prompt", "red", "osc"], ["/streamvace/reset", None, "osc"]],
        [],
    ]
    assert lines[2]["shape"] == {"seed": 7, "prompt": "red"}
    assert lines[3]["shape"] == {}
    assert lines[0]["s"] <= lines[3]["s"]


def test_the_log_covers_every_field_that_shapes_a_chunk(tmp_path: Path) -> None:
    pixels = np.zeros((1, 1, 1, 3), np.uint8)
    arrays = {field.name: pixels for field in fields(ChunkInput) if "Pixels" in str(field.type)}
    inputs = replace(ChunkInput("a"), **arrays)  # type: ignore[arg-type]
    known = {*plain_fields(inputs), *arrays, *CARRIED}
    assert known == {field.name for field in fields(ChunkInput)}


weights = st.lists(st.tuples(st.text(max_size=5), st.floats(0.125, 2)), min_size=1, max_size=3)
values = st.one_of(
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=10),
    st.none(),
    st.lists(st.floats(0, 2), max_size=4).map(tuple),
    weights.map(tuple),
    st.builds(lambda parts, blend: PromptMix(tuple(parts), blend), weights, st.sampled_from(("linear", "slerp"))),
)


@given(values)
def test_values_are_read_back_unchanged(value: object) -> None:
    assert from_json(json.loads(json.dumps(to_json(value)))) == value


def test_a_show_is_read_back_whole_and_an_incomplete_last_line_is_ignored(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.made(0, prompt=PromptMix((("red", 1.0), ("blue", 2.0))), block_scales=(1.0, 0.5))
    rig.made(1, seed=9)
    rig.log.close()
    with rig.path.open("a", encoding="utf-8") as file:
        file.write('{"chunk": 2, "s": 1.2')
    show = read_show(rig.path)
    assert (show.pipeline, show.size, show.content_rate, show.inputs) == ("embedded", SIZE, 24.0, ("pattern",))
    assert show.parameters["/streamvace/seed"] == 3
    assert show.frames == 24
    first, second = show.chunks
    assert first.shape["prompt"] == PromptMix((("red", 1.0), ("blue", 2.0)))
    assert first.shape["block_scales"] == (1.0, 0.5)
    assert (second.shape["seed"], second.shape["context_scale"]) == (9, 1.0)


def test_a_prompt_with_any_character_is_read_back_unchanged(tmp_path: Path) -> None:
    prompt = "red" + "".join(map(chr, (0x2028, 0x2029, 0x85, 0x0B, 0x0C, 0x1C, 0x0D, 0x0A, 0xDCFF, 0x1F600))) + "cube"
    rig = Rig(tmp_path)
    rig.parameters.set("/streamvace/prompt", (prompt,), "osc")
    rig.made(0, prompt=prompt)
    rig.made(1, prompt=prompt)
    rig.log.close()
    first, second = read_show(rig.path).chunks
    assert first.shape["prompt"] == second.shape["prompt"] == prompt
    assert rig.path.read_bytes().count(b"\n") == 3, "a line of the file is a line for every program"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "is no show log"),
        (b'{"format": "something else"}\n', "is no show log"),
        (b"\xff\xfe", "cannot be read"),
        (b"[1]\n{}\n", "line 1: not an object"),
        (b'{"format": "streamvace show 1"}\n', "is damaged"),
        (b"[" * 100_000 + b"\n{}\n", "line 1"),
        (head(content_rate=0), "line 1 is damaged: content_rate: .* greater than 0, got 0"),
        (head(content_rate=-5), "content_rate: .* greater than 0, got -5"),
        (head(content_rate=1e12), "content_rate: .* less than or equal to 1000, got 1000000000000"),
        (head(content_rate=float("nan")), "content_rate: .* finite number, got nan"),
        (head(size=[float("inf"), 64]), r"size\.0: .* finite number, got inf"),
        (head(size=[64]), "size"),
        (head(size=[64, -64]), "greater than 0, got -64"),
        (head(parameters=7), "parameters: .* dictionary, got 7"),
        (head() + row(frames=float("inf")), "line 2 is damaged: frames: .* finite number"),
        (head() + row(frames=10**9), "frames: .* less than or equal to 1000"),
        (head() + row(set=[["/streamvace/seed"]]), "line 2 is damaged: set"),
        (head() + row(shape={"seed": "seven"}), "line 2 is damaged: .*, got "),
        (head() + row(shape={"context_scale": float("inf")}), "shape: context_scale: .* finite number, got .*inf"),
        (head() + row(shape={"prompt": {"parts": [[5, 1.0]], "blend": "linear"}}), "line 2 is damaged"),
        (head() + row(shape={"prompt": {"parts": [["red", -1.0]], "blend": "linear"}}), "prompt weights"),
        (head() + row(set="DEEP").replace(b'"DEEP"', DEEP), "line 2 is damaged: nested too deeply"),
    ],
)
def test_an_invalid_log_is_refused_in_one_line(tmp_path: Path, content: bytes, line: str) -> None:
    path = tmp_path / "show.jsonl"
    path.write_bytes(content)
    with pytest.raises(UserError, match=line) as caught:
        read_show(path)
    assert "\n" not in str(caught.value)


def test_a_field_of_a_later_version_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "show.jsonl"
    path.write_bytes(head(more=1) + row(shape={"seed": 7, "glow": 0.5}, more=2))
    assert dict(read_show(path).chunks[0].shape) == {"noise_rule": "sum", "seed": 7}


def test_a_picture_that_one_chunk_lacks_is_not_missing_in_the_next(tmp_path: Path) -> None:
    """Earlier versions logged it as null, once, and later chunks were rendered without their control."""
    path = tmp_path / "show.jsonl"
    path.write_bytes(head() + row(shape={"seed": 7, "control": None}) + row(index=1, pictures=["control"]))
    first, second = read_show(path).chunks
    assert "control" not in {**first.shape, **second.shape}
    rig = Rig(tmp_path / "new")
    rig.made(0)
    rig.log.close()
    assert "control" not in rig.path.read_text("utf-8").partition("\n")[2].partition('"pictures"')[0]


def test_values_out_of_range_end_the_render_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "show.jsonl"
    path.write_bytes(head() + row(frames=9, shape={"prompt": "red", "hint_reuse": -3}))
    options = RenderOptions(None, tmp_path / "out.mp4", show=path)
    with pytest.raises(UserError, match="chunk 0 cannot be made: hint_reuse is -3") as caught:
        render_clip(options)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("out*"))


def test_a_log_names_its_noise_rule_and_one_of_an_earlier_version_keeps_the_old(tmp_path: Path) -> None:
    """Earlier versions drew the noise of seed + position and did not say so."""
    rig = Rig(tmp_path)
    rig.made(0)
    rig.made(1)
    rig.log.close()
    assert [chunk.shape["noise_rule"] for chunk in read_show(rig.path).chunks] == ["hash", "hash"]
    written = rig.path.read_text("utf-8")
    assert written.count('"noise_rule": "hash", ') == 1, "values are logged when they change"
    rig.path.write_text(written.replace('"noise_rule": "hash", ', ""), "utf-8")
    old = read_show(rig.path)
    assert [chunk.shape["noise_rule"] for chunk in old.chunks] == ["sum", "sum"]

    class Twelve(FakeGenerator):
        def frames_wanted(self) -> int:
            return 12

        def step(self, inputs: ChunkInput) -> Chunk:
            given.append(inputs.noise_rule)
            return super().step(inputs)

    given: list[str] = []
    replay = Replay(old, lambda name: Twelve(SIZE, 0), MediaFolder(tmp_path), Untouched(), None)  # type: ignore[arg-type]
    assert len(list(replay.chunks())) == 2
    assert given == ["sum", "sum"], "the picture is the one of that evening"


def test_a_log_names_the_precision_and_one_of_an_earlier_version_had_fp32(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    for index in range(2):
        inputs = ChunkInput("a")
        rig.log.made(inputs, replace(chunk(inputs, index), precision="bf16"))
    rig.log.close()
    assert read_show(rig.path).precision == "bf16"
    written = rig.path.read_text("utf-8")
    assert written.count(', "precision": "bf16"') == 1, "it is logged when it changes"
    rig.path.write_text(written.replace(', "precision": "bf16"', ""), "utf-8")
    assert read_show(rig.path).precision == "fp32"
    rig.path.write_text(written.replace(', "precision": "bf16"', "").replace("embedded", "longlive"), "utf-8")
    assert read_show(rig.path).precision == "auto", "the published pipelines chose by the device then as now"


@pytest.mark.parametrize(("asked", "used"), [("auto", "bf16"), ("fp32", "fp32")])
def test_a_show_is_rendered_in_its_own_precision_unless_another_is_asked_for(
    tmp_path: Path, asked: str, used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)
    inputs = ChunkInput("a")
    rig.log.made(inputs, replace(chunk(inputs, 0), frames=np.zeros((9, 8, 8, 3), np.uint8), precision="bf16"))
    rig.log.close()
    setups: list[WorkerSetup] = []

    def make(setup: WorkerSetup) -> FakeGenerator:
        setups.append(setup)
        return FakeGenerator(SIZE, seconds=0)

    monkeypatch.setattr("streamvace.live.offline.render.resolve", lambda factory: make)
    options = RenderOptions(None, tmp_path / "again.mp4", show=rig.path, model=ModelOptions(precision=asked))
    assert render_clip(options) == 0
    assert [setup.model.precision for setup in setups] == [used]


def test_a_log_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "show.jsonl").write_text("an older show")
    with pytest.raises(UserError, match="exists; choose another name"):
        Rig(tmp_path)


def test_a_show_that_was_shaped_by_pictures_needs_a_clip(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.made(0, control=np.zeros((12, 8, 8, 3), np.uint8))
    rig.log.close()
    with pytest.raises(UserError, match=r"shaped by pictures \(control\) from pattern; .* add --input CLIP"):
        render_clip(RenderOptions(None, tmp_path / "out.mp4", show=rig.path, factory="tests.live.fakes:make"))
    assert not list(tmp_path.glob("out*"))


def test_a_show_is_rendered_again_frame_by_frame_and_every_picture_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Live with the real model, steered over OSC; then from the log. Every chunk is compared by its digest."""
    live, again, log = tmp_path / "live.txt", tmp_path / "again.txt", tmp_path / "show.jsonl"
    monkeypatch.setenv("STREAMVACE_TEST_DIGESTS", str(live))
    show = Running(
        tmp_path,
        *("--output", "null", "--no-web", "--no-control", "--show-log", str(log), "--threads", "1"),
        factory="make_digesting",
    )
    show.wait_ready()

    def chunks() -> int:
        return len(log.read_text("utf-8").splitlines()) - 1

    for address, *arguments in (
        ("/streamvace/prompt", "red glossy sphere"),
        ("/streamvace/seed", 7),
        ("/streamvace/prompts", "neon blue shapes", 1.0, "green cube", 3.0),
        ("/streamvace/reset",),
        ("/streamvace/seed", 8),
    ):
        before = chunks()
        show.osc(address, *arguments)
        wait_until(lambda before=before: chunks() >= before + 2, f"two more chunks; reported {show.lines}")  # type: ignore[misc]
    show.osc("/streamvace/quit")
    assert show.finish() == 0, show.lines
    logged = read_show(log)
    assert [c.shape["seed"] for c in logged.chunks][-1] == 8
    assert sum(c.index == 0 for c in logged.chunks) == 2

    monkeypatch.setenv("STREAMVACE_TEST_DIGESTS", str(again))
    film = tmp_path / "again.mp4"
    factory = "tests.live.fakes:make_digesting"
    assert render_clip(RenderOptions(None, film, show=log, factory=factory)) == 0
    remade, made = again.read_text().splitlines(), live.read_text().splitlines()
    assert len(remade) == len(logged.chunks)
    begins = made.index(remade[0])  # what came before was the rehearsal
    assert remade == made[begins : begins + len(remade)]
    assert len(set(remade)) == len(remade)
    assert file_info(film).frames == logged.frames


@pytest.mark.parametrize(("rate", "shown"), [(24, [0, 1, 2, 3, 0, 1, 2, 3, 0]), (12, [0, 0, 1, 1, 2, 2, 3, 3, 0])])
def test_a_clip_replaces_the_live_input_at_its_own_speed_and_loops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rate: int, shown: list[int]
) -> None:
    from tests.live.offline.test_render import SEEN
    from tests.video.helpers import shade_index, write_clip

    rig = Rig(tmp_path)
    rig.made(0, control=np.zeros((9, 64, 64, 3), np.uint8))
    rig.log.close()
    text = rig.path.read_text("utf-8").replace('"frames": 12', '"frames": 9')
    rig.path.write_text(text, "utf-8")
    clip = write_clip(tmp_path / "clip.mp4", 4, rate=rate, size=SIZE)
    factory = "tests.live.offline.test_render:make_recording"
    assert render_clip(RenderOptions(clip, tmp_path / "out.mp4", show=rig.path, factory=factory)) == 0
    assert SEEN[0].control is not None
    assert [shade_index(frame) for frame in SEEN[0].control] == shown
    assert len(list(read_frames(tmp_path / "out.mp4", SIZE))) == 9
    assert "note: unknown word: blorb" in capsys.readouterr().err, "a remark of the model"


def test_another_model_takes_over_at_the_same_chunk_as_in_the_show(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.made(0)
    rig.parameters.set("/streamvace/pipeline", ("longlive",), "panel")
    rig.parameters.set("/streamvace/model/reload", (), "panel")
    rig.made(1)  # the old one goes on while the new one is loaded
    rig.made(0)
    rig.made(1)
    rig.parameters.set("/streamvace/reset", (), "panel")
    rig.made(0)
    rig.log.close()
    made: list[str] = []

    class Twelve(FakeGenerator):
        def frames_wanted(self) -> int:
            return 12

    def make(pipeline: str) -> FakeGenerator:
        made.append(pipeline)
        return Twelve(SIZE, seconds=0)

    media = MediaFolder(tmp_path)
    signals = OfflineSignals(Networks(tmp_path, "cpu"), media, "embedded")
    chunks = []
    for remade in Replay(read_show(rig.path), make, media, signals, None).chunks():
        chunks.append((len(made), remade.index))
    assert made == ["embedded", "longlive"]
    assert chunks == [(1, 0), (1, 1), (2, 0), (2, 1), (2, 0)]


def test_a_long_pause_with_moving_faders_keeps_only_the_newest_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show_log, "_PENDING", 10)
    rig = Rig(tmp_path)
    for step in range(200):
        rig.parameters.set("/streamvace/seed", (step + 10,), "fader")
        rig.parameters.set("/streamvace/context_scale", (step / 200,), "fader")
    rig.made(0)
    rig.log.close()
    (chunk,) = read_show(rig.path).chunks
    assert dict(chunk.changes) == {"/streamvace/seed": 209, "/streamvace/context_scale": 0.995}
    assert len(chunk.changes) <= 12
    assert rig.log.merged > 380


def test_a_full_disk_ends_the_log_and_not_the_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "gone" / "show.jsonl"
    path.parent.mkdir()
    real_open = Path.open

    def full(self: Path, *arguments: object, **named: object) -> object:
        if self == path:
            raise OSError(28, "No space left on device")
        return real_open(self, *arguments, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", full)
    log = ShowLog(path, HEAD, Parameters().snapshot())
    for index in range(20):
        log.made(ChunkInput("a"), chunk(ChunkInput("a"), index))
    log.close()
    assert "No space left on device" in caplog.messages[0]
    assert "lines are missing" in caplog.messages[1]


def test_references_of_a_show_are_used_again_and_a_missing_one_is_noted(tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    cv2.imwrite(str(media / "cat.png"), np.zeros((8, 8, 3), np.uint8))
    parameters = Parameters({"/streamvace/control": False}, edits=EDITS)
    log = ShowLog(tmp_path / "show.jsonl", HEAD, parameters.snapshot())
    parameters.listen(log.changed)
    given: list[ChunkInput] = []
    for index, name in enumerate(("cat.png", "gone.png")):
        parameters.set("/streamvace/reference/add", (name,), "osc")
        inputs = ChunkInput("a", snapshot_version=index + 1, references=np.zeros((1, *SIZE[::-1], 3), np.uint8))
        log.made(inputs, replace(chunk(inputs, index), frames=np.zeros((9 + 3 * index, 8, 8, 3), np.uint8)))
    log.close()

    class Recording(FakeGenerator):
        def step(self, inputs: ChunkInput) -> Chunk:
            given.append(inputs)
            return super().step(inputs)

    show = read_show(tmp_path / "show.jsonl")
    replay = Replay(show, lambda name: Recording(SIZE, 0), MediaFolder(media), Untouched(), None)  # type: ignore[arg-type]
    assert len(list(replay.chunks())) == 2
    assert [None if each.references is None else len(each.references) for each in given] == [1, 1]
    assert len(replay.notes) == 1
    assert "gone.png" in next(iter(replay.notes))


class Untouched:
    """Leaves every picture as it is."""

    def made_of(self, pictures: Pictures, moments: Sequence[float], snapshot: Snapshot) -> Pictures:
        return pictures
