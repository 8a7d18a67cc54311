"""How the tests are run: all of them on every core, a few of them in one process."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.conftest import MOST_PROCESSES, pytest_cmdline_main

Source = pytest.Config.ArgsSource


def run(source: Source, processes: int | None = None, xdist: bool = True) -> SimpleNamespace:
    """The options for a run, as pytest has them after the command line is read."""
    option = SimpleNamespace(numprocesses=processes, maxprocesses=None, dist="no")
    plugins = SimpleNamespace(hasplugin=lambda name: xdist and name == "xdist")
    pytest_cmdline_main(SimpleNamespace(args_source=source, pluginmanager=plugins, option=option))  # type: ignore[arg-type]
    return option


def test_all_tests_run_on_every_core_and_an_idle_process_takes_tests_from_a_busy_one() -> None:
    given = run(Source.TESTPATHS)
    assert (given.numprocesses, given.maxprocesses, given.dist) == ("logical", MOST_PROCESSES, "worksteal")


@pytest.mark.parametrize(
    "given", [run(Source.ARGS), run(Source.TESTPATHS, processes=0), run(Source.TESTPATHS, xdist=False)]
)
def test_named_tests_a_chosen_number_and_an_environment_without_xdist_are_left_alone(given: SimpleNamespace) -> None:
    assert not given.numprocesses
    assert given.dist == "no"
