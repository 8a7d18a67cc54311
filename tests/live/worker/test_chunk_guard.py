"""What the guard promises: a lost picture is never shown, and a dark one that was asked for always is."""

from __future__ import annotations

import numpy as np
import pytest

from streamvace.live.worker.chunk_guard import FLAT, LIVELY, ChunkGuard
from streamvace.records.chunk import Chunk, ChunkInput, Pixels, PromptMix

SIDE, FRAMES = 32, 12


def flat(level: int = 0, noise: int = 4, frames: int = FRAMES) -> Pixels:
    """One colour, with what a decoder adds of its own."""
    chance = np.random.default_rng(1)
    return (level + chance.integers(0, noise + 1, (frames, SIDE, SIDE, 3))).astype(np.uint8)


def lively(frames: int = FRAMES) -> Pixels:
    return np.random.default_rng(2).integers(0, 256, (frames, SIDE, SIDE, 3)).astype(np.uint8)


def chunk(frames: Pixels) -> Chunk:
    return Chunk(frames, 0, 0, 0, 0, {})


CONTROL = lively()


class Stream:
    """A guard and one chunk after the other."""

    def __init__(self) -> None:
        self.guard = ChunkGuard()

    def gives(
        self,
        frames: Pixels,
        prompt: str | PromptMix = "a sea",
        control: Pixels | None = CONTROL,
        *,
        reset: bool = False,
        source: Pixels | None = None,
    ) -> bool:
        """Whether it is shown."""
        return not self.guard.refusal(ChunkInput(prompt, control=control, source=source, reset=reset), chunk(frames))


@pytest.fixture
def stream() -> Stream:
    made = Stream()
    assert made.gives(lively())
    return made


@pytest.mark.parametrize("level", [0, 100, 251])
def test_one_colour_from_one_chunk_to_the_next_is_refused_and_the_line_says_which(stream: Stream, level: int) -> None:
    line = stream.guard.refusal(ChunkInput("a sea", control=CONTROL), chunk(flat(level, noise=0)))
    assert f"level {level} of 255" in line
    assert "\n" not in line


def test_it_is_refused_without_any_control_too(stream: Stream) -> None:
    assert not stream.gives(flat(), control=None)


def test_what_a_clean_state_makes_of_the_same_inputs_is_shown_black_or_not(stream: Stream) -> None:
    assert not stream.gives(flat())
    assert stream.gives(flat())
    assert all(stream.gives(flat()) for _ in range(10)), "and it is not asked again and again"


def test_after_a_lively_picture_it_watches_again(stream: Stream) -> None:
    assert not stream.gives(flat())
    assert stream.gives(lively())
    assert not stream.gives(flat())


def test_a_prompt_that_changed_may_ask_for_darkness(stream: Stream) -> None:
    assert stream.gives(flat(), prompt="the lights go out")


def test_a_prompt_on_its_way_to_another_may_ask_for_darkness(stream: Stream) -> None:
    assert stream.gives(lively(), prompt=PromptMix((("a sea", 0.9), ("black", 0.1))))
    assert stream.gives(flat(), prompt=PromptMix((("a sea", 0.8), ("black", 0.2))))


def test_a_hard_cut_may_begin_with_darkness(stream: Stream) -> None:
    assert stream.gives(flat(), reset=True)


def test_a_control_signal_that_goes_black_may_darken_the_picture(stream: Stream) -> None:
    half = CONTROL.copy()
    half[FRAMES // 2 :] = 0
    assert stream.gives(flat(), control=half)


def test_a_source_that_goes_black_may_darken_the_picture(stream: Stream) -> None:
    assert stream.gives(flat(), control=None, source=flat())


def test_a_fade_to_black_passes(stream: Stream) -> None:
    fading = lively(36).astype(np.float32) * np.linspace(1, 0, 36)[:, None, None, None]
    for part in np.split(fading.astype(np.uint8), 3):
        assert stream.gives(part)
    assert stream.gives(flat())


def test_a_fade_that_ends_with_its_chunk_passes(stream: Stream) -> None:
    """The last frame is not flat yet, but no longer lively."""
    fading = lively().astype(np.float32) * np.linspace(1, 0.1, FRAMES)[:, None, None, None]
    assert stream.gives(fading.astype(np.uint8))
    assert stream.gives(flat())


def test_one_lamp_in_the_night_is_a_picture(stream: Stream) -> None:
    night = flat(noise=2)
    night[:, 5, 5] = (90, 70, 30)
    assert stream.gives(night)


def test_a_chunk_that_flashes_is_a_picture(stream: Stream) -> None:
    strobe = flat()
    strobe[6] = lively(1)[0]
    assert stream.gives(strobe)


def test_a_first_chunk_of_one_colour_is_nobodys_fault() -> None:
    assert Stream().gives(flat())


def test_flat_and_lively_are_far_apart() -> None:
    assert 4 * FLAT <= LIVELY
