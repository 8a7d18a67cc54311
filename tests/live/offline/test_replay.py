"""A show rendered again from its log: the same pictures, with the clips, models and references of that evening."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamvace.conditioning.controls.networks import Networks
from streamvace.control.parameters import Parameters
from streamvace.control.reference_list import EDITS
from streamvace.live.offline.render import RenderOptions, render_clip
from streamvace.live.offline.replay import Replay
from streamvace.live.offline.signals import OfflineSignals
from streamvace.live.show_log.reader import read_show
from streamvace.live.show_log.writer import ShowLog
from streamvace.live.worker.messages import WorkerSetup
from streamvace.records.chunk import Chunk, ChunkInput
from streamvace.records.model_options import ModelOptions
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.video.film.decode import file_info
from streamvace.video.film.source import read_frames
from tests.live.fakes import FakeGenerator
from tests.live.running import Running
from tests.live.show import SIZE, wait_until
from tests.live.show_log.logs import HEAD, Rig, Untouched, chunk, head, row


def test_values_out_of_range_end_the_render_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "show.jsonl"
    path.write_bytes(head() + row(frames=9, shape={"prompt": "red", "hint_reuse": -3}))
    options = RenderOptions(None, tmp_path / "out.mp4", show=path)
    with pytest.raises(UserError, match="chunk 0 cannot be made: hint_reuse is -3") as caught:
        render_clip(options)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("out*"))


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
    rig.parameters.set("/streamvace/latency", ("low",), "panel")
    rig.parameters.set("/streamvace/model/reload", (), "panel")
    rig.made(1)  # the old one goes on while the new one is loaded
    rig.made(0)
    rig.made(1)
    rig.parameters.set("/streamvace/reset", (), "panel")
    rig.made(0)
    rig.log.close()
    made: list[tuple[str, str]] = []

    class Twelve(FakeGenerator):
        def frames_wanted(self) -> int:
            return 12

    def make(*model: str) -> FakeGenerator:
        made.append(model)
        return Twelve(SIZE, seconds=0)

    media = MediaFolder(tmp_path)
    signals = OfflineSignals(Networks(tmp_path, "cpu"), media, "embedded")
    chunks = []
    for remade in Replay(read_show(rig.path), make, media, signals, None).chunks():
        chunks.append((len(made), remade.index))
    assert made == [("embedded", "normal"), ("longlive", "low")]
    assert chunks == [(1, 0), (1, 1), (2, 0), (2, 1), (2, 0)]


def test_a_show_of_low_latency_begins_at_low_latency(tmp_path: Path) -> None:
    parameters = Parameters({"/streamvace/latency": "low"})
    ShowLog(tmp_path / "show.jsonl", HEAD, parameters.snapshot()).close()
    made: list[tuple[str, str]] = []

    def make(*model: str) -> FakeGenerator:
        made.append(model)
        return FakeGenerator(SIZE)

    signals = OfflineSignals(Networks(tmp_path, "cpu"), MediaFolder(tmp_path), "embedded")
    Replay(read_show(tmp_path / "show.jsonl"), make, MediaFolder(tmp_path), signals, None)
    assert made == [("embedded", "low")]


def test_auto_judges_every_input_of_a_show_anew(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.made(0)
    rig.parameters.set("/streamvace/input/control", ("other.mp4",), "panel")
    rig.made(1)
    rig.parameters.set("/streamvace/input/control", ("99",), "panel")
    rig.made(2)
    rig.log.close()
    shown: list[str] = []

    class Told(OfflineSignals):
        def shows(self, address: str) -> None:
            shown.append(address)

    class Twelve(FakeGenerator):
        def frames_wanted(self) -> int:
            return 12

    show, media = read_show(rig.path), MediaFolder(tmp_path)
    signals = Told(Networks(tmp_path, "cpu"), media, "embedded")
    assert len(list(Replay(show, lambda *model: Twelve(SIZE, seconds=0), media, signals, None).chunks())) == 3
    assert shown == [show.inputs[0], "other.mp4", "99"], "a number that no input has stays itself"


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
    replay = Replay(show, lambda *model: Recording(SIZE, 0), MediaFolder(media), Untouched(), None)  # type: ignore[arg-type]
    assert len(list(replay.chunks())) == 2
    assert [None if each.references is None else len(each.references) for each in given] == [1, 1]
    assert len(replay.notes) == 1
    assert "gone.png" in next(iter(replay.notes))
