"""What the rehearsal reads out of pytest's output, and its list of what is left out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.windows import rooms as rooms_module
from tests.windows.done import DONE, pytest_collection_modifyitems
from tests.windows.environment import ROOT
from tests.windows.rooms import LeftOut, Room, keep, left_out, outcomes, passed, rooms, to_run
from tests.windows.table import BEGIN, END, KINDS, table

SAID = """\
collecting ... collected 4 items

tests/a/test_a.py::test_one PASSED                                       [ 20%]
tests/a/test_a.py::test_two[a b-\\xfc] FAILED                            [ 40%]
tests/a/test_a.py::test_three SKIPPED (needs a screen)                   [ 60%]
tests/a/test_a.py::test_five PASSED                                      [100%]
tests/a/test_a.py::test_five
  tests/a/test_a.py:7: UserWarning: this system allows no such name
tests/a/test_a.py::test_four
+++++++++++++++++++++++++++++++++++ Timeout +++++++++++++++++++++++++++++++++++
"""


def test_every_test_has_its_outcome_and_one_that_never_ended_hung() -> None:
    assert dict(outcomes(SAID.splitlines())) == {
        "tests/a/test_a.py::test_one": "PASSED",
        "tests/a/test_a.py::test_two[a b-\\xfc]": "FAILED",
        "tests/a/test_a.py::test_three": "SKIPPED",
        "tests/a/test_a.py::test_five": "PASSED",
        "tests/a/test_a.py::test_four": "HUNG",
    }


def test_a_room_that_is_not_run_again_keeps_its_row(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    keep(results, Room("web", {"tests/web/test_a.py::test_one": "PASSED"}, "2026-01-02"))
    keep(results, Room("live", {"tests/live/test_b.py::test_two": "HUNG"}, "2026-01-03"))
    done = keep(results, Room("live", {"tests/live/test_b.py::test_two": "PASSED"}, "2026-01-04"))
    said = table(done, {"Wine": "10.0", "Python": "3.13.2"}).splitlines()
    rows = [line for line in said if line.startswith("| ") and "2026" in line]
    assert rows == ["| live | 2026-01-04 | 1 | 0 | 0 |", "| web | 2026-01-02 | 1 | 0 | 0 |"]
    assert said[0] == "Wine 10.0, Python 3.13.2."
    [missing] = [line for line in said if line.startswith("Not run: ")]
    assert missing.removeprefix("Not run: ").rstrip(".").split(", ") == [
        name for name in to_run() if name not in ("live", "web")
    ]
    assert "| **all** |  | 2 | 0 | 0 |" in said


def test_again_is_what_did_not_pass(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    assert passed(results, "web") == {}
    keep(results, Room("web", {"a": "PASSED", "b": "HUNG", "c": "SKIPPED", "d": "FAILED", "e": "ERROR"}))
    assert passed(results, "web") == {"a": "PASSED", "c": "SKIPPED"}


def test_only_what_is_done_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DONE, str(tmp_path / "done"))
    (tmp_path / "done").write_text("tests/test_a.py::test_one\n", "utf-8")
    items: list[Any] = [SimpleNamespace(nodeid=f"tests/test_a.py::{name}") for name in ("test_one", "test_one_more")]
    told: list[Any] = []
    hook = SimpleNamespace(pytest_deselected=lambda items: told.extend(items))
    one, more = items
    pytest_collection_modifyitems(SimpleNamespace(hook=hook), items)  # type: ignore[arg-type]
    assert (items, told) == ([more], [one])


def test_a_room_that_is_left_out_as_a_whole_is_not_run_and_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [LeftOut("tests/web", "same", "slow"), LeftOut("tests/osc/test_tcp.py", "same", "slow")]
    monkeypatch.setattr(rooms_module, "left_out", lambda: rows)
    assert set(rooms()) - set(to_run()) == {"web"}
    assert "web" not in table([], {}).partition("Not run: ")[2].partition("\n")[0].split(", ")


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
        place = ROOT / file
        assert place.is_dir() or f"def {test.partition('[')[0]}" in place.read_text("utf-8")
        assert row.kind in KINDS
        assert row.why


def test_the_page_has_a_place_for_the_table() -> None:
    before, _, after = (ROOT / "docs" / "windows.md").read_text("utf-8").partition(BEGIN)
    assert before
    assert END in after
