"""After a reset the output crosses to the new history, and then shows nothing of the old one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvace.effects.crossing import Crossing
from tests.effects.pictures import flat


class Output:
    """Pictures a tenth of a second apart."""

    def __init__(self, seconds: float) -> None:
        self.crossing = Crossing()
        self.seconds = seconds
        self.hard = 0

    def __call__(self, picture: NDArray[np.uint8], history: int) -> NDArray[np.uint8]:
        return self.crossing(picture, history, hard=self.hard, seconds=self.seconds, elapsed_s=0.1)

    def level(self, level: int, history: int) -> int:
        return int(self(flat(level), history)[0, 0, 0])


def test_the_old_picture_fades_in_the_given_time_and_nothing_of_it_stays() -> None:
    output = Output(0.4)
    assert output.level(200, 0) == 200
    assert [output.level(100, 1) for _ in range(4)] == [200, 175, 150, 125]
    picture = flat(100)
    assert output(picture, 1) is picture, "the picture itself, not a copy"
    assert output(picture, 1) is picture


def test_without_a_fade_and_without_a_reset_it_is_the_picture_itself() -> None:
    for output, histories in ((Output(0.0), (0, 1, 2)), (Output(5.0), (0, 0, 0)), (Output(5.0), (7, 7, 7))):
        for history in histories:
            picture = flat(history)
            assert output(picture, history) is picture


def test_a_hard_cut_is_hard_also_during_a_fade_and_the_next_reset_fades_again() -> None:
    output = Output(1.0)
    output.level(200, 0)
    assert output.level(100, 1) == 200
    output.hard = 2
    assert [output.level(50, 2) for _ in range(3)] == [50, 50, 50]
    assert output.level(10, 3) == 50
    output.hard = 4
    assert output.level(90, 5) == 90, "a hard cut and a reset at once are hard"


def test_a_reset_during_a_fade_crosses_from_what_is_shown() -> None:
    output = Output(0.4)
    output.level(200, 0)
    assert [output.level(100, 1) for _ in range(3)] == [200, 175, 150]
    assert [output.level(50, 2) for _ in range(5)] == [150, 125, 100, 75, 50]


def test_a_fade_time_that_is_shortened_meanwhile_ends_it_and_another_size_cuts() -> None:
    output = Output(5.0)
    output.level(200, 0)
    output.level(100, 1)
    output.seconds = 0.05
    assert output.level(100, 1) == 100
    output.seconds = 5.0
    assert output.level(100, 1) == 100, "an ended fade does not come back"
    small = np.zeros((4, 4, 4), np.uint8)
    assert output(small, 2) is small
