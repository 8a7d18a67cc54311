"""What a fault of the control leaves behind: a stream with it against the same stream without.

A stream attends to its own past, so one bad frame of control can be seen for seconds. The figures are differences in
levels of 255 in the background, where the control asks for nothing to change. After a cut, the silhouette is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.embedded.evaluation.confidence import Cell, figure
from streamvace.embedded.evaluation.judges import silhouette_iou
from streamvace.embedded.evaluation.references import SEED, Clip, stream_clip
from streamvace.embedded.evaluation.trials import PLAIN
from streamvace.embedded.train.network import CHUNK
from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.stream.generator import Generator

STARTS_SHORT = 3
"""Frames by which a stream's first chunk is shorter than the others."""
LENGTH = 4 * CHUNK
BEFORE = 2
"""Chunks before the one with the shock: the window of the history is full."""
AFTER = 4
"""Chunks after it: two seconds."""
SHOCK_FRAMES = LENGTH * (BEFORE + 1 + AFTER) - STARTS_SHORT
"""Frames of a stream."""
AT = LENGTH * BEFORE - STARTS_SHORT + 5
"""The first frame of the shock: in the middle of its chunk and of a latent frame."""
MARGIN = 12
"""Pixels around the object that do not count as background: its outline softens there."""
STEP = 4
"""One of every four frames is judged."""


@dataclass(frozen=True)
class Span:
    """A part of the stream that is judged, in whole chunks."""

    first: int
    last: int

    @property
    def frames(self) -> range:
        """The judged frames."""
        return range(LENGTH * self.first - STARTS_SHORT, LENGTH * (self.last + 1) - STARTS_SHORT, STEP)


SPANS = {
    "in its chunk": Span(BEFORE, BEFORE),
    "next chunk": Span(BEFORE + 1, BEFORE + 1),
    "after that": Span(BEFORE + 2, BEFORE + AFTER),
}


def white_frame(control: Pixels) -> Pixels:
    """One white frame, as of a strobe."""
    out = control.copy()
    out[AT] = 255
    return out


def black_frames(control: Pixels) -> Pixels:
    """Three black frames, as of a source that drops out."""
    out = control.copy()
    out[AT : AT + 3] = 0
    return out


SHOCKS: dict[str, Callable[[Pixels], Pixels]] = {"one white frame": white_frame, "three black frames": black_frames}


def background(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where nothing is to change, `[F, H, W]`: away from the object."""
    kernel = np.ones((2 * MARGIN + 1, 2 * MARGIN + 1), np.uint8)
    return np.stack([cv2.dilate(mask.astype(np.uint8), kernel) == 0 for mask in inside])


def difference(made: Pixels, other: Pixels, where: NDArray[np.bool_], span: Span) -> float:
    """Mean absolute difference of two streams in a span, in levels of 255. where: `[F, H, W]`."""
    apart = [np.abs(made[k].astype(np.int16) - other[k])[where[k]].mean() for k in span.frames]
    return float(np.mean(apart))


def obeys(made: Pixels, inside: NDArray[np.bool_], span: Span) -> float:
    """Mean silhouette IoU in a span. inside: `[F, H, W]`."""
    return float(np.mean([silhouette_iou(made[k], inside[k]) for k in span.frames]))


def cut_to(clip: Clip, other: Clip) -> Clip:
    """A clip whose control and object are another clip's from the chunk after the shock's on."""
    at = LENGTH * (BEFORE + 1) - STARTS_SHORT
    depth = np.concatenate((clip.depth[:at], other.depth[at:]))
    return Clip(clip.frames, depth, np.concatenate((clip.inside[:at], other.inside[at:])), clip.words, clip.colourless)


def shock_cells(
    name: str,
    generator: Generator,
    clips: Sequence[Clip],
    progress: Callable[[str], None],
    like: ChunkInput = PLAIN,
) -> Iterator[Cell]:
    """The cells of a variant. `wrong`: streams of two seeds, which share nothing but the control."""
    scores: dict[tuple[str, str, str], list[float]] = {}

    def add(variant: str, condition: str, judge: str, score: float) -> None:
        scores.setdefault((variant, condition, judge), []).append(score)

    for number, clip in enumerate(clips):
        progress(f"shocks: {name}, clip {number + 1} of {len(clips)}")
        plain = stream_clip(generator, clip, like, clip.words)
        where = background(clip.inside)
        for condition, shock in SHOCKS.items():
            shocked = Clip(clip.frames, shock(clip.depth), clip.inside, clip.words, clip.colourless)
            made = stream_clip(generator, shocked, like, clip.words)
            for judge, span in SPANS.items():
                add(name, condition, judge, difference(made, plain, where, span))
        other = stream_clip(generator, clip, like, clip.words, seed=SEED + 1)
        add("wrong", "", "next chunk", difference(other, plain, where, SPANS["next chunk"]))
        target = cut_to(clip, clips[(number + 1) % len(clips)])
        made = stream_clip(generator, target, like, clip.words)
        for judge in ("next chunk", "after that"):
            add(name, "no cut", f"silhouette, {judge}", obeys(plain, clip.inside, SPANS[judge]))
            add(name, "cut to another scene", f"silhouette, {judge}", obeys(made, target.inside, SPANS[judge]))
    for (variant, condition, judge), values in scores.items():
        yield Cell(variant, "shocks", condition, judge, figure(np.array(values)))
