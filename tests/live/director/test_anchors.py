"""When a chunk is anchored: at the start, on a cue, or always."""

from __future__ import annotations

import pytest

from streamvace.control.parameters import Parameters
from streamvace.live.director.anchors import NOW, STANDING, AnchorCue


@pytest.fixture
def parameters() -> Parameters:
    return Parameters()


def due(cue: AnchorCue, parameters: Parameters, *, starts: bool = False, loaded: bool = True) -> bool:
    return cue.due(parameters.snapshot(), starts=starts, loaded=loaded)


def test_the_stream_starts_anchored_and_goes_on_free(parameters: Parameters) -> None:
    cue = AnchorCue()
    assert due(cue, parameters, starts=True)
    assert not due(cue, parameters)


def test_a_cue_anchors_one_chunk(parameters: Parameters) -> None:
    cue = AnchorCue()
    parameters.set(NOW, (), "test")
    assert due(cue, parameters)
    assert not due(cue, parameters)
    parameters.set(NOW, (), "test")
    parameters.set(NOW, (), "test")
    assert [due(cue, parameters) for _ in range(3)] == [True, False, False]


def test_a_cue_whose_picture_is_still_being_read_is_owed_to_the_next_chunk(parameters: Parameters) -> None:
    cue = AnchorCue()
    parameters.set(NOW, (), "test")
    assert [due(cue, parameters, loaded=loaded) for loaded in (False, False, True, True)] == [True, True, True, False]


def test_a_standing_anchor_anchors_every_chunk_until_it_is_let_go(parameters: Parameters) -> None:
    cue = AnchorCue()
    parameters.set(STANDING, (True,), "test")
    assert [due(cue, parameters) for _ in range(3)] == [True] * 3
    parameters.set(STANDING, (False,), "test")
    assert not due(cue, parameters)
