"""A seed drawn at random is a value like any other."""

from __future__ import annotations

from collections.abc import Mapping

from streamvace.control.cues import look
from streamvace.control.parameters import Parameters, Snapshot
from streamvace.control.random_seed import EDITS, RANDOM, SEED, draw_seed


def test_each_press_holds_another_number_that_feedback_and_cues_keep() -> None:
    parameters = Parameters(edits=EDITS)
    heard: list[Mapping[str, str]] = []

    def hear(snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        heard.append(changed)

    parameters.listen(hear)
    seeds = set()
    for _ in range(5):
        assert parameters.set(RANDOM, (), "desk").status == "set"
        seeds.add(parameters.snapshot().integer(SEED))
    assert len(seeds) == 5
    assert parameters.set(RANDOM, (0.0,), "desk").status == "ignored", "the release of a button draws nothing"
    held = parameters.snapshot().integer(SEED)
    assert held in seeds
    assert heard[-1] == {SEED: "", RANDOM: "desk"}, "the sender hears the number, too"
    cue = look(parameters.snapshot(), parameters.schema)
    assert cue[SEED].value == held
    assert RANDOM not in cue, "recalling the cue draws no other number"


def test_numbers_come_from_the_whole_range() -> None:
    drawn = [draw_seed() for _ in range(200)]
    assert all(0 <= seed <= 2147483647 for seed in drawn)
    assert min(drawn) < 1 << 29
    assert max(drawn) > 3 << 29
