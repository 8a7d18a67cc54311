"""A coloured picture as control is noticed; grey and slightly tinted ones are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.control.parameters import Parameters, Snapshot
from streamvace.live.director.layout import Layout
from streamvace.live.director.raw_colour import REMARK, RawColour, mean_chroma
from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.live.offline.render import RenderOptions, render_clip
from streamvace.records.frame import Frame
from streamvace.video.film.writer import VideoWriter
from tests.live.director.test_director import Rig
from tests.live.show import SECOND, SIZE

Pictures = NDArray[np.uint8]
ONE, OTHER = object(), object()


def pictures(tint: tuple[float, float, float], frames: int = 12) -> Pictures:
    """Noise in grey, multiplied by a colour."""
    grey = np.random.default_rng(0).integers(40, 216, (frames, 64, 64, 1))
    return np.asarray((grey * np.array(tint)).clip(0, 255), np.uint8)


GREY = pictures((1, 1, 1))
WARM = pictures((1.02, 1, 0.97))  # a lamp's light
BETWEEN = pictures((1.05, 1, 0.95))
SEPIA = pictures((1.1, 0.9, 0.7))
COLOURED = pictures((1, 0.4, 0.2))


def snapshot(kind: str = "raw") -> Snapshot:
    return Parameters({"/streamvace/control_kind": kind}).snapshot()


def said(*chunks: Pictures, kind: str = "raw") -> list[bool]:
    watch = RawColour()
    return [watch.remark(snapshot(kind), Layout(control=each), ONE) == REMARK for each in chunks]


def test_colour_is_said_once_and_grey_and_a_warm_light_are_not() -> None:
    assert said(GREY, WARM, BETWEEN, GREY) == [False] * 4
    assert said(GREY, COLOURED, COLOURED, SEPIA) == [False, True, False, False]
    assert said(SEPIA, SEPIA) == [True, False]


def test_a_picture_around_the_limit_is_not_said_again_and_one_that_was_grey_is() -> None:
    assert said(COLOURED, BETWEEN, COLOURED, BETWEEN, COLOURED) == [True, False, False, False, False]
    assert said(COLOURED, GREY, COLOURED) == [True, False, True]


@pytest.mark.parametrize("kind", ["depth", "edges", "gray"])
def test_a_control_kind_is_no_raw_control(kind: str) -> None:
    assert said(COLOURED, kind=kind) == [False]


def test_another_input_and_another_kind_in_between_say_it_again() -> None:
    watch, layout = RawColour(), Layout(control=COLOURED)
    lines = [watch.remark(snapshot(), layout, source) for source in (ONE, ONE, OTHER, OTHER, ONE)]
    assert lines == [REMARK, "", REMARK, "", REMARK]
    assert watch.remark(snapshot("gray"), layout, ONE) == ""
    assert watch.remark(snapshot(), layout, ONE) == REMARK
    assert watch.remark(snapshot(), Layout(), ONE) == ""


def test_under_a_mask_only_the_generated_region_counts() -> None:
    """The kept pixels of inpainting are the picture itself."""
    half = COLOURED.copy()
    half[:, :, 32:] = GREY[:, :, 32:]
    mask = np.zeros(half.shape[:3], np.uint8)
    mask[:, :, 32:] = 255
    assert mean_chroma(half, mask) == 0
    assert mean_chroma(half, 255 - mask) == pytest.approx(mean_chroma(COLOURED), rel=0.1)
    assert mean_chroma(half, np.zeros_like(mask)) == 0


def test_the_show_reports_it_and_a_change_of_the_input_reports_it_again() -> None:
    rig = Rig()
    rig.capture(20)
    rig.director.build(9, 9)
    assert rig.lines == [], "the frames are grey"

    def coloured() -> FrameRing:
        ring = FrameRing()
        for number in range(20):
            ring.push(Frame(rgba(COLOURED[0]), 10 * SECOND + number, "test", number))
        return ring

    rig.ring = coloured()
    for _ in range(3):
        rig.director.build(12, 9)
    assert rig.lines == [f"control: {REMARK}"]
    rig.ring = coloured()
    rig.director.build(12, 9)
    assert rig.reporter.counts() == {"control": 2}


def rgba(picture: Pictures) -> Pictures:
    return np.dstack((picture, np.full(picture.shape[:2], 255, np.uint8)))


def test_a_render_notes_it_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with VideoWriter(tmp_path / "in.mp4", SIZE, 12) as writer:
        for picture in COLOURED:
            writer.write(picture)
    options = RenderOptions(tmp_path / "in.mp4", tmp_path / "out.mp4", size=SIZE, factory="tests.live.fakes:make")
    assert render_clip(options) == 0
    assert capsys.readouterr().err.count(REMARK) == 1
