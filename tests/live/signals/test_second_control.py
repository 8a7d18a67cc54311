"""A second control without effect is reported once, when that begins; one with an effect is not."""

from __future__ import annotations

import pytest

from streamvace.control.parameters import Parameters
from streamvace.live.signals.second_control import SecondControl
from streamvace.telemetry.reporter import Reporter

Step = tuple[str, object]
WEIGHT = ("second_control/weight", 0.5)


def lines_after(*steps: Step, chosen: str = "raw") -> list[str]:
    lines: list[str] = []
    parameters = Parameters()
    second = SecondControl(Reporter(lines.append))
    second.chose(chosen)
    parameters.listen(lambda snapshot, changed: second.follow(snapshot))
    for name, value in steps:
        assert parameters.set(f"/streamvace/{name}", (value,), "test").status == "set"
    return lines


@pytest.mark.parametrize(
    "steps",
    [
        (WEIGHT,),
        (("control_kind", "edges"), ("second_control/kind", "edges"), WEIGHT),
        (("input/control", "2"), ("input/second", "2"), WEIGHT),
        (("control", False), ("control_kind", "edges"), WEIGHT),
    ],
)
def test_a_weight_without_a_second_picture_is_one_line_with_both_fixes(steps: tuple[Step, ...]) -> None:
    (line,) = lines_after(*steps, ("seed", 7), ("second_control/weight", 0.6))
    assert line.startswith("second control: a weight of 0.5 changes nothing")
    assert "/streamvace/input/second" in line
    assert "/streamvace/second_control/kind" in line


@pytest.mark.parametrize(
    "steps",
    [
        (("seed", 7),),
        (("input/second", "2"), WEIGHT),
        (("second_control/kind", "depth"), WEIGHT),
        (("control_kind", "edges"), WEIGHT),
    ],
)
def test_a_second_control_with_an_effect_is_not_reported(steps: tuple[Step, ...]) -> None:
    assert lines_after(*steps) == []


def test_it_is_reported_again_when_it_happens_again() -> None:
    lines: list[str] = []
    parameters = Parameters()
    now = 0
    second = SecondControl(Reporter(lines.append, lambda: now))
    second.chose("raw")
    for weight in (0.5, 0.0, 0.5):
        parameters.set("/streamvace/second_control/weight", (weight,), "test")
        second.follow(parameters.snapshot())
        now += 2_000_000_000
    assert len(lines) == 2


def test_under_auto_it_depends_on_the_kind_that_is_chosen_even_later() -> None:
    assert lines_after(WEIGHT, chosen="depth") == []
    assert lines_after(("second_control/kind", "depth"), WEIGHT, chosen="raw") == []
    lines: list[str] = []
    second = SecondControl(Reporter(lines.append))
    second.follow(Parameters({"/streamvace/second_control/weight": 0.5}).snapshot())
    assert lines == [], "not known yet"
    second.chose("raw")
    assert len(lines) == 1
