from __future__ import annotations

import numpy as np
import pytest

from streamvace.system.errors import UserError
from streamvace.video.pattern import PatternSource
from streamvace.world.pattern_stream import PatternStream
from tests.video.helpers import HandClock, next_frame


def test_the_pattern_shows_the_world_at_the_time_passed(hand_clock: HandClock) -> None:
    source = PatternSource("depth", (64, 48), rate=10, seed=3, clock=hand_clock)
    world = PatternStream("depth", (64, 48), 3)
    for index in range(3):
        hand_clock.move_to(index / 10)
        frame = next_frame(source)
        assert np.array_equal(frame.pixels[..., :3], world.frame(index / 10))
        assert np.all(frame.pixels[..., 3] == 255)
        assert frame.captured_ns == round(index / 10 * 1e9)
        assert frame.sequence == index
    source.close()


def test_a_pattern_that_was_held_up_skips_frames_and_does_not_slow_down(hand_clock: HandClock) -> None:
    source = PatternSource("depth", (64, 48), rate=10, clock=hand_clock)
    next_frame(source)
    hand_clock.move_to(1.0)  # ten frames later
    frame = next_frame(source)
    if frame.sequence == 1:  # was drawn ahead; where we look late, the next one has taken its place
        assert frame.captured_ns == round(0.1e9)
        frame = next_frame(source)
    assert frame.captured_ns == round(1.0e9)
    assert frame.sequence == 2
    assert source.late == 8
    source.close()


@pytest.mark.parametrize("kind", ["light", "depth", "edges", "scene"])
def test_every_pattern_moves(kind: str, hand_clock: HandClock) -> None:
    source = PatternSource(kind, (64, 48), rate=10, clock=hand_clock)
    shown = []
    for moment in (5.0, 6.0):
        hand_clock.move_to(moment)
        while (frame := next_frame(source)).captured_ns < moment * 1e9:
            pass  # drawn ahead of an earlier moment
        shown.append(frame.pixels)
    assert not np.array_equal(*shown)
    source.close()


def test_a_large_pattern_is_drawn_smaller_and_comes_at_full_size(hand_clock: HandClock) -> None:
    source = PatternSource("depth", (1280, 720), rate=10, clock=hand_clock)
    assert source._stream.size == (442, 249)
    assert next_frame(source).pixels.shape == (720, 1280, 4)
    source.close()


def test_an_unknown_pattern_names_those_there_are() -> None:
    with pytest.raises(
        UserError, match="unknown pattern 'plasma': there is light, depth, edges, scene, mask; try pattern:light"
    ):
        PatternSource("plasma", (64, 48))


def test_the_mask_pattern_has_its_objects_in_alpha(hand_clock: HandClock) -> None:
    source = PatternSource("mask", (64, 48), rate=10, seed=3, clock=hand_clock)
    pixels = next_frame(source).pixels
    source.close()
    depth = PatternStream("depth", (64, 48), 3).frame(0.0)
    assert np.array_equal(pixels[..., :3], depth)
    assert (pixels[..., 3][depth[..., 0] == 0] == 0).all()
    assert (pixels[..., 3][depth[..., 0] > 64] == 255).all()
    assert 0.02 < (pixels[..., 3] == 255).mean() < 0.8
