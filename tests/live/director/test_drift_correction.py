"""Re-anchoring, by hand and by itself: once, on the stream's own picture, and said."""

from __future__ import annotations

import numpy as np

from streamvace.control.parameters import Parameters
from streamvace.live.director.drift_correction import DriftCorrection
from streamvace.records.chunk import Chunk, ChunkInput, Pixels
from streamvace.telemetry.drift_watch import BASELINE, PATIENCE, SETTLING
from streamvace.telemetry.reporter import Reporter


def picture(value: int) -> Pixels:
    grain = np.random.default_rng(3).normal(0, 20, (32, 32, 3))
    return np.clip(value + grain, 0, 255).astype(np.uint8)


class Stream:
    """A stream whose picture has the brightness that the test says."""

    def __init__(self, **values: object) -> None:
        overrides = {f"/streamvace/{name}": value for name, value in values.items()}
        self.parameters = Parameters(overrides)  # type: ignore[arg-type]
        self.lines: list[str] = []
        self.correction = DriftCorrection(Reporter(self.lines.append))

    def chunk(self, value: int, **given: object) -> ChunkInput:
        inputs = self.correction.apply(ChunkInput("", **given), self.parameters.snapshot())  # type: ignore[arg-type]
        self.correction.see(Chunk(picture(value)[None], 0, 0, 0, 0, {}))
        return inputs

    def settle(self, value: int = 90) -> None:
        for _ in range(SETTLING + BASELINE):
            assert self.chunk(value).first_frame is None


def anchored(chunks: list[ChunkInput]) -> list[Pixels]:
    return [each.first_frame for each in chunks if each.first_frame is not None]


def test_drift_is_answered_once_with_the_best_recent_picture_and_reported() -> None:
    stream = Stream(re_anchor_auto=True)
    stream.settle()
    drifting = [stream.chunk(170) for _ in range(PATIENCE + 1)]
    healed = [stream.chunk(90) for _ in range(40)]
    given = anchored(drifting + healed)
    assert len(given) == 1
    assert (given[0] == picture(90)).all()
    assert stream.correction.stats()["re_anchors"] == 1
    assert len(stream.lines) == 1
    assert "drifted (" in stream.lines[0]


def test_without_auto_drift_is_shown_and_nothing_else() -> None:
    stream = Stream()
    stream.settle()
    assert anchored([stream.chunk(170) for _ in range(20)]) == []
    assert float(stream.correction.stats()["drift"]) > 1


def test_a_new_prompt_is_no_drift() -> None:
    stream = Stream(re_anchor_auto=True)
    stream.settle()
    stream.parameters.set("/streamvace/prompt", ("white snow",), "test")
    assert anchored([stream.chunk(200) for _ in range(40)]) == []


def test_as_a_reference_it_joins_the_performers_own() -> None:
    stream = Stream(re_anchor_as="reference")
    stream.settle()
    stream.parameters.set("/streamvace/re_anchor", (), "test")
    own = np.stack([np.full((32, 32, 3), number, np.uint8) for number in range(8)])
    inputs = stream.chunk(90, references=own[:2])
    assert inputs.first_frame is None
    assert inputs.references is not None
    assert (inputs.references == np.concatenate((own[:2], picture(90)[None]))).all()
    stream.parameters.set("/streamvace/re_anchor", (), "test")
    full = stream.chunk(90, references=own).references
    assert full is not None
    assert len(full) == 8


def test_the_performers_first_frame_goes_before() -> None:
    stream = Stream()
    stream.settle()
    stream.parameters.set("/streamvace/re_anchor", (), "test")
    own = picture(10)
    assert stream.chunk(90, first_frame=own).first_frame is own


def test_after_a_reset_nothing_old_is_anchored_on() -> None:
    stream = Stream()
    stream.settle()
    stream.parameters.set("/streamvace/re_anchor", (), "test")
    stream.parameters.set("/streamvace/reset", (), "test")
    assert stream.chunk(90, reset=True).first_frame is None
