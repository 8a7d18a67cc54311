"""A cut in the control begins a new history, once, and only where the performer wants it."""

from __future__ import annotations

import numpy as np
import pytest

from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.records.frame import Frame
from tests.live.director.test_director import Rig
from tests.live.show import SECOND, SIZE

PERIOD = SECOND // 24
BEFORE, AFTER = 0, 1


def texture(number: int) -> Pixels:
    coarse = np.random.default_rng(number).integers(0, 256, (8, 8, 4)).astype(np.uint8)
    return np.ascontiguousarray(np.kron(coarse, np.ones((SIZE[1] // 8, SIZE[0] // 8, 1), np.uint8)))


PICTURES = [texture(number) for number in (1, 2)]


class Show(Rig):
    """A rig whose control is captured at 24 pictures a second."""

    def __init__(self, **values: bool | float | str | tuple[str, ...]) -> None:
        super().__init__(**values)
        self.captured = 0

    def play(self, scenes: list[int], ring: FrameRing | None = None) -> None:
        for number in scenes:
            self.now_ns += PERIOD
            (ring or self.ring).push(Frame(PICTURES[number], self.now_ns, "test", self.captured))
            self.captured += 1

    def chunk(self, scenes: list[int], frames: int = 12) -> ChunkInput:
        self.play(scenes)
        return self.director.build(frames, 9)


def shown(inputs: ChunkInput) -> list[int]:
    """The scene of each control frame."""
    assert inputs.control is not None
    return [int((frame == PICTURES[AFTER][..., :3]).all()) for frame in inputs.control]


def test_a_cut_in_mid_chunk_begins_a_new_history_without_the_old_picture_once() -> None:
    show = Show(follow_cuts="hard")
    assert show.chunk([BEFORE] * 12, 9).cut == ""
    cut = show.chunk([BEFORE] * 5 + [AFTER] * 7)
    assert (cut.cut, cut.begins, cut.generation) == ("hard", True, 0)
    assert shown(cut) == [AFTER] * 9
    after = show.chunk([AFTER] * 12)
    assert (after.cut, len(shown(after))) == ("", 12)


def test_a_soft_cut_takes_every_frame_and_keeps_the_stream() -> None:
    show = Show(follow_cuts="soft")
    show.chunk([BEFORE] * 12, 9)
    cut = show.chunk([BEFORE] * 5 + [AFTER] * 7)
    assert (cut.cut, cut.begins) == ("soft", False)
    assert shown(cut) == [BEFORE] * 5 + [AFTER] * 7


@pytest.mark.parametrize("timing", ["instant", "ahead"])
def test_a_cut_is_found_between_the_frames_that_such_a_timing_follows(timing: str) -> None:
    show = Show(follow_cuts="hard", control_timing=timing)
    show.chunk([BEFORE] * 12, 9)
    cut = show.chunk([BEFORE] * 5 + [AFTER] * 7)
    assert cut.cut == "hard"
    assert len(shown(cut)) == 9


def test_a_flash_and_a_strobe_leave_the_history_alone() -> None:
    show = Show(follow_cuts="hard")
    chunks = [show.chunk(([BEFORE] * 3 + [AFTER]) * 3, 9 if first else 12) for first in (True, False, False)]
    assert [chunk.cut for chunk in chunks] == [""] * 3


def test_without_the_option_and_without_a_control_nothing_is_cut() -> None:
    for values in ({}, {"follow_cuts": "hard", "control": False}):
        show = Show(**values)
        show.chunk([BEFORE] * 12, 9)
        assert show.chunk([BEFORE] * 5 + [AFTER] * 7).cut == ""


def test_another_input_and_a_reset_are_no_cuts_of_the_control() -> None:
    show = Show(follow_cuts="hard")
    show.chunk([BEFORE] * 12, 9)
    show.play([BEFORE] * 4)
    show.others["control"] = FrameRing()
    show.play([AFTER] * 8, show.others["control"])
    assert show.director.build(12, 9).cut == ""
    show.play([AFTER] * 2, show.others["control"])
    show.set("reset")
    show.play([BEFORE] * 9, show.others["control"])
    began = show.director.build(12, 9)
    assert (began.cut, began.reset) == ("", True)
