"""What the rehearsal reads out of pytest's output, and its list of what is left out."""

from __future__ import annotations

from tests.windows.environment import ROOT
from tests.windows.rooms import left_out, outcomes, rooms
from tests.windows.table import BEGIN, END, KINDS

SAID = """\
collecting ... collected 4 items

tests/a/test_a.py::test_one PASSED                                       [ 20%]
tests/a/test_a.py::test_two[a b-\\xfc] FAILED                            [ 40%]
tests/a/test_a.py::test_three SKIPPED (needs a screen)                   [ 60%]
tests/a/test_a.py::test_four
+++++++++++++++++++++++++++++++++++ Timeout +++++++++++++++++++++++++++++++++++
"""


def test_every_test_has_its_outcome_and_one_that_never_ended_hung() -> None:
    assert dict(outcomes(SAID.splitlines())) == {
        "tests/a/test_a.py::test_one": "PASSED",
        "tests/a/test_a.py::test_two[a b-\\xfc]": "FAILED",
        "tests/a/test_a.py::test_three": "SKIPPED",
        "tests/a/test_a.py::test_four": "HUNG",
    }


def test_the_rooms_are_all_tests() -> None:
    files = {file for paths in rooms().values() for path in paths for file in _test_files(path)}
    assert files == set(_test_files("tests"))


def _test_files(path: str) -> list[str]:
    place = ROOT / path
    found = [place] if place.is_file() else place.rglob("test_*.py")
    return [str(file.relative_to(ROOT)) for file in found]


def test_what_is_left_out_exists_and_has_a_reason() -> None:
    for row in left_out():
        file, _, test = row.what.partition("::")
        assert f"def {test.partition('[')[0]}" in (ROOT / file).read_text("utf-8")
        assert row.kind in KINDS
        assert row.why


def test_the_page_has_a_place_for_the_table() -> None:
    before, _, after = (ROOT / "docs" / "windows.md").read_text("utf-8").partition(BEGIN)
    assert before
    assert END in after
