"""What a fault of the control leaves behind: the figures see what stays, where it counts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from streamvace.embedded.evaluation import shocks
from streamvace.embedded.evaluation.references import Clip
from streamvace.embedded.evaluation.shocks import (
    AT,
    BEFORE,
    LENGTH,
    SHOCK_FRAMES,
    SPANS,
    STARTS_SHORT,
    background,
    black_frames,
    cut_to,
    difference,
    shock_cells,
    white_frame,
)
from streamvace.records.chunk import ChunkInput, Pixels

SIDE = 64


def clip(number: int) -> Clip:
    """A square at a place of its own, gray in front of black."""
    inside = np.zeros((SHOCK_FRAMES, SIDE, SIDE), np.bool_)
    inside[:, 8 : 8 + 16, 8 + 4 * number : 24 + 4 * number] = True
    depth = np.repeat((inside * np.uint8(120))[..., None], 3, -1)
    return Clip(depth, depth, inside, "ball", "ball")


def test_the_spans_are_the_chunk_of_the_shock_the_next_one_and_the_rest() -> None:
    own, following, rest = (SPANS[name].frames for name in ("in its chunk", "next chunk", "after that"))
    assert AT in range(own.start, own.stop)
    assert (AT - (LENGTH * BEFORE - STARTS_SHORT)) % 4 == 1, "inside a latent frame"
    assert own.stop == following.start
    assert following.stop == rest.start
    assert rest.stop == SHOCK_FRAMES


def test_a_white_frame_is_one_and_black_frames_are_three() -> None:
    control = clip(0).depth
    for made, level, count in ((white_frame(control), 255, 1), (black_frames(control), 0, 3)):
        touched = [k for k in range(SHOCK_FRAMES) if (made[k] != control[k]).any()]
        assert touched == list(range(AT, AT + count))
        assert (made[AT] == level).all()


def test_the_background_begins_beyond_the_outline() -> None:
    where = background(clip(0).inside)[0]
    assert not where[16, 24 + 5], "beside the square"
    assert where[16, 50]


def test_the_difference_counts_the_background_of_its_span_only() -> None:
    one = clip(0)
    where, span = background(one.inside), SPANS["next chunk"]
    other = one.frames.copy()
    other[one.inside] = 255
    other[: span.first] = 255
    other[span.frames.stop :] = 255
    assert difference(one.frames, other, where, span) == 0
    other[span.frames.start : span.frames.stop] += 10
    assert difference(one.frames, other, where, span) == 10


def test_a_cut_changes_control_and_silhouette_together_after_the_chunk_of_the_shock() -> None:
    made = cut_to(clip(0), clip(3))
    at = SPANS["next chunk"].frames.start
    assert (made.depth[:at] == clip(0).depth[:at]).all()
    assert (made.depth[at:] == clip(3).depth[at:]).all()
    assert (made.inside[at:] == clip(3).inside[at:]).all()


def test_a_stream_that_remembers_a_flash_is_told_from_one_that_forgets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def cells(remembers: bool) -> dict[tuple[str, str, str], float]:
        def stream(generator: object, given: Clip, like: ChunkInput, words: str, *, seed: int = 0) -> Pixels:
            frames = given.depth.copy()
            frames[..., 0] = np.where(given.inside, frames[..., 0], seed % 7)
            white = np.flatnonzero((given.depth == 255).all((1, 2, 3)))
            if remembers and len(white):
                frames[white[0] :] += 20
            return frames

        monkeypatch.setattr(shocks, "stream_clip", stream)
        made: Iterator[shocks.Cell] = shock_cells("streamed", object(), [clip(0), clip(3)], lambda text: None)  # type: ignore[arg-type]
        return {(c.variant, c.condition, c.judge): c.figure.mean for c in made}

    remembered, forgot = cells(True), cells(False)
    for judge in ("next chunk", "after that"):
        assert remembered["streamed", "one white frame", judge] == 20
        assert forgot["streamed", "one white frame", judge] == 0
        assert forgot["streamed", "three black frames", judge] == 0
    assert forgot["wrong", "", "next chunk"] > 0
    assert forgot["streamed", "cut to another scene", "silhouette, next chunk"] == pytest.approx(1)
