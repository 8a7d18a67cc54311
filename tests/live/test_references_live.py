"""The embedded model, played over OSC: references, anchors, outpainting, composite, drift."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamvace.control.parameters import Parameters
from streamvace.control.reference_list import EDITS
from streamvace.live.director.director import Director
from streamvace.live.director.look_ahead import LookAhead
from streamvace.live.director.stills import fit_still, wishes
from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.live.inputs.pictures import PictureShelf
from streamvace.live.worker.messages import WorkerSetup
from streamvace.live.worker.pace import PaceMeter
from streamvace.live.worker.worker import ChunkMaker, load_generator
from streamvace.osc.codec import encode_message
from streamvace.osc.inbox import Inbox
from streamvace.records.backlog import Backlog
from streamvace.records.chunk import Chunk, ChunkInput, Pixels
from streamvace.records.frame import Frame
from streamvace.system.media import MediaFolder
from streamvace.telemetry.drift_watch import BASELINE, PATIENCE, REST, SETTLING
from streamvace.telemetry.reporter import Reporter
from tests.live.show import PATIENCE_S, SECOND

SIZE = (128, 128)
FIRST = 9
"""Frames of the embedded model's first chunk."""


@pytest.fixture(scope="module")
def generator() -> ChunkMaker:
    return load_generator(WorkerSetup("", "embedded", SIZE))


def shown(number: int) -> Pixels:
    """What the camera sees at a moment: a disc that moves over stripes; the left half is opaque."""
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    picture[::8, :, 1] = 120
    cv2.circle(picture, (30 + number % 60, 64), 24, (220, 180, 40), -1)
    alpha = np.zeros((SIZE[1], SIZE[0], 1), np.uint8)
    alpha[:, : SIZE[0] // 2] = 255
    return np.concatenate((picture, alpha), axis=2)


class Stage:
    """The stage process without its threads: OSC in, chunks made by the real model, finished frames out."""

    def __init__(self, folder: Path, generator: ChunkMaker) -> None:
        self.media = folder
        self.lines: list[str] = []
        self.given: ChunkInput | None = None
        self.made: Chunk | None = None
        self.spoil: Callable[[Pixels], Pixels] = lambda frames: frames
        self._generator = generator
        self._moment = 0
        self._ring = FrameRing()
        self._sent: list[Pixels] = []
        self._delivered: list[Chunk] = []
        self._parameters = Parameters(edits=EDITS)
        self._inbox = Inbox(self._parameters)
        reporter = Reporter(self.lines.append, clock=lambda: len(self.lines) * 2 * SECOND)
        self._pictures = PictureShelf(MediaFolder(folder), lambda picture, use: fit_still(picture, use, SIZE), reporter)
        self._parameters.listen(lambda snapshot, changed: self._pictures.want(wishes(snapshot)))
        self._director = Director(
            size=SIZE,
            blocks=lambda: 4,
            inputs=self,
            parameters=self._parameters,
            backlog=Backlog(play_rate=24.0, rate=30.0),
            deliver=lambda chunk, pace: self._delivered.append(chunk),
            pictures=self._pictures,
            look_ahead=LookAhead(),
            reporter=reporter,
            clock=lambda: self._moment,
        )
        generator.reset()

    def ring(self, role: str) -> FrameRing:
        return self._ring

    def close(self) -> None:
        self._pictures.stop()

    def osc(self, address: str, *arguments: object) -> None:
        """As `oscsend` would; the disk gets the time it needs."""
        self._inbox.take(encode_message(f"/streamvace/{address}", *arguments), ("127.0.0.1", 5000))
        self.lines += [complaint.line for complaint in self._inbox.flush().complaints.values()]
        assert self._pictures.settle(PATIENCE_S)

    def chunk(self, frames: int | None = None) -> Pixels:
        """One chunk as it goes out, uint8 `[F, H, W, 4]`. frames: where a reset makes it another number."""
        count = frames or self._generator.frames_wanted()
        self._sent = []
        for _ in range(count):
            self._moment += SECOND // 24
            self._sent.append(shown(self._moment * 24 // SECOND))
            self._ring.push(Frame(self._sent[-1], self._moment, "camera", self._moment))
        self.given = self._director.build(self._generator.frames_wanted(), FIRST)
        made = self._generator.step(self.given)
        self.made = replace(made, frames=self.spoil(made.frames))
        self._director.accept(self.made, PaceMeter().record(12, 0.1))
        done = self._delivered.pop()
        alpha = np.full(done.frames.shape[:3], 255, np.uint8) if done.alpha is None else done.alpha
        return np.concatenate((done.frames, alpha[..., None]), axis=3)

    @property
    def sent(self) -> Pixels:
        """What the camera saw in the newest chunk, uint8 `[F, H, W, 4]`."""
        return np.stack(self._sent)


@pytest.fixture
def stage(tmp_path: Path, generator: ChunkMaker) -> Iterator[Stage]:
    made = Stage(tmp_path, generator)
    yield made
    made.close()


def draw(stage: Stage, name: str, colour: tuple[int, int, int]) -> str:
    cv2.imwrite(str(stage.media / name), np.full((64, 64, 3), colour[::-1], np.uint8))
    return name


def test_references_come_and_go_while_the_stream_runs(stage: Stage) -> None:
    stage.osc("reference_mode", "memory")
    stage.chunk()
    counts = []
    for address, argument in (
        ("reference/add", draw(stage, "red.png", (255, 0, 0))),
        ("reference/add", draw(stage, "blue.png", (0, 0, 255))),
        ("reference/add", "nothing.png"),
        ("reference/remove", 1),
    ):
        stage.osc(address, argument)
        stage.chunk()
        assert stage.given is not None
        counts.append(0 if stage.given.references is None else len(stage.given.references))
    assert counts == [1, 2, 2, 1]
    assert any("nothing.png" in line for line in stage.lines)
    assert stage.given is not None
    assert stage.given.references is not None
    assert stage.given.references[0, 64, 64].tolist() == [0, 0, 255]
    stage.osc("reference/clear")
    stage.chunk()
    assert stage.given.references is None
    stage.osc("reference/remove", 1)
    assert any("there is no reference 1; there are 0" in line for line in stage.lines)


def test_a_composite_keeps_the_source_bit_for_bit_and_the_model_paints_the_rest(stage: Stage) -> None:
    stage.osc("mask_source", "alpha")
    stage.osc("composite", True)
    stage.osc("output_alpha", "mask")
    for _ in range(3):
        out = stage.chunk()
        kept = stage.sent[..., 3] == 0
        assert stage.made is not None
        assert (out[kept][:, :3] == stage.sent[kept][:, :3]).all()
        assert (out[kept][:, 3] == 0).all()
        inside = out[:, :, : SIZE[0] // 2 - 10]
        assert (inside[..., :3] == stage.made.frames[:, :, : SIZE[0] // 2 - 10]).all()
        assert (inside[..., 3] == 255).all()


def test_outpainting_keeps_the_placed_source_wherever_it_is_moved(stage: Stage) -> None:
    stage.osc("outpaint/on", True)
    stage.osc("outpaint/scale", 0.5)
    stage.osc("composite", True)
    for x, left in ((0.5, 32), (0.25, 0), (0.25, 0), (0.75, 64)):
        stage.osc("outpaint/x", x)
        out = stage.chunk()
        half = np.stack([cv2.resize(each, (64, 64), interpolation=cv2.INTER_AREA) for each in stage.sent])
        assert (out[:, 32:96, left : left + 64, :3] == half[..., :3]).all()
        around = np.delete(out[..., :3], np.s_[left : left + 64], axis=2)
        assert around.std() > 0, "something is painted around it"


def test_the_stream_begins_with_the_first_frame_and_a_cue_brings_it_back(stage: Stage) -> None:
    def distance(frame: Pixels) -> float:
        return float(np.abs(frame[..., :3].astype(float) - (230, 230, 20)).mean())

    stage.osc("control", False)
    free = distance(stage.chunk()[0])
    stage.osc("first_frame", draw(stage, "yellow.png", (230, 230, 20)))
    stage.osc("reset")
    anchored = distance(stage.chunk(FIRST)[0])
    assert anchored < free / 2
    stage.chunk()
    assert stage.given is not None
    assert stage.given.first_frame is None
    stage.osc("anchor/now")
    stage.chunk()
    assert stage.given.first_frame is not None


def test_injected_drift_is_answered_once_and_said(stage: Stage) -> None:
    stage.osc("re_anchor_auto", True)
    for _ in range(SETTLING + BASELINE):
        stage.chunk()
    best = stage.made
    assert best is not None
    stage.spoil = lambda frames: np.clip(frames.astype(int) + 90, 0, 255).astype(np.uint8)
    given = []
    for number in range(PATIENCE + 2 + REST // 2):
        if number == PATIENCE + 1:
            stage.spoil = lambda frames: frames
        stage.chunk()
        assert stage.given is not None
        given += [] if stage.given.first_frame is None else [stage.given.first_frame]
    assert len(given) == 1
    assert abs(given[0].mean() - best.frames.mean()) < 30, "the anchor is a picture from before the drift"
    assert sum("drifted" in line for line in stage.lines) == 1
    assert stage._director.stats()["re_anchors"] == 1
