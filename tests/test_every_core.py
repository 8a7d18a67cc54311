"""How the tests are run: all of them on every core, a few of them in one process."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from tests.conftest import MOST_PROCESSES, pytest_cmdline_main

Source = pytest.Config.ArgsSource


def run(source: Source, processes: int | None = None, xdist: bool = True, usepdb: bool = False) -> SimpleNamespace:
    """The options for a run, as pytest has them after the command line is read."""
    option = SimpleNamespace(numprocesses=processes, usepdb=usepdb, dist="no")
    plugins = SimpleNamespace(hasplugin=lambda name: xdist and name == "xdist")
    pytest_cmdline_main(SimpleNamespace(args_source=source, pluginmanager=plugins, option=option))  # type: ignore[arg-type]
    return option


def test_all_tests_run_on_every_core_and_an_idle_process_takes_tests_from_a_busy_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    for cores, processes in ((2, 3), (64, MOST_PROCESSES)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        given = run(Source.TESTPATHS)
        assert (given.numprocesses, given.dist) == (processes, "worksteal")


@pytest.mark.parametrize(
    "given",
    [
        run(Source.ARGS),
        run(Source.TESTPATHS, processes=0),
        run(Source.TESTPATHS, usepdb=True),
        run(Source.TESTPATHS, xdist=False),
    ],
)
def test_named_tests_a_chosen_number_a_debugger_and_an_environment_without_xdist_are_left_alone(
    given: SimpleNamespace,
) -> None:
    assert not given.numprocesses
    assert given.dist == "no"


def test_one_of_those_processes_starts_none_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    assert run(Source.TESTPATHS).numprocesses is None


def test_a_process_that_a_test_starts_finds_the_program_compiled() -> None:
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ
