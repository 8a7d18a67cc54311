"""The table of planted faults fits the code, and the program that plants them tells a missing test from a good one."""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.mutants import ROOT, TABLE, Mutant, planted, read_table, run
from tests.real_parts import require_program

ROWS = read_table(TABLE.read_text("utf-8"))


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_text_of_every_row_occurs_once_and_is_code_before_and_after() -> None:
    for mutant in ROWS:
        text = planted(ROOT, mutant)
        if mutant.file.endswith(".py"):
            ast.parse(text, str(mutant))


def test_the_tests_of_every_row_exist() -> None:
    wanted = {tuple(test.partition("::")[::2]) for mutant in ROWS for test in mutant.tests}
    missing = [
        f"{file}::{name}"
        for file, name in sorted(wanted)
        if not (ROOT / file).is_file() or (name and name not in functions(ROOT / file))
    ]
    assert missing == []


def test_a_row_has_a_name_of_its_own() -> None:
    assert [name for name, count in Counter(map(str, ROWS)).items() if count > 1] == []


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one promise about addition and none about anything else."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # its tests need none, and start sooner
    subprocess.run([require_program("git", "install git"), "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "sums.py").write_text("def add(a, b):\n    return a + b\n\n\ndef less(a, b):\n    return a - b\n")
    (tmp_path / "test_sums.py").write_text("import sums\n\n\ndef test_add():\n    assert sums.add(2, 1) == 3\n")
    return tmp_path


def outcome(project: Path, table: str, jobs: int = 1) -> int:
    return run(project, read_table(f"[sums.py] test_sums.py\n{table}"), jobs)


ADDS = "adds nothing\n- a + b\n+ a\n"
NO_MATTER = "subtracts nothing\n- a - b\n+ a\n= nobody subtracts\n"


def test_faults_that_tests_notice_and_those_that_cannot_matter_are_a_success(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (project / "sums.py").read_text()
    assert outcome(project, ADDS + NO_MATTER) == 0
    said = capsys.readouterr().out
    assert "sums.py: adds nothing  test_sums.py::test_add\n" in said
    assert "sums.py: subtracts nothing  nobody subtracts\n" in said
    assert (project / "sums.py").read_text() == before, "the checkout itself is never touched"


def test_every_row_that_proves_nothing_is_a_failure_and_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = ADDS + "subtracts the other way\n- a - b\n+ b - a\n"
    table += "cannot matter, but does\n- a + b\n+ b\n= it cannot matter\n"
    table += "does not compile\n- return a + b\n+ return a +\n"
    assert outcome(project, table, jobs=2) == 1
    said = capsys.readouterr().out
    assert "SURVIVED: sums.py: subtracts the other way\n  - a - b\n  + b - a\n" in said
    assert "BROKEN: sums.py: cannot matter, but does\n" in said
    assert "BROKEN: sums.py: does not compile\n" in said
    assert "2 BROKEN, 1 SURVIVED, 1 killed" in said


def test_tests_that_fail_without_a_fault_judge_none(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "sums.py").write_text("def add(a, b):\n    return a + b + 1\n")
    assert outcome(project, ADDS) == 2
    assert "fail without a fault" in capsys.readouterr().out


@pytest.mark.parametrize(("before", "times"), [("a * b", 0), ("return a", 2)])
def test_a_row_whose_text_is_not_there_exactly_once_is_an_error(project: Path, before: str, times: int) -> None:
    with pytest.raises(ValueError, match=rf"occurs {times} times in the file, it must occur once"):
        outcome(project, f"rots\n- {before}\n+ b\n")


def test_a_table_is_read_as_its_head_says() -> None:
    table = "# ...\n\n[a.py] x.py y.py::test_y\nfirst\n- a  b\n+\nsecond\n- c\n+ d\n~ z.py\n= reason\n"
    assert read_table(table) == [
        Mutant("a.py", "first", "a  b", "", ("x.py", "y.py::test_y")),
        Mutant("a.py", "second", "c", "d", ("z.py",), "reason"),
    ]


@pytest.mark.parametrize(("table", "line"), [("what\n", 1), ("[a.py] x.py\n- a\n", 2)])
def test_a_line_that_belongs_to_no_row_is_named(table: str, line: int) -> None:
    with pytest.raises(ValueError, match=rf"mutants\.txt, line {line}: "):
        read_table(table)
