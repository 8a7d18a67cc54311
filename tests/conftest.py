"""Settings of all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import Phase, settings

from streamvace.system.idle_threads import sleep_when_idle

# Test networks are tiny: a second thread only waits for the first, and waits long on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sleep_when_idle()
# Every show of the tests is a process. It finds the program compiled, also where Python is told to keep nothing.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# On a busy machine the duration of an example says nothing about the code.
settings.register_profile("patient", deadline=None)
# To know that a test fails, any example does: benchmarks/mutants.py does not look for the smallest.
settings.register_profile("unshrunk", deadline=None, phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "patient"))

MOST_PROCESSES = 8
"""Each takes up to 1 GB of memory."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads its options
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run all tests in several processes. Tests that are named run in this process: they start sooner."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return  # one of those processes: it would start as many again
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.usepdb
    if whole and config.pluginmanager.hasplugin("xdist") and config.option.numprocesses is None:
        # One more than cores: a quarter of the time a test waits, for a device, a process or a clock.
        config.option.numprocesses = min((os.cpu_count() or 1) + 1, MOST_PROCESSES)
        config.option.dist = "worksteal"


@pytest.fixture(scope="session", autouse=True)
def _kept_priority() -> Iterator[None]:
    """A model that a test loads would lower the priority of all later tests, and of every show that they start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "nice", lambda increment: 0, raising=False)
        yield
